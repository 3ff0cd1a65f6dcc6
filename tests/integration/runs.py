"""Making runs of the recipe webbody and comparing them."""

import csv
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from apache_beam.io.filesystems import FileSystems

from beam_pipelines import config as configuration
from beam_pipelines.demos.photographs import DemoRow, Page
from beam_pipelines.driver.order import Order
from beam_pipelines.driver.run import run
from transforms.tables.files import open_binary
from transforms.tables.shards import read_column, read_shard, shard_names, shard_path


@dataclass(frozen=True)
class Site:
    """A server with pages, and the manifest that lists them."""

    port: int
    manifest: Path
    rows: list[DemoRow]
    pages: dict[str, Page]


def write_list(path, rows, port):
    with path.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["id", "url", "who", "number"])
        writer.writerows([row.id, f"http://127.0.0.1:{port}{row.path}", row.who, i] for i, row in enumerate(rows))


def overrides(port, *more):
    kept_reposts = "identity.cleaning.duplicate_similarity=0.998"
    return [kept_reposts, f"fetch.allow_hosts=['127.0.0.1:{port}']", "manifest.rows_per_shard=4", *more]


def run_webbody(manifest, output, port, *more, beam=(), recompute=False):
    """A run in this process; returns its folder as text."""
    recipe, settings = configuration.load("webbody", overrides(port, *more))
    run(Order(recipe, settings, str(manifest), str(output), tuple(beam), recompute))
    return str(output)


def table_content(run_, table):
    """A table as `shard name -> rows`, to compare runs row for row, bytes and all."""
    return {name: read_shard(shard_path(run_, table, name)).to_pylist() for name in shard_names(run_, table)}


def column(run_, table, name):
    return read_column(run_, table, [name])[name].to_pylist()


OF_THE_START = ("run.json", "attempt", "lock")  # files that tell when and where a run was made, not what came of it


def contents(run_):
    """What is in every file of a run, on any storage, by its path in the run: tables as rows, other files as bytes."""
    found = {}
    for path in sorted(file.path for file in FileSystems.match([f"{run_}/**"])[0].metadata_list):
        name = path.removeprefix(f"{run_}/")
        if name.endswith(".parquet"):
            found[name] = read_shard(path).to_pylist()
        elif name not in OF_THE_START:
            with open_binary(path) as file:
                found[name] = file.read()
    return found


def assert_same_contents(one, other):
    """Every file of the two runs is the same, but for those of the start."""
    one, other = contents(one), contents(other)
    assert list(one) == list(other)
    assert [name for name in one if one[name] != other[name]] == []


ROW_TABLES = ("manifest", "images", "bodies", "faces", "embeddings", "identities", "edges", "splits")
STAGES = ("manifest", "download", "bodies", "faces", "embeddings", "identity", "bundle", "splits")


def assert_same_run(one, other):
    """Every table and every ledger of the two runs has the same shards with the same rows."""
    for table in (*ROW_TABLES, *(f"ledger/{stage}" for stage in STAGES)):
        assert table_content(one, table) == table_content(other, table), table


def workers(parent):
    """The command lines of the worker processes that a process started; the folder that holds one is its number."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            started_by = int(path.with_name("stat").read_text().rpartition(")")[2].split()[1])
            if b"beam_pipelines.runners.worker" in path.read_bytes() and started_by == parent:
                found.append(path)
    return found
