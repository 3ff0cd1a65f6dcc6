"""Items on their way through a job, and what became of them.

A job's element is one item of a chunk. It carries its share of the chunk: the shares of all that a chunk turns into add
up to 1 at every stage, so a writer knows without any count or barrier when it has seen a whole chunk, in whatever order
and from however many branches the items arrive (termination detection by weights, S. T. Huang 1989).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Generic, TypeVar

from transforms.tables.reasons import Rejected
from transforms.tables.verdicts import Verdict, verdict

In = TypeVar("In")
Out = TypeVar("Out")


@dataclass(frozen=True, slots=True)
class Item(Generic[In]):
    """One row entering a stage; `row` is None for what ended in an earlier stage and only carries its share on."""

    chunk: str
    order: tuple[int, ...]  # place in the chunk; shards are sorted by it
    share: Fraction
    row: In | None


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Out]):
    """What a stage made of one item: the verdict (None if the item never entered) and the rows it became."""

    chunk: str
    order: tuple[int, ...]
    share: Fraction
    verdict: Verdict | None
    rows: tuple[Out, ...] = ()


def kept(item: Item[In], item_id: str, rows: tuple[Out, ...]) -> Outcome[Out]:
    """The item became these rows (at least one)."""
    return Outcome(item.chunk, item.order, item.share, Verdict(item_id, "kept"), rows)


def rejected(item: Item[In], item_id: str, why: Rejected) -> Outcome[Out]:
    """The item goes no further, for the reason given."""
    return Outcome(item.chunk, item.order, item.share, verdict(item_id, why.code, why.detail))


def passed(item: Item[In]) -> Outcome[Out]:
    """The item ended in an earlier stage; only its share travels on."""
    return Outcome(item.chunk, item.order, item.share, None)


def expand(outcome: Outcome[Out]) -> Iterator[Item[Out]]:
    """The items that the next stage gets from this outcome: one for each row, or one empty bearer of the share."""
    if not outcome.rows:
        yield Item(outcome.chunk, outcome.order, outcome.share, None)
        return
    share = outcome.share / len(outcome.rows)
    for i, row in enumerate(outcome.rows):
        yield Item(outcome.chunk, (*outcome.order, i), share, row)
