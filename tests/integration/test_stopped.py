"""A job in which all fails is stopped by the driver on engines with workers of their own, and its run goes on."""

import pytest

from beam_pipelines.driver.failures import TooManyFailed
from beam_pipelines.driver.order import Order
from beam_pipelines.driver.run import run
from tests.beam_pipelines.numbers_recipe import RECIPE, NumbersConfig, mend
from tests.integration.engines import on_embedded_flink, on_prism, options_of
from transforms.tables.ledger import tally

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

ENGINES = [
    pytest.param(on_prism, id="prism", marks=pytest.mark.prism),
    pytest.param(on_embedded_flink, id="flink, embedded", marks=pytest.mark.flink),
]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_job_in_which_all_fails_is_stopped(engine, tmp_path):
    numbers = [n for n in range(7, 7 * 4000, 7) if n % 10 and n % 11][:800]
    (tmp_path / "numbers.txt").write_text("\n".join(map(str, numbers)))
    with options_of(engine) as beam:

        def order(pause: float) -> Order:
            config = NumbersConfig(manifest={"rows_per_shard": 5}, pause=pause, jobs=[["double", "halve"]])
            return Order(RECIPE, config, str(tmp_path / "numbers.txt"), str(tmp_path / "run"), tuple(beam))

        with pytest.raises(TooManyFailed, match="failed in stage double"):
            run(order(0.1))
        done = tally(str(tmp_path / "run"), "double")
        assert 50 <= done.items < 700
        mend(str(tmp_path / "run"))
        run(order(0.0))
    whole = tally(str(tmp_path / "run"), "double")
    assert whole.items == 800
    assert whole.count("failed") < 700
