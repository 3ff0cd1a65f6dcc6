"""Looking into a run: its tables, sample rows, and tables written out for other programs."""

import json
import os
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from apache_beam.io.filesystems import FileSystems
from rich.table import Table

from beam_pipelines.errors import ConfigError
from beam_pipelines.reports.summary import console
from beam_pipelines.reports.table_columns import check_columns, light_columns
from model_handlers.named import nearest
from transforms.tables.csv_cells import write_csv
from transforms.tables.files import commit_file, open_binary
from transforms.tables.shards import iter_tables, read_column, shard_names, shard_path
from transforms.tables.source_columns import source_cells, source_columns

SAMPLE_ROWS = 3
_KEYS = ("image_id", "video_id")  # of the manifest


def tables(run: str) -> dict[str, tuple[int, int, int]]:
    """The tables of a run: name -> shards, rows, bytes."""
    found: dict[str, tuple[int, int, int]] = {}
    for pattern in ("*", "*/*"):
        for match in FileSystems.match([FileSystems.join(run, pattern, "part-*.parquet")])[0].metadata_list:
            name = os.path.relpath(os.path.dirname(match.path), run)
            with open_binary(match.path) as file:
                rows = pq.read_metadata(pa.PythonFile(file, mode="r")).num_rows
            shards, total, size = found.get(name, (0, 0, 0))
            found[name] = (shards + 1, total + rows, size + match.size_in_bytes)
    return dict(sorted(found.items()))


def show_tables(run: str) -> None:
    """Print the tables of a run with their shards, rows and sizes."""
    view = Table(title="tables", title_justify="left")
    view.add_column("table")
    for name in ("shards", "rows", "MB"):
        view.add_column(name, justify="right")
    for name, (shards, rows, size) in tables(run).items():
        view.add_row(name, str(shards), str(rows), f"{size / 1e6:.2f}")
    console().print(view)


def show_table(run: str, name: str) -> None:
    """Print a table's columns with their meaning, and its first rows without bytes."""
    schema = _schema(run, name, shards_of(run, name)[0])
    view = Table(title=f"{name}: columns", title_justify="left")
    for heading in ("column", "type", "meaning"):
        view.add_column(heading, overflow="fold")
    for field in schema:
        view.add_row(field.name, str(field.type), (field.metadata or {}).get(b"meaning", b"").decode())
    console().print(view)
    columns = [field.name for field in schema if not pa.types.is_binary(field.type)]
    for row in next(iter_tables(run, name, columns)).slice(0, SAMPLE_ROWS).to_pylist():
        print(json.dumps(row, ensure_ascii=False, default=str)[:1000])


def _schema(run: str, table: str, shard: str) -> pa.Schema:
    with open_binary(shard_path(run, table, shard)) as file:
        return pq.read_schema(pa.PythonFile(file, mode="r"))


def shards_of(run: str, name: str) -> list[str]:
    """The names of a table's shards; ConfigError names the nearest table if the run has none of that name."""
    shards = shard_names(run, name)
    if not shards:
        there = list(tables(run))
        hint = nearest(name, there) if there else "the run has none yet."
        raise ConfigError(f"{run}: there is no table {name!r}; {hint}")
    return shards


def check_export(run: str, name: str | None, target: str, columns: Sequence[str] = ()) -> None:
    """ConfigError unless it is said which table, and which columns, shall be written, to a file of a known format."""
    if not target.endswith((".csv", ".parquet")):
        raise ConfigError(f"--to {target}: the file's name must end in .csv or .parquet.")
    if not name:
        there = ", ".join(tables(run)) or "none yet"
        raise ConfigError(f"--to {target}: name the table to write there with --table; this run's tables: {there}.")
    if columns:
        schema = _schema(run, name, shards_of(run, name)[0])
        beside = () if set(columns) <= set(schema.names) else _manifest_columns(run, schema)
        check_columns(target, columns, schema, beside)


def export(run: str, name: str, target: str, columns: Sequence[str] = ()) -> int:
    """Write a table as CSV or parquet; returns the number of rows.

    columns: those to write, in this order; none: in CSV the light ones (no meshes, vectors or lists of any length), in
    parquet all but bytes. Tables with the manifest's key (`image_id` or `video_id`) get its URL, label and other
    columns beside it, under `source_<name>` where the table has a column of the name. In CSV, lists are JSON.
    """
    check_export(run, name, target, columns)
    schema = _schema(run, name, shards_of(run, name)[0])
    table = _with_manifest(run, read_column(run, name, _own_columns(schema, target, columns)), schema)
    if columns:
        table = table.select(list(columns))
    with commit_file(target) as out:
        if target.endswith(".csv"):
            write_csv(table, out)
        else:
            pq.write_table(table, out)
    return int(table.num_rows)


def _own_columns(schema: pa.Schema, target: str, columns: Sequence[str]) -> list[str]:
    """The columns to read of the table itself: the manifest's are found by its key."""
    if columns:
        return [name for name in schema.names if name in (*columns, *_KEYS)]
    light = light_columns(schema)
    no_bytes = [field.name for field in schema if not pa.types.is_binary(field.type)]
    return [name for name in (light if target.endswith(".csv") else no_bytes) if name != "source"]


def _manifest_key(run: str) -> str:
    names = shard_names(run, "manifest")
    known = _schema(run, "manifest", names[0]).names if names else []
    return next((key for key in _KEYS if key in known), "")


def _manifest_columns(run: str, schema: pa.Schema) -> list[str]:
    """The names of the columns that the manifest adds to a table."""
    if _manifest_key(run) not in schema.names:
        return []
    sources = read_column(run, "manifest", ["source"])["source"].to_pylist()
    return ["url", "label", *(name for _, name in source_columns(sources, _taken(schema)))]


def _taken(schema: pa.Schema) -> list[str]:
    return [*(name for name in schema.names if name != "source"), "url", "label"]


def _with_manifest(run: str, table: pa.Table, schema: pa.Schema) -> pa.Table:
    key = _manifest_key(run)
    if key not in table.column_names:
        return table
    manifest = read_column(run, "manifest", [key, "url", "label", "source"])
    rows = manifest.take(pc.index_in(table[key], value_set=manifest[key].combine_chunks()))
    for column in ("url", "label"):
        if column not in table.column_names:
            table = table.append_column(column, rows[column])
    sources = rows["source"].to_pylist()
    columns = source_columns(manifest["source"].to_pylist(), _taken(schema))
    cells = [source_cells(source, columns) for source in sources]
    for place, (_, name) in enumerate(columns):
        if name not in table.column_names:
            table = table.append_column(name, _column([row[place] for row in cells]))
    return table


def _column(values: list[Any]) -> pa.Array:
    try:
        return pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):  # mixed types in the manifest, or a very large number
        return pa.array([None if value is None else str(value) for value in values])
