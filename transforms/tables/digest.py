"""Digests: what a stage was made from, so that it is made again when that changes, and only then."""

import hashlib
import json
from typing import Any

from transforms.tables.shards import read_footer, shard_names, shard_path


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
