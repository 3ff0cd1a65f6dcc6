"""Details of the ledger without what differs between two equal runs."""

import re

_VARYING = (
    re.compile(r" (?:at|@) 0x[0-9a-fA-F]+"),  # where an object lies in memory: <_io.BytesIO object at 0x7f...>
    re.compile(r" after \d+ (?:ms|milliseconds)\b"),  # libcurl's stopwatch
    re.compile(
        r"(?<=/)\.[^/\s'\"]+\.[0-9a-f]{32}(?:/[^/\s'\":]*)*"
    ),  # files on their way to a name: files.temporary_name
    re.compile(r"(?<=/)(?:tmp|manyfaces-)[a-z0-9_]{8}(?:/[^/\s'\":]*)*"),  # Python's temporary files and folders
)


def steady(detail: str) -> str:
    """The detail without addresses of objects, milliseconds and names of temporary files."""
    for varying in _VARYING:
        detail = varying.sub("", detail)
    return detail
