"""Digests: what a stage was made from, so that it is made again when that changes, and only then."""

import hashlib
import json
import os
from typing import Any

from transforms.tables.shards import open_binary, read_footers, shard_names


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
