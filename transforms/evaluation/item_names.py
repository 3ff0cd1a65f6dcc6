"""What a user's names mean in a run: an image or video of its manifest, a sampled frame, or a face."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.tables.item_ids import safe_id
from transforms.tables.lookup import rows_of
from transforms.tables.shards import column_names, iter_tables

I64 = npt.NDArray[np.int64]
I8 = npt.NDArray[np.int8]

UNKNOWN, SEVERAL, ITEM, FRAME, FACE = range(5)
MAX_DEPTH = 16  # components of a path that are compared
_PLAIN = r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$"


@dataclass(frozen=True, slots=True, eq=False)
class Meaning:
    """What each of N names means.

    kind (N,): UNKNOWN to the run, SEVERAL things at once, an ITEM of the manifest (image or video), a sampled FRAME of
    a video, or a FACE; id (N,): its id in the run's tables, null for the first two.
    """

    kind: I8
    id: pa.Array


def item_column(run: str) -> str:
    """What the run calls the items of its manifest: `image_id` or `video_id`."""
    return "video_id" if "video_id" in column_names(run, "manifest") else "image_id"


def meaning_of(run: str, names: pa.Array) -> Meaning:
    """What names (N,) mean, text without a name twice.

    Asked in this order, until one way knows the name: ids of items, frames and faces; the URL of an item; the id of the
    user's list where the run had to spell it otherwise; the end of the path of an item's URL, by as many components as
    the name has: the file's name alone, or `folder/name`. What means several things in one way is SEVERAL.
    """
    item = item_column(run)
    found = Meaning(np.full(len(names), UNKNOWN, np.int8), pa.nulls(len(names), pa.large_string()))
    found = _ask(found, names, ITEM, _keys(run, "manifest", item, item))
    if "frame_id" in column_names(run, "frames"):
        found = _ask(found, names, FRAME, _keys(run, "frames", "frame_id", "frame_id"))
    for table in ("detections", "faces"):
        if "face_id" in column_names(run, table):
            found = _ask(found, names, FACE, _keys(run, table, "face_id", "face_id"))
    found = _ask(found, names, ITEM, _keys(run, "manifest", "url", item))
    found = _ask(found, _as_ids(names, found.kind), ITEM, _keys(run, "manifest", item, item))
    depth = pc.add(pc.count_substring(names, "/"), 1).to_numpy(zero_copy_only=False)
    for count in range(1, MAX_DEPTH + 1):
        unknown = pa.array(found.kind == UNKNOWN)
        if pc.any(pc.and_(unknown, pa.array(depth == count))).as_py():
            asked = pc.if_else(pa.array(depth == count), names, None)
            found = _ask(found, asked, ITEM, _path_ends(_keys(run, "manifest", "url", item), count))
    return found


def _keys(run: str, table: str, key: str, id_: str) -> Iterator[pa.Table]:
    """The columns `key` and `id` of a table, shard by shard."""
    for part in iter_tables(run, table, list(dict.fromkeys([key, id_]))):
        text = [part[name].cast(pa.large_string()) for name in (key, id_)]
        yield pa.table(text, names=["key", "id"])


def _path_ends(parts: Iterator[pa.Table], count: int) -> Iterator[pa.Table]:
    """The same, with the last components of the URL as keys, also as they read without %-escapes."""
    end = rf"(?P<end>(?:[^/]+/){{{count - 1}}}[^/]+)/*$"
    for part in parts:
        url = pc.replace_substring_regex(part["key"], r"(://[^?#]*)[?#].*$", r"\1")
        key = pc.struct_field(pc.extract_regex(url, end), "end")
        part = pa.table([key, part["id"]], names=["key", "id"])
        escaped = part.filter(pc.match_substring(key, "%"))
        plain = pa.array([unquote(text) for text in escaped["key"].to_pylist()], pa.large_string())
        yield pa.concat_tables([part, pa.table([plain, escaped["id"]], names=["key", "id"])])


def _as_ids(names: pa.Array, kind: I8) -> pa.Array:
    """What a run makes of the ids of a list that are not plain; null for names that are, or are known."""
    odd = pc.and_(pa.array(kind == UNKNOWN), pc.invert(pc.match_substring_regex(names, _PLAIN)))
    spelled = pa.array([safe_id(name) for name in names.filter(odd).to_pylist()], pa.large_string())
    return pc.replace_with_mask(pa.nulls(len(names), pa.large_string()), odd, spelled)


def _ask(found: Meaning, names: pa.Array, kind: int, parts: Iterator[pa.Table]) -> Meaning:
    """`found`, with what is in a table of keys and ids about the names that were unknown so far."""
    left = np.flatnonzero((found.kind == UNKNOWN) & names.is_valid().to_numpy(zero_copy_only=False))
    if not len(left):
        return found
    place, ids = _hits(names.take(pa.array(left)), parts)
    code = ids.dictionary_encode()
    different = np.unique(np.stack([place, code.indices.to_numpy().astype(np.int64)]), axis=1)
    meant, first, count = np.unique(different[0], return_index=True, return_counts=True)
    one = count == 1
    kinds = found.kind.copy()
    kinds[left[meant]] = np.where(one, kind, SEVERAL)
    own = np.full(len(kinds), -1, np.int64)
    own[left[meant[one]]] = different[1, first[one]]
    new = code.dictionary.take(pa.array(own, mask=own < 0))
    return Meaning(kinds, pc.coalesce(found.id, new))


def _hits(names: pa.Array, parts: Iterator[pa.Table]) -> tuple[I64, pa.Array]:
    """Every row whose key is one of the names: the name's place (H,) and the row's id (H,)."""
    places, ids = [np.zeros(0, np.int64)], [pa.array([], pa.large_string())]
    for place, rows in rows_of(names, parts, "key"):
        places.append(place)
        ids += rows["id"].chunks
    return np.concatenate(places), pa.concat_arrays(ids)
