"""The persons of a video as CSV and JSON: who is how long on screen, and when."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, BinaryIO

from transforms.persons.screen_time import share
from transforms.tables.csv_cells import csv_rows
from transforms.tables.person_rows import Person

_DIGITS = 3  # of a second
COLUMNS = (
    "rank", "identity", "key", "seconds", "share", "faces", "clusters", "start", "end", "spans", "face_id", "file"
)  # fmt: skip


def person_entry(person: Person, seconds: float, file: str) -> dict[str, Any]:
    """What the lists say of a person of a video of so many seconds; `file` is the picture of its face."""
    times = {name: round(getattr(person, name), _DIGITS) for name in ("seconds", "start", "end")}
    values = {
        "share": round(share(person.seconds, seconds), _DIGITS + 1),
        "spans": [[round(start, _DIGITS), round(end, _DIGITS)] for start, end in person.spans],
        "file": file,
        **times,
    }
    return {name: values[name] if name in values else getattr(person, name) for name in COLUMNS}


def write_csv(entries: Sequence[Mapping[str, Any]], out: BinaryIO) -> None:
    """A line a person; the spans are JSON."""
    write = csv_rows(out)
    write(COLUMNS)
    for entry in entries:
        write([json.dumps(entry[name]) if name == "spans" else entry[name] for name in COLUMNS])


def write_json(video: Mapping[str, Any], entries: Sequence[Mapping[str, Any]], out: BinaryIO) -> None:
    """One object: what is known of the video, and its `persons`."""
    out.write(json.dumps({**video, "persons": list(entries)}, indent=1).encode() + b"\n")
