"""Pairs of items as pairs of faces: which can be compared, how similar these are, and why the others cannot."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.evaluation.item_vectors import REASONS, ItemVectors, item_vectors
from transforms.evaluation.pairs import Pairs
from transforms.evaluation.verification import I64, Bools
from transforms.identity.columns import as_codes
from transforms.identity.knn import F32, pair_similarity

BAD_ROW, ONE_FACE, CONTRADICTORY, REPEATED = "bad_row", "one_face", "contradictory", "repeated"
MEANINGS = {
    BAD_ROW: "rows that name no two items, or do not say whether they are the same person",
    "not_in_run": "pairs with an item that the run does not know",
    "ambiguous": "pairs with a name that several items of the run have",
    "no_face": "pairs with an item in which the run has no face",
    "no_vector": "pairs with a face that the run has no embedding of",
    "unusable_vector": "pairs with an embedding that has no direction",
    ONE_FACE: "pairs of a face with itself",
    CONTRADICTORY: "pairs that are listed both as the same person and as different ones",
    REPEATED: "pairs that an earlier row has too",
}


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """The M pairs that can be compared. first, second (M,): places of their items in `names` and `face_ids` (K,).

    same (M,): whether they are one person; similarity (M,): cosines; left_out: reason -> number of pairs.
    """

    names: pa.Array
    face_ids: pa.Array
    first: I64
    second: I64
    same: Bools
    similarity: F32
    left_out: dict[str, int]


def compare(run: str, pairs: Pairs) -> Compared:
    """Look the items of pairs up in a run and compare their vectors.

    Of the reasons why a pair is left out the first counts, in the order of MEANINGS. ValueError if the run's vectors
    cannot be compared.
    """
    items = item_vectors(run, pairs.names)
    place, left_out = _usable(pairs, items)
    first, second = pairs.first[place], pairs.second[place]
    similarity = pair_similarity(items.unit, first, second)
    left_out = {BAD_ROW: pairs.bad_rows, **left_out}
    return Compared(pairs.names, items.face_id, first, second, pairs.same[place], similarity, left_out)


def _usable(pairs: Pairs, items: ItemVectors) -> tuple[I64, dict[str, int]]:
    """The places of the pairs that can be compared, in their order, and how many others there are for each reason."""
    place = np.arange(len(pairs))
    left_out = {}
    for state, reason in REASONS.items():
        lacks = (items.state[pairs.first[place]] == state) | (items.state[pairs.second[place]] == state)
        place, left_out[reason] = place[~lacks], int(lacks.sum())
    face = as_codes(pa.chunked_array([items.face_id]))
    ends = np.sort(np.stack([face[pairs.first[place]], face[pairs.second[place]]]), axis=0)
    alone = ends[0] == ends[1]
    place, left_out[ONE_FACE] = place[~alone], int(alone.sum())
    contradictory, repeated = _told_before(ends[0, ~alone] * len(face) + ends[1, ~alone], pairs.same[place])
    left_out |= {CONTRADICTORY: int(contradictory.sum()), REPEATED: int(repeated.sum())}
    return place[~contradictory & ~repeated], left_out


def _told_before(pair: I64, same: Bools) -> tuple[Bools, npt.NDArray[np.bool_]]:
    """Which rows are of a pair (M,), a number for each, that is listed as both kinds; which others repeat a pair."""
    _, first, kind = np.unique(pair, return_index=True, return_inverse=True)
    counts = np.bincount(kind), np.bincount(kind, weights=same)
    contradictory = (counts[1] > 0) & (counts[1] < counts[0])
    repeated = np.ones(len(pair), bool)
    repeated[first] = False
    return contradictory[kind], repeated & ~contradictory[kind]
