"""Settings that lists of images and of videos share."""

from typing import Literal

ListFormat = Literal["auto", "csv", "tsv", "jsonl", "parquet", "text", "list"]
Quoting = Literal["auto", "quoted", "plain"]
QUOTING = (
    "of CSV and TSV. quoted: a cell that begins with a quote ends with one and may hold delimiters and line ends; "
    "plain: quotes are characters like others; auto: CSV is quoted, TSV is plain unless its first line begins with a "
    "quote"
)
