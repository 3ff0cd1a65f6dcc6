"""What contradicts the identities: two faces of one picture in one of them."""

from dataclasses import dataclass

import numpy as np

from beam_pipelines.pages.document import Section
from beam_pipelines.pages.html import Html, element, join
from beam_pipelines.pages.identities import I64, face_ids
from beam_pipelines.pages.source import Source
from beam_pipelines.pages.table import table
from beam_pipelines.pages.thumbnails import pictures_of, row_of
from transforms.identity.columns import as_codes
from transforms.persons.pictures.crops import spread
from transforms.persons.pictures.lines import counted
from transforms.tables.shards import read_column

SHOWN = 12  # pictures
FACES = 4  # of one picture


@dataclass(frozen=True, slots=True, eq=False)
class Together:
    """Pictures with two faces or more of one identity: of all, how many, and the rows (of `identities`) of some."""

    pictures: int
    faces: int
    identities: int
    rows: list[I64]


def section(source: Source) -> Section | None:
    """How many there are, and some of them as pictures; None without identities."""
    if not source.has("identities", "identity", "image_id", "face_id"):
        return None
    found = together(source.run)
    if not found.pictures:
        words = "No identity has two faces of one picture or frame."
        return Section("evidence", "What contradicts the identities", element("p", words))
    ids = face_ids(source.run, np.concatenate(found.rows))
    pictures = pictures_of(source, set(ids.values()))
    shown = join(_picture([ids[row] for row in rows.tolist()], pictures) for rows in found.rows)
    words = (
        f"{counted(found.faces, 'face')} of {counted(found.identities, 'identity')} share a picture or frame with "
        f"another face of the same identity, in {counted(found.pictures, 'picture')}."
    )
    note = (
        "Two faces of one picture are two people, unless it is a collage, a mirror, a copy, or a face that was found "
        f"twice. Up to {SHOWN} pictures are shown."
    )
    return Section(
        "evidence",
        "What contradicts the identities",
        join([element("p", words), element("p", note, class_="note"), shown]),
    )


def together(run: str) -> Together:
    """Look for pictures that have several faces of one identity; about 100 bytes a face are in memory."""
    table_ = read_column(run, "identities", ["identity", "image_id"])
    identity, image = table_["identity"].fill_null(-1).to_numpy(), as_codes(table_["image_id"])
    row = np.flatnonzero(identity >= 0)
    row = row[np.lexsort((image[row], identity[row]))]
    same = (np.diff(identity[row]) == 0) & (np.diff(image[row]) == 0)
    group = np.concatenate([[0], np.cumsum(~same)]) if len(row) else np.zeros(0, np.int64)
    counts = np.bincount(group)
    several = np.flatnonzero(counts > 1)
    start = np.concatenate([[0], np.cumsum(counts)])
    rows = [row[start[one] : start[one + 1]][:FACES] for one in spread(several, SHOWN).tolist()]
    whose = np.unique(identity[row[start[:-1][several]]])
    return Together(len(several), int(counts[several].sum()), len(whose), rows)


def _picture(names: list[str], pictures: dict[str, Html]) -> Html:
    drawn = [(pictures[name], name) for name in names if name in pictures]
    return row_of(drawn) if drawn else table(("faces",), [(name,) for name in names], "Faces of one picture")
