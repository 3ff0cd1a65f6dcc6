"""Small pictures of a run's items inside the page: crops and images of its tables, or frames of its videos."""

import base64
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from beam_pipelines.pages.html import Html, element
from beam_pipelines.pages.source import Source
from model_handlers.interface import Array
from transforms.images.drawing import thumbnail
from transforms.tables.pointers import RowReader
from transforms.tables.reasons import Rejected
from transforms.tables.shards import read_shard, shard_names, shard_path
from transforms.videos.frame_cache import frame_pixels

SIDE = 88  # pixels: height of every picture
MOST_FRAMES = 60  # frames that are decoded for one page
_QUALITY = 75  # of JPEG: about 2 kB a face
_FILES = (("faces", "face_id", "crop"), ("bodies", "body_id", "crop"), ("images", "image_id", "image"))
_FRAMES = (  # table, key, columns that say which frame, and what of it
    ("detections", "face_id", ("media", "number", "box")),
    ("frames", "frame_id", ("media", "number")),
    ("shots", "shot_id", ("media", "first_frame")),
    ("videos", "video_id", ("media",)),
)
_AROUND = 0.3  # of a face's box, on each side
_ROWS_AT_ONCE = 1 << 16
Pictures = Mapping[str, Html]


def inline(picture: Array, words: str) -> Html:
    """A picture (H,W,3) BGR as an element that holds its own file; `words` are for who does not see it."""
    done, file = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not done:
        raise ValueError(f"a picture of shape {picture.shape} cannot be written as JPEG")
    uri = "data:image/jpeg;base64," + base64.b64encode(bytes(file)).decode()
    height, width = picture.shape[:2]
    return element("img", src=uri, alt=words, width=width, height=height, loading="lazy")


def pictures_of(source: Source, ids: Collection[str]) -> dict[str, Html]:
    """Pictures of items by their ids, whatever tables have them; those without pixels in the run are left out.

    Where faces are to be covered nothing is shown, since the tables and files hold what nobody may see.
    """
    if source.is_covered:
        return {}
    found: dict[str, Html] = {}
    for table, key, column in _FILES:
        if source.has(table, key, column):
            for name, row in _rows(source.run, table, key, (column,), set(ids) - set(found)):
                found[name] = inline(thumbnail(row[column], SIDE), name)
    for table, key, columns in _FRAMES:
        if source.has(table, key, *columns):
            left = sorted(set(ids) - set(found))[: MOST_FRAMES - len(found)]
            for name, row in _rows(source.run, table, key, columns, set(left)):
                if (picture := _frame(source.run, row)) is not None:
                    found[name] = inline(picture, name)
    return found


def _rows(
    run: str, table: str, key: str, columns: tuple[str, ...], ids: Collection[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The columns of the rows with these keys, in the order in which they stand; keys are read shard by shard."""
    if not ids:
        return
    wanted = pa.array(sorted(ids), pa.string())
    with RowReader(run, table, list(columns)) as reader:
        for name in shard_names(run, table):
            keys = read_shard(shard_path(run, table, name), [key])[key]
            rows = np.flatnonzero(pc.is_in(keys, value_set=wanted).to_numpy())
            for row in rows.tolist():
                yield keys[row].as_py(), reader.read(name, row)


def _frame(run: str, row: Mapping[str, Any]) -> Array | None:
    """The frame that a row points to, or the face in it; None if the file is gone or does not decode."""
    try:
        pixels = frame_pixels(run, row["media"], row.get("number", row.get("first_frame", 0)))
    except (Rejected, OSError, ValueError, IndexError):
        return None
    if "box" in row:
        pixels = _cut(pixels, row["box"])
    if not pixels.size:
        return None
    scale = min(SIDE / pixels.shape[0], 2 * SIDE / pixels.shape[1])
    size = max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale))
    return np.asarray(cv2.cvtColor(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2BGR))


def _cut(pixels: Array, box: list[float]) -> Array:
    left, top, right, bottom = box
    x, y = _AROUND * (right - left), _AROUND * (bottom - top)
    height, width = pixels.shape[:2]
    columns = slice(max(0, int(left - x)), min(width, int(right + x)))
    return pixels[max(0, int(top - y)) : min(height, int(bottom + y)), columns]


def row_of(pieces: Collection[tuple[Html, object]]) -> Html:
    """Pictures side by side, each with words below."""
    return element(
        "ul",
        *(
            element("li", element("figure", picture, element("figcaption", words) if words else ""))
            for picture, words in pieces
        ),
        class_="pictures",
    )
