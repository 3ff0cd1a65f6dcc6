"""The run that most tests of the driver begin with."""

import pytest

from beam_pipelines.driver.order import Order
from tests.beam_pipelines.numbers_recipe import CALLS, NUMBERS, RECIPE, NumbersConfig


@pytest.fixture
def order(tmp_path):
    """An order for a run of NUMBERS in a folder of its own; keywords are the configuration's."""
    manifest = tmp_path / "numbers.txt"
    manifest.write_text("\n".join(map(str, NUMBERS)))
    CALLS.clear()

    def make(output: str = "run", recompute: bool = False, mode: str = "in_memory", **config) -> Order:
        beam = (f"--direct_running_mode={mode}", "--direct_num_workers=2")
        run_folder = str(tmp_path / output)
        return Order(RECIPE, NumbersConfig(**config), str(manifest), run_folder, beam, recompute)

    return make
