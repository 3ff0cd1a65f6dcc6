"""A picture of a run's identities: a row for each, with its faces and, where there are, its bodies."""

import os
from collections.abc import Iterator

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from beam_pipelines.errors import ConfigError
from model_handlers.interface import Array
from transforms.images.drawing import CELL, GAP, below, paper, strip, thumbnail, write
from transforms.tables.files import commit_file
from transforms.tables.shards import iter_tables, read_column, shard_names

__all__ = ["CELL", "check_picture", "crops", "stack", "strip", "write_contact_sheet"]

MAX_IDENTITIES = 24
MAX_FACES = 6
_ENCODING: dict[str, list[int]] = {  # by the file's extension, OpenCV's options
    ".png": [],
    ".jpg": [cv2.IMWRITE_JPEG_QUALITY, 92],
    ".jpeg": [cv2.IMWRITE_JPEG_QUALITY, 92],
    ".webp": [cv2.IMWRITE_WEBP_QUALITY, 92],
}


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


def _rows(run: str, members: dict[int, list[tuple[str, str | None]]]) -> Iterator[Array]:
    """One strip of pictures for each identity, as wide as it needs."""
    faces = crops(run, "faces", "face_id", {face for some in members.values() for face, _ in some})
    bodies = crops(run, "bodies", "body_id", {body for some in members.values() for _, body in some})
    for number, some in members.items():
        shown = [faces[face] for face, _ in some] + [bodies[body] for _, body in some if body is not None]
        yield strip(f"{number}: {some[0][0]} ...", [thumbnail(crop) for crop in shown])


def check_picture(path: str, option: str = "--sheet") -> str:
    """The extension of a picture's file in small letters; ConfigError if it is of no format that is written.

    `option` is what the name was given as.
    """
    extension = os.path.splitext(path)[1].lower()
    if extension not in _ENCODING:
        raise ConfigError(f"{option} {path}: the file's name must end in one of {', '.join(_ENCODING)}.")
    return extension


def stack(strips: list[Array], nothing: str, path: str) -> int:
    """Write the strips below one another as the extension says, or the sentence if there are none; returns how many."""
    rows = strips
    if not rows:
        rows = [paper(CELL, 4 * CELL)]
        write(rows[0], nothing, (GAP, CELL // 2), 0.6)
    extension = check_picture(path)
    ok, data = cv2.imencode(extension, below(rows), _ENCODING[extension])
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
