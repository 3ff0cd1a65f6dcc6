"""Fan out and in within a stage: the parts of an item go their own ways and come together again.

A part is an item too: its order is that of the whole and its own number behind it, its share is that of the whole, so
that the shares of the parts add up to 1. So it is known, as for the items of a chunk, when all of them have arrived.

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

from transforms.tables.flow import Item

Branches = tuple[beam.PCollection, ...]


def branches(flow: Any) -> Branches:
    """What a transform gave, one PCollection or several, as a tuple."""
    return tuple(flow) if isinstance(flow, tuple | list) else (flow,)


def each(flow: Any, label: str, transform: beam.PTransform) -> Branches:
    """All branches behind the transform, which may branch again itself."""
    labels = (label if number == 1 else f"{label}, branch {number}" for number in range(1, len(branches(flow)) + 1))
    results = [some | name >> transform for some, name in zip(branches(flow), labels, strict=True)]
    return tuple(branch for result in results for branch in branches(result))


def part_of(whole: Item[Any], number: int, of: int, row: Any) -> Item[Any]:
    """The item of one of a whole's parts."""
    return Item(whole.chunk, (*whole.order, number), Fraction(1, of), row)


class HasItem(Protocol):
    """An element that knows its item, here that of a part."""

    @property
    def item(self) -> Item[Any]:
        """The item."""


def _whole(part: HasItem) -> str:
    """A name for the whole that the part belongs to."""
    return f"{part.item.chunk}/{'.'.join(map(str, part.item.order[:-1]))}"


def _in_order(parts: Iterable[HasItem]) -> list[HasItem]:
    return sorted(parts, key=lambda part: part.item.order)


@dataclass(slots=True)
class _Waiting:
    """The parts of a whole that have arrived, and the share of it that they make up."""

    parts: list[HasItem] = field(default_factory=list)
    share: Fraction = Fraction(0)

    def add(self, part: HasItem) -> bool:
        self.parts.append(part)
        self.share += part.item.share
        return self.share == 1


class _InBundle(beam.DoFn):
    """Part -> the list of a whole's parts, when all have arrived; at the end of the bundle the others, by whole."""

    TORN = "torn"

    def __init__(self) -> None:
        self._waiting: dict[str, _Waiting] = {}

    def start_bundle(self) -> None:
        self._waiting = {}

    @no_annotations
    def process(self, part: HasItem) -> Iterator[list[HasItem]]:
        whole = _whole(part)
        if self._waiting.setdefault(whole, _Waiting()).add(part):
            yield _in_order(self._waiting.pop(whole).parts)

    def finish_bundle(self) -> Iterator[Any]:
        for whole, waiting in self._waiting.items():
            torn = WindowedValue((whole, waiting.parts), MIN_TIMESTAMP, [GlobalWindow()])
            yield beam.pvalue.TaggedOutput(self.TORN, torn)


@no_annotations
def _behind_shuffle(gathered: tuple[str, Iterable[list[HasItem]]]) -> list[HasItem]:
    """The whole's parts, from all bundles; RuntimeError unless they are all there, once."""
    whole, lists = gathered
    parts = [part for some in lists for part in some]
    share = sum((part.item.share for part in parts), Fraction(0))
    if share != 1:
        raise RuntimeError(
            f"{float(share):.3f} of the parts of {whole} arrived; the runner lost or repeated some. "
            "Start the run again: it goes on from the committed shards."
        )
    return _in_order(parts)


class Gather(beam.PTransform):
    """Parts -> lists of all parts of a whole, in order, as two branches; slim parts, since torn ones are shuffled."""

    def expand(self, parts: beam.PCollection) -> Branches:
        """Only wholes that a runner tore apart pass the shuffle; mostly there are none."""
        arrived = parts | "Gather in bundle" >> beam.ParDo(_InBundle()).with_outputs(_InBundle.TORN, main="whole")
        torn = arrived[_InBundle.TORN] | "Gather torn" >> beam.GroupByKey() | "Join torn" >> beam.Map(_behind_shuffle)
        return arrived["whole"], torn
