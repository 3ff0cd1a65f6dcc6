"""Reading manifests of every format as a stream of records; a line that cannot be read is a BadRow, not an end."""

import csv
import gzip
import io
import json
from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from transforms.fetch.settings import ManifestSettings
from transforms.fetch.video_settings import VideoManifestSettings
from transforms.tables.shards import open_binary

AnySettings = ManifestSettings | VideoManifestSettings
Record = dict[str, Any]
LIST_COLUMNS = ("idx", "label", "url")
_BY_EXTENSION = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".txt": "text",
}
_MAX_LINE = 1_000_000  # characters


class BadRow(str):
    """Why a row cannot be read; stands in the row's place."""

    __slots__ = ()


def manifest_format(path: str, settings: AnySettings) -> str:
    """The manifest's format, from its name if it is not configured."""
    if settings.format != "auto":
        return settings.format
    name = path.lower().removesuffix(".gz")
    for extension, found in _BY_EXTENSION.items():
        if name.endswith(extension):
            return found
    raise ValueError(
        f"The name of the manifest {path} does not tell its format; set manifest.format "
        "(csv, tsv, jsonl, parquet, text or list)."
    )


def read_records(path: str, settings: AnySettings) -> Iterator[Record | BadRow]:
    """The manifest's rows in order, as column name -> value; ValueError where it lacks a configured column."""
    kind = manifest_format(path, settings)
    with open_binary(path) as file:
        if kind == "parquet":
            yield from _parquet(file, settings)
            return
        plain = gzip.GzipFile(fileobj=file) if path.lower().endswith(".gz") else file
        # what is no UTF-8 arrives as lone surrogates, so that it spoils its own row only
        text = io.TextIOWrapper(
            plain,
            encoding="utf-8-sig",
            errors="surrogateescape",
            newline="" if kind in ("csv", "tsv") else "\n",
        )
        if kind in ("csv", "tsv"):
            yield from _csv(text, "," if kind == "csv" else "\t", settings)
        else:
            yield from _lines(text, kind, settings)


def _parquet(file: BinaryIO, settings: AnySettings) -> Iterator[Record]:
    manifest = pq.ParquetFile(pa.PythonFile(file, mode="r"))
    _check_columns(settings, manifest.schema_arrow.names)
    for batch in manifest.iter_batches(8192):
        yield from batch.to_pylist()


def _csv(text: io.TextIOWrapper, delimiter: str, settings: AnySettings) -> Iterator[Record | BadRow]:
    rows = csv.reader(text, delimiter=delimiter, strict=True)
    names = next(rows, [])
    _check_columns(settings, names)
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            yield BadRow(str(error))
            continue
        if len(row) == len(names):
            yield dict(zip(names, row, strict=True))
        elif row:
            yield BadRow(f"{len(row)} columns instead of {len(names)}")
        else:
            yield BadRow("empty line")


def _lines(text: io.TextIOWrapper, kind: str, settings: AnySettings) -> Iterator[Record | BadRow]:
    if kind == "text":
        _check_columns(settings, ["url"])
    if kind == "list":
        _check_columns(settings, list(LIST_COLUMNS))
    while line := text.readline(_MAX_LINE):
        if len(line) == _MAX_LINE and not line.endswith("\n"):
            while (rest := text.readline(_MAX_LINE)) and not rest.endswith("\n"):
                pass
            yield BadRow(f"a line of more than {_MAX_LINE} characters")
            continue
        yield _LINE[kind](line.strip())


def _text_line(line: str) -> Record | BadRow:
    return {"url": line}


def _list_line(line: str) -> Record | BadRow:
    parts = line.split(None, 2)
    if len(parts) < len(LIST_COLUMNS):
        return BadRow(f"{len(parts)} columns instead of `idx label url`")
    return dict(zip(LIST_COLUMNS, parts, strict=True))


def _json_line(line: str) -> Record | BadRow:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        return BadRow(str(error).splitlines()[0])
    return record if isinstance(record, dict) else BadRow("the line is no JSON object")


_LINE = {"text": _text_line, "list": _list_line, "jsonl": _json_line}


def _check_columns(settings: AnySettings, names: list[str]) -> None:
    if len(set(names)) < len(names):
        raise ValueError(f"The manifest has two columns of one name ({', '.join(names)}); rename one.")
    for key, name in settings.columns.required(names):
        if name not in names:
            raise ValueError(
                f"manifest.columns.{key}: the manifest has no column {name!r}; it has {', '.join(names) or 'none'}."
            )
