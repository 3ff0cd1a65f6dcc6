"""A job in which too much fails is stopped on the way; what is committed stays, and the same command goes on."""

import pytest

from beam_pipelines.driver import failures
from beam_pipelines.driver.committed import Committed
from beam_pipelines.driver.failures import TooManyFailed, Watch, least_share
from beam_pipelines.driver.order import Order
from beam_pipelines.driver.record import read_record
from beam_pipelines.driver.run import run
from tests.beam_pipelines.numbers_recipe import RECIPE, NumbersConfig, mend
from transforms.tables.ledger import tally, write_ledger
from transforms.tables.retry import plan_retry
from transforms.tables.verdicts import Verdict

pytestmark = pytest.mark.jobs

# scipy.stats.binomtest(failed, chunks).proportion_ci(0.98, "wilson").low
SHARES = [(6, 6, 6, 0.5258), (10, 10, 10, 0.6488), (7, 10, 10, 0.3493), (30, 40, 40, 0.5678), (1, 9, 9, 0.0155)]


@pytest.mark.parametrize(("failed", "items", "chunks", "expected"), SHARES)
def test_the_least_share_is_the_lower_end_of_the_interval(failed, items, chunks, expected):
    assert least_share(failed, items, chunks) == pytest.approx(expected, abs=1e-4)
    assert least_share(10 * failed, 10 * items, chunks) == pytest.approx(least_share(failed, items, chunks))


def ledger(folder, name, failed, kept, stage="download"):
    verdicts = [(Verdict(f"{name}-f{i}", "failed", "connect_error"), 0) for i in range(failed)]
    verdicts += [(Verdict(f"{name}-k{i}", "kept"), 1) for i in range(kept)]
    write_ledger(str(folder), stage, name, verdicts)


def stops(folder, chunks, limit=0.5, of=64) -> bool:
    """Whether a job of so many chunks is stopped once these (failed, kept) are committed."""
    for number, (failed, kept) in enumerate(chunks):
        ledger(folder, f"{number:03d}", failed, kept)
    committed = Committed(str(folder), ["download"], [f"{number:03d}" for number in range(of)])
    try:
        Watch(committed, limit)()
    except TooManyFailed:
        return True
    return False


CASES = [
    ("all of enough chunks fail", [(10, 0)] * 6, {}, True),
    ("too few chunks: they may be one host's", [(100, 0)] * 5, {}, False),
    ("too few items", [(1, 0)] * 49, {}, False),
    ("as many as the limit allows", [(5, 5)] * 60, {}, False),
    ("a little more, but few chunks", [(6, 4)] * 20, {}, False),
    ("clearly more", [(8, 2)] * 20, {}, True),
    ("more would be allowed", [(8, 2)] * 20, {"limit": 0.9}, False),
    ("nothing is refused", [(10, 0)] * 63, {"limit": 1.0}, False),
    ("no failure is allowed, and one is no proof", [(0, 10)] * 19 + [(1, 9)], {"limit": 0.0}, True),
    ("the job is at its end: the stage is closed by all its counts", [(10, 0)] * 64, {}, False),
    ("nothing yet", [], {}, False),
]  # fmt: skip


@pytest.mark.parametrize(("chunks", "more", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_a_job_is_stopped_when_there_is_no_doubt(tmp_path, chunks, more, expected):
    assert stops(tmp_path, chunks, **more) == expected


def test_what_earlier_starts_have_done_counts_for_the_whole(tmp_path):
    """The last stretch of a list may fail altogether where the stage as a whole stays within its limit."""
    for number in range(200):
        ledger(tmp_path, f"before-{number}", 0, 10)
    assert not stops(tmp_path, [(10, 0)] * 30)
    other = tmp_path / "other"
    for number in range(20):
        ledger(other, f"before-{number}", 10, 0)
    assert not stops(other, [(0, 10)] * 10)  # nor does it stop what no longer fails, whatever failed before


def test_the_ledger_is_looked_at_now_and_then(tmp_path, monkeypatch):
    looks = []
    committed = Committed(str(tmp_path), ["download"], ["0"])
    monkeypatch.setattr(committed, "look", lambda: looks.append(1))
    watch = Watch(committed, 0.5)
    for _ in range(50):
        watch()
    assert len(looks) == 1


@pytest.fixture
def order(tmp_path, monkeypatch):
    """A run of 600 numbers, all of which fail for now; at most twenty a second and worker."""
    monkeypatch.setattr(failures, "_PAUSE", 0.2)
    numbers = [n for n in range(7, 7 * 2000, 7) if n % 10 and n % 11][:600]
    (tmp_path / "numbers.txt").write_text("\n".join(map(str, numbers)))

    def make(*beam: str, **config) -> Order:
        settings = NumbersConfig(**{"manifest": {"rows_per_shard": 5}, "pause": 0.05, **config})
        beam = beam or ("--direct_running_mode=multi_threading", "--direct_num_workers=2")
        return Order(RECIPE, settings, str(tmp_path / "numbers.txt"), str(tmp_path / "run"), beam)

    return make


def test_a_run_that_fails_is_stopped_and_goes_on_when_it_is_mended(order, capsys):
    one = order()
    with pytest.raises(
        TooManyFailed, match=r"stopped, since (\d+) of the first \1 items failed in stage double \("
    ) as told:
        run(one)
    assert "http_404" in str(told.value)
    done = tally(one.run, "double")
    assert 50 <= done.items < 400, "it was stopped long before its end"
    assert read_record(one.run)["stages"]["double"]["failed"] == done.items
    with pytest.raises(TooManyFailed):  # the cause is still there
        run(one)
    done = tally(one.run, "double")
    mend(one.run)
    run(order(pause=0, max_failed_share=0.9))  # on a busy machine more than half had failed before it was stopped
    whole = tally(one.run, "double")
    assert (whole.items, whole.count("failed")) == (600, done.count("failed"))
    assert plan_retry(one.run, "double", False, 100) == done.count("failed")
    run(order(pause=0))
    assert tally(one.run, "double").count("kept") == 600


def test_a_retry_goes_to_its_end(order):
    one = order(pause=0, max_failed_share=1)
    run(one)
    assert plan_retry(one.run, "double", False, 5) == 600
    run(order(pause=0.002, max_failed_share=1))
    with pytest.raises(Exception, match="600 of 600 items failed"):
        run(order(pause=0))


def test_a_list_that_may_fail_is_done_to_its_end(order):
    one = order(max_failed_share=1, pause=0.002)
    run(one)
    assert tally(one.run, "double").count("failed") == 600


def test_worker_processes_are_stopped_too(order):
    one = order("--direct_running_mode=multi_processing", "--direct_num_workers=2")
    with pytest.raises(TooManyFailed):
        run(one)
    assert tally(one.run, "double").items < 600
