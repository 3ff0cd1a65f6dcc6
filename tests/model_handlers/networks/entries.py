"""Entries of the catalogue whose weights are a test's own."""

from pathlib import Path

from model_handlers.models.catalogue import Entry
from model_handlers.weights.cache import sha256_of


def with_file(entry: Entry, path: Path) -> Entry:
    """The entry, with this file as its source."""
    source = {"uri": str(path), "sha256": sha256_of(path)}
    return Entry.model_validate(entry.model_dump() | {"sources": [source]})
