"""Progress of a running job: a live bar on a terminal, a plain line now and then elsewhere.

Counts come from this process when the runner works in it, and else from the ledger shards that have been committed:
true on every runner, a chunk at a time.
"""

import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from threading import Thread

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

from transforms.tables.commit import SEEN
from transforms.tables.ledger import ledger_table
from transforms.tables.reasons import STATES, reason
from transforms.tables.shards import read_footer, shard_names, shard_path

PLAIN_SECONDS = 10.0
_LIVE_SECONDS = 0.25

Counts = dict[str, dict[str, int]]  # stage -> state -> items


def counts_in_process(stages: Sequence[str]) -> Callable[[], Counts]:
    """A reader of this process's own counters, from zero."""
    start = {(stage, state): SEEN[stage, state] for stage in stages for state in STATES}
    return lambda: {stage: {state: SEEN[stage, state] - start[stage, state] for state in STATES} for stage in stages}


def counts_on_storage(run: str, stages: Sequence[str], chunks: Iterable[str] | None = None) -> Callable[[], Counts]:
    """A reader of the ledger footers of these chunks, or of all shards there are; each is read once."""
    wanted = None if chunks is None else frozenset(chunks)
    seen: set[tuple[str, str]] = set()
    totals: Counts = {stage: dict.fromkeys(STATES, 0) for stage in stages}

    def read() -> Counts:
        for stage in stages:
            for name in shard_names(run, ledger_table(stage)):
                if (stage, name) not in seen and (wanted is None or name in wanted):
                    seen.add((stage, name))
                    _add_footer(totals[stage], shard_path(run, ledger_table(stage), name))
        return totals

    return read


def _add_footer(totals: dict[str, int], path: str) -> None:
    for code, n in json.loads(read_footer(path)[1]["counts"]).items():
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
    with Live(bar, console=console, refresh_per_second=1 / _LIVE_SECONDS) as view:
        while True:
            alive = thread.is_alive()
            asked = time.monotonic()
            counts = read()
            pause = max(_LIVE_SECONDS, 9 * (time.monotonic() - asked))  # listings cost
            done = _done(counts)
            rate = f"{done / max(time.monotonic() - start, 1e-9):.1f}/s"
            bar.update(task, completed=done, rate=rate)
            view.update(Group(bar, Text.from_markup("  " + describe(counts, markup=True))))
            if not alive:
                return
            thread.join(pause)


def _follow_plain(thread: Thread, title: str, total: int | None, read: Callable[[], Counts]) -> None:
    start = time.monotonic()
    alive = True
    while alive:
        thread.join(PLAIN_SECONDS)
        alive = thread.is_alive()
        counts, seconds = read(), time.monotonic() - start
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
