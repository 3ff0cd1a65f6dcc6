"""Progress of a running job: a live bar on a terminal, a line that changes in a notebook, plain lines elsewhere.

Counts come from this process when the runner works in it, and else from the ledger shards that have been committed:
true on every runner, a chunk at a time.
"""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Thread

from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

from beam_pipelines.driver import interrupt
from beam_pipelines.driver.committed import Committed
from transforms.flow.commit import SEEN
from transforms.flow.table_steps import STEPS, Step
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


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown of a job at one look: so many pieces done of all, if that is known, and a text with rich's markup.

    `step` says what the pieces are; where it changes, rate and time left begin anew.
    """

    done: int
    total: int | None
    unit: str
    text: str
    step: str = ""

    def ahead(self) -> str:
        """`3/12 items`."""
        return (f"{self.done}/{self.total}" if self.total else f"{self.done}") + self.unit


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

    def look() -> Shown:
        counts = read()
        return Shown(_done(counts), total, " items", describe(counts, markup=True))

    _follow(thread, title, look, check)


def follow_tables(
    thread: Thread,
    title: str,
    stages: Sequence[str],
    read: Callable[[], Counts],
    check: Callable[[], None] = interrupt.check,
) -> None:
    """Show what stages on whole tables tell of their steps in this process, and at the end their counts.

    The bar moves with the first stage's step. On the way counts would be those of an earlier state of the run, where
    there was one; they are shown where nothing is told of steps, since the work is done elsewhere.
    """

    def look() -> Shown:
        steps = {stage: STEPS[stage] for stage in stages if stage in STEPS} if thread.is_alive() else {}
        if not steps:
            return Shown(0, None, "", describe(read(), markup=True), step="counts")
        stage, first = next(iter(steps.items()))
        text = " | ".join(f"{name}: {escape(_step(step))}" for name, step in steps.items())
        return Shown(first.done, first.total, "", text, step=f"{stage} {first.what}")

    _follow(thread, title, look, check)


def _step(step: Step) -> str:
    return f"{step.done}/{step.total} {step.what}" if step.total else step.what


def _follow(thread: Thread, title: str, look: Callable[[], Shown], check: Callable[[], None]) -> None:
    console = Console(stderr=True)
    if console.is_terminal:
        _follow_live(thread, title, look, check, console)
    elif console.is_jupyter:
        _follow_lines(thread, title, look, check, NOTEBOOK_SECONDS, notebook_line())
    else:
        _follow_lines(thread, title, look, check, PLAIN_SECONDS, _print)


def _follow_live(
    thread: Thread, title: str, look: Callable[[], Shown], check: Callable[[], None], console: Console
) -> None:
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=BAR_WIDTH),
        TextColumn("{task.fields[ahead]}"),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TextColumn("ETA"),
        TimeRemainingColumn(),
    )
    start, step = time.monotonic(), ""
    task = bar.add_task(title, total=None, rate="", ahead="")
    with Live(bar, console=console, refresh_per_second=1 / LIVE_SECONDS) as view:
        while True:
            alive = thread.is_alive()
            asked = time.monotonic()
            shown = look()
            pause = max(LIVE_SECONDS, EASE * (time.monotonic() - asked))
            if shown.step != step:
                start, step = asked, shown.step
                bar.reset(task)
            rate = f"{shown.done / max(time.monotonic() - start, 1e-9):.1f}/s" if shown.done else ""
            ahead = f"{shown.done}/{shown.total}" if shown.total else ""
            bar.update(task, completed=shown.done, total=shown.total, rate=rate, ahead=ahead)
            view.update(Group(bar, Text.from_markup("  " + shown.text)))
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
    look: Callable[[], Shown],
    check: Callable[[], None],
    every: float,
    say: Callable[[str, float], None],
) -> None:
    """A line every so many seconds, and one at the end; `say` gets it with the share that is done."""
    start = step_start = previous = time.monotonic()
    alive, pause, step = True, every, ""
    while alive:
        _wait(thread, pause, check)
        alive, asked = thread.is_alive(), time.monotonic()
        shown, now = look(), time.monotonic()
        pause, seconds = max(every, EASE * (now - asked)), now - start
        if shown.step != step:
            step_start, step = previous, shown.step
        previous = now
        rate = shown.done / max(now - step_start, 1e-9)
        ahead = f"{shown.ahead()}, {rate:.1f}/s, " if shown.unit or shown.total else ""
        left = shown.total is not None and rate > 0 and alive
        eta = f", about {((shown.total or 0) - shown.done) / rate:.0f} s left" if left and shown.total else ""
        share = min(1.0, shown.done / shown.total) if shown.total else float(not alive)
        text = Text.from_markup(shown.text).plain
        say(f"{title}: {ahead}{seconds:.0f} s{eta}" + (f"; {text}" if text else ""), share)


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
