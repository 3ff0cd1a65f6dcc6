"""The hardest pairs, as CSV and as a picture: different persons who are most alike, the same ones who are least."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from beam_pipelines.reports.contact_sheet import stack
from model_handlers.interface import Array
from transforms.evaluation.compared import Compared
from transforms.evaluation.verification import I64
from transforms.images.drawing import CELL, GAP, HEADER, paper, strip, thumbnail, write
from transforms.persons.pictures.crops import read_crops
from transforms.tables.csv_cells import csv_rows
from transforms.tables.files import commit_file
from transforms.tables.pointers import locate

LISTED, SHOWN = 100, 24  # of each kind, in the CSV and on the sheet
_A_ROW = 4  # pairs on the sheet
_NAME = 14  # characters of a name that have room above a picture
_WIDTH = 2 * CELL + 24  # pixels of a pair
_RED = (50, 50, 220)  # BGR


@dataclass(frozen=True, slots=True)
class HardPair:
    """Two items, their faces, how similar they are, whether they are the same person, and whether this was wrong."""

    items: tuple[str, str]
    face_ids: tuple[str, str]
    similarity: float
    same: bool
    wrong: bool


def hardest(compared: Compared, threshold: float) -> list[HardPair]:
    """The different pairs from the most similar one down, then the same ones from the least similar one up.

    At most LISTED of each; equal ones in the order of their names. `wrong`: the threshold decides otherwise.
    """
    rank = np.argsort(pc.sort_indices(compared.names).to_numpy())
    return [pair for same in (False, True) for pair in _hardest(compared, rank, same, threshold)]


def _hardest(compared: Compared, rank: I64, same: bool, threshold: float) -> list[HardPair]:
    own = np.flatnonzero(compared.same == same)
    similarity = compared.similarity[own].astype(np.float64)
    ends = np.sort(np.stack([rank[compared.first[own]], rank[compared.second[own]]]), axis=0)
    order = np.lexsort((ends[1], ends[0], similarity if same else -similarity))
    return [_hard_pair(compared, int(place), threshold) for place in own[order[:LISTED]]]


def _hard_pair(compared: Compared, place: int, threshold: float) -> HardPair:
    ends = int(compared.first[place]), int(compared.second[place])
    similarity, same = float(compared.similarity[place]), bool(compared.same[place])
    one, other = sorted((compared.names[end].as_py(), compared.face_ids[end].as_py()) for end in ends)
    return HardPair((one[0], other[0]), (one[1], other[1]), similarity, same, (similarity >= threshold) != same)


def write_list(path: str, pairs: Sequence[HardPair]) -> None:
    """Write the pairs as CSV."""
    with commit_file(path) as out:
        row = csv_rows(out)
        row(["kind", "similarity", "wrong", "first", "second", "first_face", "second_face"])
        for pair in pairs:
            kind, wrong = "same" if pair.same else "different", "yes" if pair.wrong else "no"
            row([kind, str(np.float32(pair.similarity)), wrong, *pair.items, *pair.face_ids])


def write_pictures(path: str, run: str, pairs: Sequence[HardPair]) -> None:
    """Write the faces of the first pairs of each kind side by side, with their similarity."""
    kinds = [[pair for pair in pairs if pair.same == same][:SHOWN] for same in (False, True)]
    crops = _crops(run, sorted({face for some in kinds for pair in some for face in pair.face_ids}))
    rows: list[Array] = []
    for words, some in zip(("different persons, most alike", "the same person, least alike"), kinds, strict=True):
        cells = [_cell(pair, crops) for pair in some]
        rows.append(_heading(words))
        rows += [np.hstack(cells[start : start + _A_ROW]) for start in range(0, len(cells), _A_ROW)]
    stack(rows, "no pair was compared", path)


def _crops(run: str, face_ids: list[str]) -> dict[str, bytes]:
    """The crop of each face, read by pointer: those of a whole run need not fit into memory."""
    at = locate(run, "faces", "face_id", pa.array(face_ids, pa.string()))
    return {face_ids[place]: crop for place, crop in read_crops(run, at, np.arange(len(face_ids)))}


def _cell(pair: HardPair, crops: dict[str, bytes]) -> Array:
    """Both faces under their names, in a cell of one width for all pairs; red around a pair that is decided wrongly."""
    names = " | ".join(_short(name) for name in pair.items)
    row = strip(f"{pair.similarity:.3f}  {names}", [thumbnail(crops[face]) for face in pair.face_ids])
    cell = paper(len(row), _WIDTH)
    cell[:, : row.shape[1]] = row[:, :_WIDTH]
    if pair.wrong:
        cv2.rectangle(cell, (1, HEADER - 2), (_WIDTH - 8, len(cell) - 2), _RED, 2)
    return cell


def _short(name: str) -> str:
    """The end of an item's name without its folder and extension, as far as there is room for it."""
    own = name.rstrip("/").rpartition("/")[2].rpartition(".")
    return (own[0] or own[2])[-_NAME:]


def _heading(words: str) -> Array:
    row = paper(34, _A_ROW * _WIDTH)
    write(row, words, (GAP, 23), 0.6)
    return row
