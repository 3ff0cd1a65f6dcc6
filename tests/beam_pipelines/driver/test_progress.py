import io
from functools import partial
from itertools import pairwise
from threading import Thread

import pytest
from rich.console import Console
from rich.live import Live

from beam_pipelines.driver import committed, progress
from beam_pipelines.driver.committed import Committed
from transforms.flow.commit import SEEN
from transforms.flow.table_steps import advance, begin, forget
from transforms.tables.ledger import write_ledger
from transforms.tables.verdicts import Verdict

ZERO = {"kept": 0, "dropped": 0, "failed": 0}


def ledger(run: str, name: str, kept: int, failed: int = 0, dropped: int = 0) -> None:
    verdicts = [(Verdict(f"k{i}", "kept"), 1) for i in range(kept)]
    verdicts += [(Verdict(f"f{i}", "failed", "http_404"), 0) for i in range(failed)]
    verdicts += [(Verdict(f"d{i}", "dropped", "no_face"), 0) for i in range(dropped)]
    write_ledger(run, "download", name, verdicts)


def test_counts_on_storage_start_at_zero(folder):
    assert progress.counts_on_storage(Committed(folder, [], []))() == {}
    assert progress.counts_on_storage(Committed(folder, ["download"], ["00000"]))() == {"download": ZERO}


def test_counts_on_storage_grow_with_the_ledger_of_these_chunks(folder):
    ledger(folder, "00000", 5)  # done before
    read = progress.counts_on_storage(Committed(folder, ["download", "bodies"], ["00001", "00002"]))
    assert read()["download"] == ZERO
    ledger(folder, "00001", 2, failed=1)
    assert read() == {"download": {"kept": 2, "dropped": 0, "failed": 1}, "bodies": ZERO}
    ledger(folder, "00002", 1, dropped=3)
    for _ in range(2):  # and each shard counts once
        assert read()["download"] == {"kept": 3, "dropped": 3, "failed": 1}


def test_counts_of_whole_tables_take_every_shard_whatever_its_name(folder):
    read = progress.counts_on_storage(Committed(folder, ["download"]))
    assert read() == {"download": ZERO}
    for name in ("00000", "000000", "00017"):
        ledger(folder, name, 2, dropped=1)
    assert read() == {"download": {"kept": 6, "dropped": 3, "failed": 0}}


def test_new_footers_are_read_together_and_no_more_than_some_at_a_time(folder, monkeypatch):
    monkeypatch.setattr(committed, "FOOTERS_AT_A_TIME", 3)
    asked = []
    read_footers = committed.read_footers
    monkeypatch.setattr(committed, "read_footers", lambda *which: asked.append(which[1:]) or read_footers(*which))
    for name in ("0", "1", "2", "3"):
        ledger(folder, name, 1)
    read = progress.counts_on_storage(Committed(folder, ["download"]))
    assert [read()["download"]["kept"] for _ in range(3)] == [3, 4, 4]
    assert [which for which in asked if which[1]] == [
        ("ledger/download", ["0", "1", "2"]),
        ("ledger/download", ["3"]),
    ]


def test_counts_in_process_are_of_this_job():
    SEEN["count-test", "kept"] += 3
    read = progress.counts_in_process(["count-test"])
    assert read() == {"count-test": ZERO}
    SEEN["count-test", "kept"] += 2
    SEEN["count-test", "failed"] += 1
    assert read() == {"count-test": {"kept": 2, "dropped": 0, "failed": 1}}


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        ({}, ""),
        ({"download": ZERO}, ""),
        ({"download": {**ZERO, "kept": 12, "failed": 1}, "bodies": ZERO}, "download 12 kept 1 failed"),
        (
            {"download": {"kept": 12, "dropped": 3, "failed": 1}, "bodies": {**ZERO, "kept": 2}},
            "download 12 kept 3 dropped 1 failed | bodies 2 kept",
        ),
    ],
)
def test_counts_are_told_without_zeros(counts, text):
    assert progress.describe(counts) == text


def follow(read, total, terminal: bool, monkeypatch, capsys) -> str:
    screen = io.StringIO()
    monkeypatch.setattr(
        progress, "Console", lambda stderr: Console(file=screen, force_terminal=terminal, width=200, color_system=None)
    )
    thread = Thread(target=lambda: None)
    thread.start()
    progress.follow(thread, "job 1 download", total, read)
    assert not thread.is_alive()
    return screen.getvalue() + capsys.readouterr().err


@pytest.mark.parametrize("total", [None, 0, 4])
def test_a_live_bar_ends_with_the_last_counts(total, monkeypatch, capsys):
    shown = follow(lambda: {"download": {"kept": 3, "dropped": 0, "failed": 1}}, total, True, monkeypatch, capsys)
    assert "job 1 download" in shown
    assert "download 3 kept 1 failed" in shown
    assert total is None or total == 0 or "4/4" in shown


@pytest.mark.parametrize(("total", "ahead"), [(None, "4 items"), (0, "4 items"), (4, "4/4 items")])
def test_a_plain_line_is_the_last_word_elsewhere(total, ahead, monkeypatch, capsys):
    shown = follow(lambda: {"download": {"kept": 3, "dropped": 0, "failed": 1}}, total, False, monkeypatch, capsys)
    assert shown.splitlines()[-1].startswith(f"job 1 download: {ahead}, ")
    assert shown.splitlines()[-1].endswith("s; download 3 kept 1 failed")


def test_without_stages_nothing_is_counted(monkeypatch, capsys):
    assert "0 items" in follow(dict, None, False, monkeypatch, capsys)


