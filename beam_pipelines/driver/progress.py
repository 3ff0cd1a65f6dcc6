"""Progress of a running job: a live bar on a terminal, a line that changes in a notebook, plain lines elsewhere.

Counts come from this process when the runner works in it, and else from the ledger shards that have been committed:
true on every runner, a chunk at a time.
"""

import sys
import time
from collections.abc import Callable, Sequence
from threading import Thread

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

from beam_pipelines.driver import interrupt
from beam_pipelines.driver.committed import Committed
from transforms.flow.commit import SEEN
from transforms.tables.ledger import Tally
from transforms.tables.reasons import STATES

PLAIN_SECONDS = 10.0
LIVE_SECONDS = 0.25
NOTEBOOK_SECONDS = 1.0
BAR_WIDTH = 24  # characters
CHECK_SECONDS = 1.0
EASE = 4  # a look at the counts is followed by a pause of at least so many times as long: on storage a look costs

Counts = dict[str, dict[str, int]]  # stage -> state -> items


def counts_in_process(stages: Sequence[str]) -> Callable[[], Counts]:
    """A reader of this process's own counters, from zero."""
    start = {(stage, state): SEEN[stage, state] for stage in stages for state in STATES}
    return lambda: {stage: {state: SEEN[stage, state] - start[stage, state] for state in STATES} for stage in stages}


def counts_on_storage(committed: Committed) -> Callable[[], Counts]:
    """A reader of what is committed; it looks at every call."""

    def read() -> Counts:
        committed.look()
        tallies = {stage: Tally(dict(reasons), 0) for stage, reasons in committed.reasons.items()}
        return {stage: {state: counts.count(state) for state in STATES} for stage, counts in tallies.items()}

    return read


def follow(
    thread: Thread,
    title: str,
    total: int | None,
    read: Callable[[], Counts],
    check: Callable[[], None] = interrupt.check,
) -> None:
    """Show the counts until the thread ends; the bar moves with the first stage's items.

    `check` is called every second, and whatever it raises ends this.
    """
    console = Console(stderr=True)
    if console.is_terminal:
        _follow_live(thread, title, total, read, check, console)
    elif console.is_jupyter:
        _follow_lines(thread, title, total, read, check, NOTEBOOK_SECONDS, notebook_line())
    else:
        _follow_lines(thread, title, total, read, check, PLAIN_SECONDS, _print)


def _follow_live(
    thread: Thread,
    title: str,
    total: int | None,
    read: Callable[[], Counts],
    check: Callable[[], None],
    console: Console,
) -> None:
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=BAR_WIDTH),
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
            check()
            if not alive:
                return
            _wait(thread, pause, check)


def _wait(thread: Thread, seconds: float, check: Callable[[], None]) -> None:
    """Until the thread ends, at most so long; a check every second."""
    end = time.monotonic() + seconds
    while True:
        thread.join(max(0.0, min(CHECK_SECONDS, end - time.monotonic())))
        check()
        if time.monotonic() >= end or not thread.is_alive():
            return


def _follow_lines(
    thread: Thread,
    title: str,
    total: int | None,
    read: Callable[[], Counts],
    check: Callable[[], None],
    every: float,
    say: Callable[[str, float], None],
) -> None:
    """A line every so many seconds, and one at the end; `say` gets it with the share that is done."""
    start = time.monotonic()
    alive, pause = True, every
    while alive:
        _wait(thread, pause, check)
        alive, asked = thread.is_alive(), time.monotonic()
        counts, now = read(), time.monotonic()
        pause, seconds = max(every, EASE * (now - asked)), now - start
        done = _done(counts)
        rate = done / max(seconds, 1e-9)
        ahead = f"{done}/{total} items" if total else f"{done} items"
        eta = f", about {(total - done) / rate:.0f} s left" if total and rate > 0 and alive else ""
        share = min(1.0, done / total) if total else float(not alive)
        say(f"{title}: {ahead}, {rate:.1f}/s, {seconds:.0f} s{eta}; {describe(counts)}", share)


def _print(line: str, _share: float) -> None:
    print(line, file=sys.stderr, flush=True)


def notebook_line() -> Callable[[str, float], None]:
    """What shows a bar and a line below the cell of a notebook, each in place of the one before."""
    from IPython.display import display  # it is there: this is a notebook

    handle = display({"text/plain": ""}, raw=True, display_id=True)

    def say(line: str, share: float) -> None:
        bar = "━" * round(share * BAR_WIDTH)
        handle.update({"text/plain": f"{bar:╌<{BAR_WIDTH}} {line}"}, raw=True)

    return say


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
