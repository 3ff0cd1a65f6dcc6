"""Settings that lists of images and of videos share."""

from typing import Literal

ListFormat = Literal["auto", "csv", "tsv", "jsonl", "parquet", "text", "list"]
Quoting = Literal["auto", "quoted", "plain"]
QUOTING = (
    "of CSV and TSV. quoted: a cell that begins with a quote ends with one and may hold delimiters and line ends; "
    "plain: quotes are characters like others; auto: CSV is quoted, TSV is plain unless its first line begins with a "
    "quote"
)
FIRST_ROWS = (
    "only so many rows of the list, its first, to try it (the command line's --limit); the same run goes on with more, "
    "or with null, all. Of videos with spans, further rows that list spans of the same videos are taken too"
)
_SHARDS = 64  # of a list, at least: an interrupted run loses what is in work, a chunk for each worker


def suited_rows(rows: int, least: int, most: int) -> int:
    """How many rows a shard has, if nobody says so: it depends on the list alone, as resuming and all runners must."""
    return max(least, min(most, -(-rows // _SHARDS)))