class Slow:
    """A clock, and a job that ends after some looks of so many seconds each."""

    def __init__(self, looks: int, seconds: float) -> None:
        self.now, self.left, self.seconds, self.looks = 0.0, looks, seconds, []

    def monotonic(self) -> float:
        return self.now

    def is_alive(self) -> bool:
        return self.left > 0

    def join(self, pause: float) -> None:
        self.now += pause

    def read(self) -> progress.Counts:
        self.looks.append(self.now)
        self.now += self.seconds
        self.left -= 1
        return {"download": ZERO}


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("seconds", [0.0, 20.0])
def test_looks_that_take_long_become_fewer(seconds, terminal, monkeypatch, capsys):
    job = Slow(looks=5, seconds=seconds)
    monkeypatch.setattr(progress, "time", job)
    monkeypatch.setattr(
        progress, "Console", lambda stderr: Console(file=io.StringIO(), force_terminal=terminal, get_time=lambda: 0.0)
    )
    progress.follow(job, "job 1 download", None, job.read)
    least = progress.LIVE_SECONDS if terminal else progress.PLAIN_SECONDS
    pauses = [after - before - seconds for before, after in pairwise(job.looks)]
    assert pauses[1:-1] == [max(least, progress.EASE * seconds)] * (len(pauses) - 2)
    assert len(pauses) >= 4


def test_what_is_checked_every_second_may_end_it(monkeypatch, capsys):
    job, checks = Slow(looks=99, seconds=0.0), []

    def check():
        checks.append(job.now)
        if job.now > 25:
            raise RuntimeError("enough")

    monkeypatch.setattr(progress, "time", job)
    with pytest.raises(RuntimeError, match="enough"):
        progress.follow(job, "job 1 download", None, job.read, check)
    assert checks == list(range(1, 11)) + list(range(11, 21)) + list(range(21, 27))
    assert job.looks == [10, 20]


class Timed:
    """A clock, and a job that ends after so many seconds; at some of them something happens."""

    def __init__(self, end: float, **happens) -> None:
        self.now, self.end, self.happens = 0.0, end, happens

    def monotonic(self) -> float:
        return self.now

    def is_alive(self) -> bool:
        return self.now < self.end

    def join(self, pause: float) -> None:
        self.now += pause
        self.happens.pop(f"at_{self.now:g}", lambda: None)()


@pytest.fixture
def tables():
    """Two stages on whole tables: one at a step of known length, one at another."""
    begin("edges-test", "blocks [of] faces searched", 12)
    advance("edges-test", 3)
    begin("lists-test", "writing lists")
    yield ["edges-test", "lists-test"]
    forget(["edges-test", "lists-test"])


def follow_tables(job, stages, terminal, monkeypatch, capsys):
    screen = io.StringIO()
    monkeypatch.setattr(progress, "time", job)
    console = {"file": screen, "force_terminal": terminal, "width": 200, "color_system": None}
    monkeypatch.setattr(progress, "Console", lambda stderr: Console(**console, get_time=lambda: 0.0))
    counts = {stage: {**ZERO, "kept": 7} for stage in stages}
    progress.follow_tables(job, f"job 3 {'+'.join(stages)}", stages, lambda: counts)
    return screen.getvalue() + capsys.readouterr().err


def test_stages_on_tables_show_their_steps_and_counts_in_the_end(tables, monkeypatch, capsys):
    shown = follow_tables(Timed(15), tables, False, monkeypatch, capsys)
    assert shown.splitlines() == [
        "job 3 edges-test+lists-test: 3/12, 0.3/s, 10 s, about 30 s left; "
        "edges-test: 3/12 blocks [of] faces searched | lists-test: writing lists",
        "job 3 edges-test+lists-test: 15 s; edges-test 7 kept | lists-test 7 kept",
    ]


def test_a_live_bar_shows_steps(tables, monkeypatch, capsys):
    monkeypatch.setattr(progress, "Live", partial(Live, auto_refresh=False))
    seen = []
    monkeypatch.setattr(Live, "update", lambda self, shown: seen.append(shown))
    follow_tables(Timed(15), tables, True, monkeypatch, capsys)
    console = Console(file=io.StringIO(), width=200)
    console.print(seen[0], seen[-1])
    first, _, last = console.file.getvalue().partition("writing lists")
    assert "edges-test: 3/12 blocks [of] faces searched | lists-test: " in first
    assert "edges-test 7 kept | lists-test 7 kept" in last


@pytest.mark.parametrize("terminal", [True, False])
def test_stages_that_work_elsewhere_show_their_counts(terminal, monkeypatch, capsys):
    shown = follow_tables(Timed(15), ["far-test"], terminal, monkeypatch, capsys)
    assert "far-test 7 kept" in shown
    assert terminal or shown.splitlines()[0] == "job 3 far-test: 10 s; far-test 7 kept"


def test_rate_and_time_left_are_those_of_the_step(monkeypatch, capsys):
    def next_step():
        begin("edges-test", "files written", 100)
        advance("edges-test", 5)

    begin("edges-test", "blocks searched", 50)
    happens = {f"at_{second}": lambda: advance("edges-test", 5) for second in (5, 15, 35)}
    shown = follow_tables(Timed(45, at_25=next_step, **happens), ["edges-test"], False, monkeypatch, capsys)
    forget(["edges-test"])
    assert [line.split(";")[0] for line in shown.splitlines()] == [
        "job 3 edges-test: 5/50, 0.5/s, 10 s, about 90 s left",
        "job 3 edges-test: 10/50, 0.5/s, 20 s, about 80 s left",
        "job 3 edges-test: 5/100, 0.5/s, 30 s, about 190 s left",
        "job 3 edges-test: 10/100, 0.5/s, 40 s, about 180 s left",
        "job 3 edges-test: 45 s",
    ]
