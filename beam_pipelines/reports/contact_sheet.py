"""A picture of a run's identities: a row for each, with its faces and, where there are, its bodies."""

import os
from collections.abc import Iterator

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from beam_pipelines.errors import ConfigError
from model_handlers.interface import Array
from transforms.tables.files import commit_file
from transforms.tables.shards import iter_tables, read_column, shard_names

CELL = 120  # pixels: height of every picture on the sheet
MAX_IDENTITIES = 24
MAX_FACES = 6
_ENCODING: dict[str, list[int]] = {  # by the file's extension, OpenCV's options
    ".png": [],
    ".jpg": [cv2.IMWRITE_JPEG_QUALITY, 92],
    ".jpeg": [cv2.IMWRITE_JPEG_QUALITY, 92],
    ".webp": [cv2.IMWRITE_WEBP_QUALITY, 92],
}
_GAP, _HEADER = 6, 22
_INK, _PAPER, _UNREADABLE = (40, 40, 40), 250, 170
_LETTERS = 0.42  # size of a title, in OpenCV's unit


def chosen(run: str) -> dict[int, list[tuple[str, str | None]]]:
    """The identities to show, most images first: number -> (face_id, body_id or None), from near its centre to far."""
    table = read_column(run, "identities", ["identity", "face_id", "body_id", "similarity"])
    table = table.filter(pc.is_valid(table["identity"]))
    counts = table.group_by("identity").aggregate([("face_id", "count")])
    counts = counts.sort_by([("face_id_count", "descending"), ("identity", "ascending")])
    members: dict[int, list[tuple[str, str | None]]] = {}
    for number in counts["identity"].slice(0, MAX_IDENTITIES).to_pylist():
        own = table.filter(pc.equal(table["identity"], number))
        own = own.sort_by([("similarity", "descending"), ("face_id", "ascending")])
        own = own.take(np.unique(np.linspace(0, len(own) - 1, MAX_FACES).astype(np.int64)))
        members[number] = list(zip(own["face_id"].to_pylist(), own["body_id"].to_pylist(), strict=True))
    return members


def crops(run: str, table: str, key: str, wanted: set[str | None]) -> dict[str | None, bytes]:
    """The crops of these rows; a face without a body asks for None."""
    found: dict[str | None, bytes] = {}
    values = pa.array(sorted(filter(None, wanted)), pa.string())
    if not len(values):
        return found
    for shard in iter_tables(run, table, [key, "crop"]):
        hits = shard.filter(pc.is_in(shard[key], value_set=values))
        found.update(zip(hits[key].to_pylist(), hits["crop"].to_pylist(), strict=True))
    return found


def picture(data: bytes) -> Array:
    """Decode and scale to the height of a cell, at most 1.5 cells wide; a grey cell for what cannot be decoded."""
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    if image is None:
        return np.full((CELL, CELL, 3), _UNREADABLE, np.uint8)
    scale = min(CELL / image.shape[0], 1.5 * CELL / image.shape[1])
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)  # type: ignore[no-any-return]


def _rows(run: str, members: dict[int, list[tuple[str, str | None]]]) -> Iterator[Array]:
    """One strip of pictures for each identity, as wide as it needs."""
    faces = crops(run, "faces", "face_id", {face for some in members.values() for face, _ in some})
    bodies = crops(run, "bodies", "body_id", {body for some in members.values() for _, body in some})
    for number, some in members.items():
        shown = [faces[face] for face, _ in some] + [bodies[body] for _, body in some if body is not None]
        yield strip(f"{number}: {some[0][0]} ...", [picture(crop) for crop in shown])


def strip(title: str, pictures: list[Array]) -> Array:
    """Pictures (CELL,W,3) BGR side by side under a title; as wide as either needs."""
    (words, _), _ = cv2.getTextSize(title, cv2.FONT_HERSHEY_SIMPLEX, _LETTERS, 1)
    width = max(sum(p.shape[1] + _GAP for p in pictures), words + _GAP) + _GAP
    row = np.full((CELL + _HEADER + _GAP, width, 3), _PAPER, np.uint8)
    cv2.putText(row, title, (_GAP, 15), cv2.FONT_HERSHEY_SIMPLEX, _LETTERS, _INK, 1, cv2.LINE_AA)
    x = _GAP
    for picture in pictures:
        height, width = picture.shape[:2]
        row[_HEADER : _HEADER + height, x : x + width] = picture
        x += width + _GAP
    return row


def check_picture(path: str) -> str:
    """The extension of a picture's file in small letters; ConfigError if it is of no format that is written."""
    extension = os.path.splitext(path)[1].lower()
    if extension not in _ENCODING:
        raise ConfigError(f"--sheet {path}: the file's name must end in one of {', '.join(_ENCODING)}.")
    return extension


def stack(strips: list[Array], nothing: str, path: str) -> int:
    """Write the strips below one another as the extension says, or the sentence if there are none; returns how many."""
    rows = strips
    if not rows:
        rows = [np.full((CELL, 4 * CELL, 3), _PAPER, np.uint8)]
        cv2.putText(rows[0], nothing, (_GAP, CELL // 2), cv2.FONT_HERSHEY_SIMPLEX, 0.6, _INK, 1)
    width = max(row.shape[1] for row in rows)
    rows = [np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0)), constant_values=_PAPER) for row in rows]
    extension = check_picture(path)
    ok, data = cv2.imencode(extension, np.vstack(rows), _ENCODING[extension])
    if not ok:
        raise RuntimeError(f"{path}: the picture cannot be encoded as {extension}.")
    with commit_file(path) as out:
        out.write(data.tobytes())
    return len(strips)


def write_contact_sheet(run: str, path: str) -> int:
    """Write the sheet; returns the number of identities on it. ConfigError if the run has no identities yet."""
    if not shard_names(run, "identities"):
        raise ConfigError(f"{run}: the run has no identities yet; run it to the stage identity first.")
    return stack(list(_rows(run, chosen(run))), "no identity was kept", path)
