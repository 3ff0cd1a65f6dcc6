"""Progress of a running job: a live bar on a terminal, a plain line now and then elsewhere.

Counts come from this process when the runner works in it, and else from the ledger shards that have been committed:
true on every runner, a chunk at a time.
"""

import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from threading import Thread

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

from beam_pipelines import interrupt
from transforms.tables.commit import SEEN
from transforms.tables.ledger import ledger_table
from transforms.tables.reasons import STATES, reason
from transforms.tables.shards import read_footers, shard_names

PLAIN_SECONDS = 10.0
LIVE_SECONDS = 0.25
EASE = 4  # a look at the counts is followed by a pause of at least so many times as long: on storage a look costs
FOOTERS_AT_A_TIME = 4096  # about 13 s of an object store that answers 32 at once in 50 ms, by two requests each

Counts = dict[str, dict[str, int]]  # stage -> state -> items


def counts_in_process(stages: Sequence[str]) -> Callable[[], Counts]:
    """A reader of this process's own counters, from zero."""
    start = {(stage, state): SEEN[stage, state] for stage in stages for state in STATES}
    return lambda: {stage: {state: SEEN[stage, state] - start[stage, state] for state in STATES} for stage in stages}


def counts_on_storage(run: str, stages: Sequence[str], chunks: Iterable[str] | None = None) -> Callable[[], Counts]:
    """A reader of the ledger footers of these chunks, or of all shards there are; each is read once.

    A call reads no more than FOOTERS_AT_A_TIME, so that the look at the end of a job does not hold up the run; what is
    then left counts when the stage is closed.
    """
    wanted = None if chunks is None else frozenset(chunks)
    seen: dict[str, set[str]] = {stage: set() for stage in stages}
    totals: Counts = {stage: dict.fromkeys(STATES, 0) for stage in stages}

    def read() -> Counts:
        left = FOOTERS_AT_A_TIME
        for stage in stages:
            table = ledger_table(stage)
            there = (name for name in shard_names(run, table) if wanted is None or name in wanted)
            new = list(islice((name for name in there if name not in seen[stage]), left))
            for _, metadata in read_footers(run, table, new):
                _add(totals[stage], json.loads(metadata["counts"]))
            seen[stage].update(new)
            left -= len(new)
        return totals

    return read


def _add(totals: dict[str, int], counts: dict[str, int]) -> None:
    for code, n in counts.items():
        totals["kept" if code == "kept" else reason(code).state] += n


def follow(thread: Thread, title: str, total: int | None, read: Callable[[], Counts]) -> None:
    """Show the counts until the thread ends; the bar moves with the first stage's items."""
    console = Console(stderr=True)
    if console.is_terminal:
        _follow_live(thread, title, total, read, console)
    else:
        _follow_plain(thread, title, total, read)


def _follow_live(thread: Thread, title: str, total: int | None, read: Callable[[], Counts], console: Console) -> None:
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TextColumn("{task.completed:.0f}/{task.total:.0f}" if total else ""),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TextColumn("ETA"),
        TimeRemainingColumn(),
    )
    start = time.monotonic()
    task = bar.add_task(title, total=total, rate="")
    with Live(bar, console=console, refresh_per_second=1 / LIVE_SECONDS) as view:
        while True:
            alive = thread.is_alive()
            asked = time.monotonic()
            counts = read()
            pause = max(LIVE_SECONDS, EASE * (time.monotonic() - asked))
            done = _done(counts)
            rate = f"{done / max(time.monotonic() - start, 1e-9):.1f}/s"
            bar.update(task, completed=done, rate=rate)
            view.update(Group(bar, Text.from_markup("  " + describe(counts, markup=True))))
            interrupt.check()
            if not alive:
                return
            thread.join(pause)


def _follow_plain(thread: Thread, title: str, total: int | None, read: Callable[[], Counts]) -> None:
    start = time.monotonic()
    alive, pause = True, PLAIN_SECONDS
    while alive:
        thread.join(pause)
        interrupt.check()
        alive, asked = thread.is_alive(), time.monotonic()
        counts, now = read(), time.monotonic()
        pause, seconds = max(PLAIN_SECONDS, EASE * (now - asked)), now - start
        done = _done(counts)
        rate = done / max(seconds, 1e-9)
        ahead = f"{done}/{total} items" if total else f"{done} items"
        eta = f", about {(total - done) / rate:.0f} s left" if total and rate > 0 and alive else ""
        print(f"{title}: {ahead}, {rate:.1f}/s, {seconds:.0f} s{eta}; {describe(counts)}", file=sys.stderr, flush=True)


def _done(counts: Counts) -> int:
    return sum(next(iter(counts.values())).values()) if counts else 0


def describe(counts: Counts, markup: bool = False) -> str:
    """`download 12 kept 3 dropped 1 failed | bodies ...`, without the zeros."""
    colours = {"kept": "green", "dropped": "yellow", "failed": "red"}
    parts = []
    for stage, states in counts.items():
        shown = (f"[{colours[state]}]{n} {state}[/]" if markup else f"{n} {state}" for state, n in states.items() if n)
        text = " ".join(shown)
        if text:
            parts.append(f"{stage} {text}")
    return " | ".join(parts)
