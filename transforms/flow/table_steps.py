"""What stages on whole tables are doing, told for whoever waits for them in the same process.

A stage tells of pieces that take seconds, such as blocks, files or videos: nothing is told for a row. In other
processes and on other machines nobody hears it.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from threading import Lock
from typing import TypeVar

Piece = TypeVar("Piece")


@dataclass(frozen=True, slots=True)
class Step:
    """What a stage does now, in words (`files written`), and how much of that is done; total is None if not known."""

    what: str
    done: int = 0
    total: int | None = None


STEPS: dict[str, Step] = {}  # of each stage its step now
_TELLING = Lock()  # Beam's local runner works in several threads


def forget(stages: Iterable[str]) -> None:
    """Whatever was told of these stages is over."""
    with _TELLING:
        for stage in stages:
            STEPS.pop(stage, None)


def begin(stage: str, what: str, total: int | None = None) -> None:
    """A stage begins a step."""
    with _TELLING:
        STEPS[stage] = Step(what, 0, total)


def advance(stage: str, pieces: int = 1) -> None:
    """So many more pieces of the stage's step are done; nothing, where its beginning was told in another process."""
    with _TELLING:
        if (step := STEPS.get(stage)) is not None:
            STEPS[stage] = replace(step, done=step.done + pieces)


def planned(
    stage: str, what: str, pieces: Iterable[Piece], count: Callable[[Piece], int] = lambda piece: 1
) -> Iterator[Piece]:
    """The pieces of a step, counted as they are planned; whoever does one then calls `advance`."""
    total = 0
    begin(stage, what, total)
    for piece in pieces:
        total += count(piece)
        begin(stage, what, total)
        yield piece
