"""Requests to an object store: of each operation on shards, and of the recipe webbody for each chunk of images.

    python -m benchmarks.object_store

The emulator of the tests counts them; Beam's client of Google's store makes them. Requests of a run are taken from two
runs over the same photographs in more and in fewer chunks, so that what a run costs once falls out.
"""

import logging
import tempfile
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from beam_pipelines import config as configuration
from beam_pipelines.demos.photographs import photographs, serve
from beam_pipelines.driver.order import Order
from beam_pipelines.driver.run import run
from benchmarks.results import report
from tests.engines.gcs_emulator import Emulator, gcs_emulator
from transforms.tables import files, shards
from transforms.tables.shards import shard_path

KINDS = ("look", "read", "list", "start", "write", "other")
ROWS = 1_000


def kind(line: str) -> str:
    """What a request is: an object's record (look), its bytes (read), a list, an upload's beginning and its parts."""
    method, path, _ = line.split()
    path, _, query = path.partition("?")
    if method in ("POST", "PUT") and path.startswith("/upload/"):
        return "start" if method == "POST" else "write"
    if method != "GET":
        return "other"
    if path.startswith("/download/") or "alt=media" in query:
        return "read"
    return "list" if path.endswith("/o") else "look" if "/o/" in path else "other"


def counted(emulator: Emulator, action: Callable[[], object]) -> Counter[str]:
    """The requests of an action by kind."""
    before = len(emulator.requests())
    action()
    return Counter(map(kind, emulator.requests()[before:]))


def write_shards(paths: list[str], table: pa.Table) -> None:
    """The same table as several shards."""
    for path in paths:
        shards.write_shard(path, table)


def operations(emulator: Emulator) -> list[list[str | float]]:
    """A row for each operation; shards have 1,000 rows, slim or with files of 60 kB."""
    folder = emulator.folder()
    random = np.random.default_rng(7)
    ids = pa.array([f"image-{i}" for i in range(ROWS)])
    tables = {
        "slim": pa.table({"id": ids}),
        "60 MB": pa.table({"id": ids, "file": [random.bytes(60_000) for _ in range(ROWS)]}),
    }
    paths = {name: shard_path(folder, name, "0") for name in tables}
    actions: list[tuple[str, Callable[[], object]]] = []
    for name, table in tables.items():
        path = paths[name]
        actions += [
            (f"write a shard ({name})", partial(shards.write_shard, path, table)),
            (f"read its footer ({name})", partial(shards.read_footer, path)),
            (f"read it ({name})", partial(shards.read_shard, path)),
            (f"read one small column ({name})", partial(shards.read_shard, path, ["id"])),
        ]
    more = [shard_path(folder, "slim", str(i)) for i in range(1, 100)]
    actions += [
        ("look whether a file is there", partial(files.exists, paths["slim"])),
        ("commit 99 shards more", partial(write_shards, more, tables["slim"])),
        ("name the 100 shards", partial(shards.shard_names, folder, "slim")),
        ("delete the table of 100", partial(files.delete_folder, f"{folder}/slim")),
    ]
    return [row(name, counted(emulator, action), 1) for name, action in actions]


def row(name: str, found: Counter[str], divisor: float) -> list[str | float]:
    """A line of the table."""
    return [name, *(found[one] / divisor for one in KINDS), found.total() / divisor]


def run_requests(emulator: Emulator, manifest: Path, port: int, rows_per_shard: int) -> list[Counter[str]]:
    """The requests of a run from nothing, and of the same command once more; the number of chunks as `chunks`."""
    settings = [f"fetch.allow_hosts=['127.0.0.1:{port}']", f"manifest.rows_per_shard={rows_per_shard}"]
    recipe, config = configuration.load("webbody", settings)
    order = Order(recipe, config, str(manifest), emulator.folder())
    return [counted(emulator, partial(run, order)) for _ in range(2)] + [
        Counter(chunks=len(shards.shard_names(order.run, "manifest")))
    ]


def recipe_rows(emulator: Emulator) -> list[list[str | float]]:
    """Requests for each chunk of the recipe webbody, and of a run without any."""
    pages = {item.path: page for item, page in photographs()}
    with serve(pages) as port, tempfile.TemporaryDirectory() as folder:
        manifest = Path(folder, "list.csv")
        lines = [f"photo-{i},http://127.0.0.1:{port}{path}" for i, path in enumerate(pages)]
        manifest.write_text("\n".join(["id,url", *lines]))
        many, few = (run_requests(emulator, manifest, port, rows) for rows in (1, 4))
    difference = many[2]["chunks"] - few[2]["chunks"]
    rows: list[list[str | float]] = []
    for name, more, less in zip(("a chunk of webbody", "a finished chunk, run again"), many[:2], few[:2], strict=True):
        more.subtract(less)
        rows.append(row(name, more, difference))
    return rows


def main() -> None:
    """Measure and report."""
    logging.basicConfig(level=logging.ERROR)
    with gcs_emulator() as emulator:
        rows = operations(emulator) + recipe_rows(emulator)
    report("object_store", "Requests to the object store", ["", *KINDS, "all"], rows)


if __name__ == "__main__":
    main()
