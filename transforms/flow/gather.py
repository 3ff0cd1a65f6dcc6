"""Fan out and in within a stage: the pieces of an item go their own ways and come together again.

A piece is an item too: its order is that of the whole and its own number behind it, its share is that of the whole, so
that the shares of the pieces add up to 1. So it is known, as for the items of a chunk, when all of them have arrived.

The wholes that were put together in a bundle and those that a runner had torn apart come as two branches, each to go
through the same steps. Flattened into one, a runner that works step by step (Beam's local one) would do all chunks up
to this point before it went on with any, and nothing would be committed until then.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Protocol

import apache_beam as beam
from apache_beam.transforms.window import GlobalWindow
from apache_beam.typehints.decorators import no_annotations
from apache_beam.utils.timestamp import MIN_TIMESTAMP
from apache_beam.utils.windowed_value import WindowedValue

from transforms.flow.items import Item

Branches = tuple[beam.PCollection, ...]


def branches(flow: Any) -> Branches:
    """What a transform gave, one PCollection or several, as a tuple."""
    return tuple(flow) if isinstance(flow, tuple | list) else (flow,)


def each(flow: Any, label: str, transform: beam.PTransform) -> Branches:
    """All branches behind the transform, which may branch again itself."""
    labels = (label if number == 1 else f"{label}, branch {number}" for number in range(1, len(branches(flow)) + 1))
    results = [some | name >> transform for some, name in zip(branches(flow), labels, strict=True)]
    return tuple(branch for result in results for branch in branches(result))


def piece_of(whole: Item[Any], number: int, of: int, row: Any) -> Item[Any]:
    """The item of one of a whole's pieces."""
    return Item(whole.chunk, (*whole.order, number), Fraction(1, of), row)


class HasItem(Protocol):
    """An element that knows its item, here that of a piece."""

    @property
    def item(self) -> Item[Any]:
        """The item."""


def _whole(piece: HasItem) -> str:
    """A name for the whole that the piece belongs to."""
    return f"{piece.item.chunk}/{'.'.join(map(str, piece.item.order[:-1]))}"


def _in_order(pieces: Iterable[HasItem]) -> list[HasItem]:
    return sorted(pieces, key=lambda piece: piece.item.order)


@dataclass(slots=True)
class _Waiting:
    """The pieces of a whole that have arrived, and the share of it that they make up."""

    pieces: list[HasItem] = field(default_factory=list)
    share: Fraction = Fraction(0)

    def add(self, piece: HasItem) -> bool:
        self.pieces.append(piece)
        self.share += piece.item.share
        return self.share == 1


class InBundle(beam.DoFn):
    """Piece -> the list of a whole's pieces, when all have arrived; at the end of the bundle the others, by whole."""

    TORN = "torn"

    def __init__(self) -> None:
        self._waiting: dict[str, _Waiting] = {}

    def start_bundle(self) -> None:
        """Nothing waits yet."""
        self._waiting = {}

    @no_annotations
    def process(self, piece: HasItem) -> Iterator[list[HasItem]]:
        """Give the whole once its last piece is here."""
        whole = _whole(piece)
        if self._waiting.setdefault(whole, _Waiting()).add(piece):
            yield _in_order(self._waiting.pop(whole).pieces)

    def finish_bundle(self) -> Iterator[Any]:
        """Give what is incomplete, by whole."""
        for whole, waiting in self._waiting.items():
            torn = WindowedValue((whole, waiting.pieces), MIN_TIMESTAMP, [GlobalWindow()])
            yield beam.pvalue.TaggedOutput(self.TORN, torn)


@no_annotations
def behind_shuffle(gathered: tuple[str, Iterable[list[HasItem]]]) -> list[HasItem]:
    """The whole's pieces, from all bundles; RuntimeError unless they are all there, once."""
    whole, lists = gathered
    pieces = [piece for some in lists for piece in some]
    share = sum((piece.item.share for piece in pieces), Fraction(0))
    if share != 1:
        raise RuntimeError(
            f"{float(share):.3f} of the pieces of {whole} arrived; the runner lost or repeated some. "
            "Start the run again: it goes on from the committed shards."
        )
    return _in_order(pieces)


class Gather(beam.PTransform):
    """Pieces -> lists of all pieces of a whole, in order, as two branches; slim ones, since torn ones are shuffled."""

    def expand(self, pieces: beam.PCollection) -> Branches:
        """Only wholes that a runner tore apart pass the shuffle; mostly there are none."""
        arrived = pieces | "Gather in bundle" >> beam.ParDo(InBundle()).with_outputs(InBundle.TORN, main="whole")
        torn = arrived[InBundle.TORN] | "Gather torn" >> beam.GroupByKey() | "Join torn" >> beam.Map(behind_shuffle)
        return arrived["whole"], torn
