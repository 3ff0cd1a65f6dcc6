"""Digests: what a stage was made from, so that it is made again when that changes, and only then."""

import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any

from transforms.tables.files import open_binary
from transforms.tables.shards import read_footers, shard_names

_LETTERS = 40  # of a value in a difference
_ABSENT = object()


def digest(value: Any) -> str:
    """A short, stable hash of plain data (what JSON can hold, and paths): 16 hex characters of the SHA-256.

    TypeError for anything else: the text of an object may have its address in it and would differ in every run.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=os.fspath)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def tables_digest(run: str, tables: list[str]) -> str:
    """The digest of the committed shards of some tables: their names and row counts."""
    shards: list[tuple[str, str, int]] = []
    for table in sorted(tables):
        names = shard_names(run, table)
        rows = (rows for rows, _ in read_footers(run, table, names))
        shards += [(table, name, n) for name, n in zip(names, rows, strict=True)]
    return digest(shards)


def file_digest(path: str) -> str:
    """The SHA-256 of a file on any of Beam's file systems, hex."""
    sha = hashlib.sha256()
    with open_binary(path) as file:
        while block := file.read(1 << 20):
            sha.update(block)
    return sha.hexdigest()


def differences(old: Any, new: Any, key: str = "") -> list[str]:
    """`key: old -> new` for every value that differs in plain data; not for a block that came or went as a whole."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        parts = [
            differences(old.get(name, _ABSENT), new.get(name, _ABSENT), f"{key}.{name}" if key else name)
            for name in {**old, **new}
        ]
        return [line for part in parts for line in part]
    gone = old is _ABSENT or new is _ABSENT
    if old == new or (gone and (isinstance(old, Mapping) or isinstance(new, Mapping))):
        return []
    return [f"{key}: {_shown(old)} -> {_shown(new)}"]


def _shown(value: Any) -> str:
    text = "nothing" if value is _ABSENT else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LETTERS else f"{text[: _LETTERS - 3]}..."
