"""Steps that an item goes through in pieces: frames of a shot, one by one, so that models see each by itself.

Around each piece is a Visit, as around an item, so that a stage's steps and models need not know: the row of a piece's
item is the whole's Visit. What breaks in a piece ends that piece alone; what that means, the whole decides in the end.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import apache_beam as beam
from apache_beam.typehints.decorators import no_annotations

from transforms.flow.gather import Branches, Gather, each, piece_of
from transforms.flow.steps import Visit, apply
from transforms.tables.reasons import Rejected


def split(visit: Visit, into: Callable[[Any], Sequence[Any]]) -> Iterator[Visit]:
    """The pieces of a whole; one without a row if it has none or does not go on."""
    pieces = apply(visit, into)
    if not pieces.goes_on or not pieces.made:
        whole = visit if pieces.goes_on or not visit.goes_on else pieces
        yield Visit(piece_of(visit.item, 0, 1, None), whole)
        return
    for number, made in enumerate(pieces.made):
        yield Visit(piece_of(visit.item, number, len(pieces.made), visit), made)


@no_annotations
def join(pieces: list[Visit], use: Callable[[Any, list[Any]], Any]) -> Visit:
    """The whole again; `use` makes the most of what became of its pieces."""
    first = pieces[0]
    if first.item.row is None:
        return apply(first.made, lambda made: use(made, []))
    results = [piece.made if piece.ended is None else piece.ended for piece in pieces]
    return apply(first.item.row, lambda made: use(made, results))


def succeeded(results: Sequence[Any], max_failed_share: float) -> list[Any]:
    """What was made of the frames, say, that did not end; Rejected as the first that did, if more than that share did.

    It is so too if all of them did.
    """
    failed = [one for one in results if isinstance(one, Rejected)]
    if failed and (len(failed) > max_failed_share * len(results) or len(failed) == len(results)):
        raise Rejected(failed[0].code, f"{len(failed)} of {len(results)} frames; the first: {failed[0].detail}")
    return [one for one in results if not isinstance(one, Rejected)]


class InPieces(beam.PTransform):
    """Visit -> branches of Visit: each whole goes apart, its pieces go through `steps`, the whole comes together again.

    `into(made)` gives the pieces, what is made of each at first; `steps` is a transform Visit -> Visit, at whose end
    pieces are slim; `use(made, results)` makes of the whole and of its pieces, in order, what is made now: of a piece
    that ended there is its Rejected.
    """

    def __init__(
        self,
        into: Callable[[Any], Sequence[Any]],
        steps: beam.PTransform,
        use: Callable[[Any, list[Any]], Any],
    ) -> None:
        super().__init__()
        self._into, self._steps, self._use = into, steps, use

    def expand(self, visits: beam.PCollection) -> Branches:
        """Pixels are made and used up between split and gather."""
        gathered = visits | "Split" >> beam.FlatMap(split, self._into) | "Each" >> self._steps | Gather()
        return each(gathered, "Join", beam.Map(join, self._use))
