"""What a removal must leave, and what not: every file's hash, and a search of a run for pieces of what was removed."""

import gzip
import hashlib
import json
import re
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from beam_pipelines.cli import main
from transforms.tables.lineage import FILES
from transforms.tables.shards import read_column, shard_names

_VECTORS = ("vector", "feature")  # columns
_LONGEST_WORD = 150  # bytes of an id or a URL; what is longer is a picture or a vector
CARDS = ("README.md", "croissant.json", "bundle/README.md")  # which tell counts
OF_A_START = ("run.json", "attempt", "lock", "removals.json", *CARDS)


def hashes(run: str) -> dict[str, str]:
    """The SHA-256 of every file of a local run, by its name below it."""
    files = (path for path in Path(run).rglob("*") if path.is_file())
    return {str(path.relative_to(run)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    """The files that are there no more, are new, or have other bytes; not those that every start writes."""
    names = before.keys() | after.keys()
    return {name for name in names if before.get(name) != after.get(name) and name not in OF_A_START}


def pieces(run: str, items: set[str], key: str = "image_id") -> set[bytes]:
    """What there is of these items in a run: ids, URLs, images, vectors and the files that their rows name, as bytes.

    Of faces, which go without what they were found in, their own ids alone.
    """
    found = {item.encode() for item in items}
    for table in _tables(run):
        own = [name for name in _columns(run, table) if name != "source"]
        names = [name for name in own if key != "face_id" or name in ("face_id", "crop", "file", *_VECTORS)]
        if key not in names:
            continue
        for row in read_column(run, table, names).to_pylist():
            if row[key] in items:
                found |= {bit for name, cell in row.items() if (bit := _telling(run, name, cell))}
    return found


def _telling(run: str, name: str, cell: object) -> bytes | None:
    if isinstance(cell, bytes):
        return cell
    if name in _VECTORS and cell is not None:
        return np.asarray(cell, np.float16).tobytes()
    if name in FILES and cell is not None and Path(run, str(cell)).is_file():
        return Path(run, str(cell)).read_bytes()
    is_id = name == "url" or (name.endswith("_id") and isinstance(cell, str))
    return str(cell).encode() if is_id else None


def files_with(run: str, wanted: set[bytes]) -> dict[str, bytes]:
    """The files in which any of these pieces is found, as bytes or, of tables and packed files, in what they hold."""
    found = {}
    for path in sorted(Path(run).rglob("*")):
        if path.is_file():
            content = b"\n".join([str(path.relative_to(run)).encode(), *_contents(path)])
            hit = next((piece for piece in wanted if _has(content, piece)), None)
            if hit is not None:
                found[str(path.relative_to(run))] = hit[:60]
    return found


def _has(content: bytes, piece: bytes) -> bool:
    """Whether the piece is there; as a word of its own: `obama-1` is no part of `obama-10` and `obama-1-again`."""
    if piece not in content or len(piece) > _LONGEST_WORD:
        return piece in content
    return re.search(rb"(?<![A-Za-z0-9_-])" + re.escape(piece) + rb"(?![A-Za-z0-9_-])", content) is not None


def _contents(path: Path) -> list[bytes]:
    raw = path.read_bytes()
    if path.suffix == ".parquet":
        table = pq.read_table(path)  # the raw bytes hold packed pieces of words
        footer = pq.read_metadata(path)  # it repeats the least and the greatest of each column
        told = [repr(footer.metadata), repr(footer.to_dict())]
        return [*map(str.encode, told), *(bit for column in table.columns for bit in _cells(column))]
    if path.suffix == ".gzip":
        return [raw, gzip.decompress(raw)]
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as packed:
            return [raw, *map(packed.read, packed.namelist())]
    if path.suffix == ".tar":
        with tarfile.open(path) as tar:
            return [raw, *(tar.extractfile(member).read() for member in tar)]
    return [raw]


def _cells(column: pa.ChunkedArray) -> list[bytes]:
    cells = column.to_pylist()
    if pa.types.is_binary(column.type):
        return [cell for cell in cells if cell is not None]
    if pa.types.is_nested(column.type):
        flat = [
            np.asarray(cell, np.float16).tobytes() for cell in cells if cell is not None and _of_floats(column.type)
        ]
        return [*flat, json.dumps(cells, default=str).encode()]
    return [str(cell).encode() for cell in cells]


def _of_floats(type_: pa.DataType) -> bool:
    return bool(pa.types.is_floating(type_.value_type))


def _tables(run: str) -> list[str]:
    folders = {path.parent for path in Path(run).rglob("part-*.parquet")}
    names = {str(folder.relative_to(run)) for folder in folders}
    return sorted(name for name in names if not name.startswith("ledger") and shard_names(run, name))


def _columns(run: str, table: str) -> list[str]:
    return list(pq.read_schema(next(Path(run, table).glob("part-*.parquet"))).names)


def assert_gone(run: str, words: list[str], items: set[str], key: str, also: set[str]) -> None:
    """Remove by the command line with these words: no piece of the items stays, and no other file changes.

    `also` are files that change too, since they tell of all items: a number, or places of rows in other rows.
    """
    wanted = pieces(run, items, key)
    holders = set(files_with(run, wanted))
    was = hashes(run)
    assert main(["remove", run, *words]) == 0
    left = files_with(run, wanted)
    assert left == {}, left
    assert {Path(name).parts[0] for name in holders} >= {"ledger", *({"manifest"} if key != "face_id" else ())}
    others = changed(was, hashes(run)) - holders - also
    assert others == set(), others


def assert_nothing_to_do(run: str, again: Callable[[], object]) -> None:
    """The same run again changes nothing."""
    was = hashes(run)
    again()
    new = changed(was, hashes(run))
    assert new == set(), new
