"""Digests: what a stage was made from, so that it is made again when that changes, and only then."""

import hashlib
import json
from typing import Any

from transforms.tables.shards import open_binary, read_footer, shard_names, shard_path


def digest(value: Any) -> str:
    """A short, stable hash of plain data (what JSON can hold): 16 hex characters of the SHA-256."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def tables_digest(run: str, tables: list[str]) -> str:
    """The digest of the committed shards of some tables: their names and row counts."""
    return digest(
        [
            (table, name, read_footer(shard_path(run, table, name))[0])
            for table in sorted(tables)
            for name in shard_names(run, table)
        ]
    )


def file_digest(path: str) -> str:
    """The SHA-256 of a file on any of Beam's file systems, hex."""
    sha = hashlib.sha256()
    with open_binary(path) as file:
        while block := file.read(1 << 20):
            sha.update(block)
    return sha.hexdigest()
