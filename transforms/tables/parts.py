"""Steps that an item goes through in parts: frames of a shot, one by one, so that models see each by itself.

Around each part is Work, as around an item, so that a stage's steps and models need not know: the row of a part's item
is the whole's Work. What breaks in a part ends that part alone; what that means, the whole decides in the end.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.typehints.decorators import no_annotations

from transforms.tables.gather import Branches, Gather, each, part_of
from transforms.tables.steps import Work, apply


def split(work: Work, into: Callable[[Any], Sequence[Any]]) -> Iterator[Work]:
    """The parts of a whole; one without a row if it has none or does not go on."""
    parts = apply(work, into)
    if not parts.goes_on or not parts.made:
        whole = work if parts.goes_on or not work.goes_on else parts
        yield Work(part_of(work.item, 0, 1, None), whole)
        return
    for number, made in enumerate(parts.made):
        yield Work(part_of(work.item, number, len(parts.made), work), made)


@no_annotations
def join(parts: list[Work], use: Callable[[Any, list[Any]], Any]) -> Work:
    """The whole again; `use` makes the most of what became of its parts."""
    first = parts[0]
    if first.item.row is None:
        return apply(first.made, lambda made: use(made, []))
    results = [part.made if part.ended is None else part.ended for part in parts]
    return apply(first.item.row, lambda made: use(made, results))


class InParts(beam.PTransform):
    """Work -> branches of Work: each whole goes apart, its parts go through `steps`, the whole comes together again.

    `into(made)` gives the parts, what is made of each at first; `steps` is a transform Work -> Work, at whose end parts
    are slim; `use(made, results)` makes of the whole and of its parts, in order, what is made now: of a part that ended
    there is its Rejected.
    """

    def __init__(
        self,
        into: Callable[[Any], Sequence[Any]],
        steps: beam.PTransform,
        use: Callable[[Any, list[Any]], Any],
    ) -> None:
        super().__init__()
        self._into, self._steps, self._use = into, steps, use

    def expand(self, works: beam.PCollection) -> Branches:
        """Pixels are made and used up between split and gather."""
        gathered = works | "Split" >> beam.FlatMap(split, self._into) | "Each" >> self._steps | Gather()
        return each(gathered, "Join", beam.Map(join, self._use))
