"""A real run of the recipe webbody on half of a list, then on all of it: only what is new is done."""

import os
import shutil
from pathlib import Path

import pytest

from beam_pipelines.cli import main
from beam_pipelines.demos.photographs import serve
from beam_pipelines.driver.record import read_record
from beam_pipelines.errors import ConfigError
from tests.integration.removals import changed, hashes
from tests.integration.runs import STAGES, column, run_webbody, write_list
from transforms.tables.ledger import tally
from transforms.tables.shards import read_column

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("webbody")]

ROW_STAGES = {"manifest": "manifest", "download": "images", "bodies": "bodies", "faces": "faces",
              "embeddings": "embeddings"}  # fmt: skip


class Asked(dict):
    """Pages by their paths, and the paths that were asked for."""

    def __init__(self, pages):
        super().__init__(pages)
        self.paths = []

    def get(self, path, default=None):
        self.paths.append(path)
        return super().get(path, default)


@pytest.fixture(scope="module")
def asked(site):
    return Asked(site.pages)


@pytest.fixture(scope="module")
def port(asked):
    with serve(asked) as port:
        yield port


@pytest.fixture(scope="module")
def half(site, port, tmp_path_factory):
    """A run on every second row; its list lies beside it."""
    folder = tmp_path_factory.mktemp("half")
    write_list(folder / "list.csv", site.rows[::2], port)
    run_webbody(folder / "list.csv", folder / "run", port)
    return folder


@pytest.fixture(scope="module")
def at_once(site, port, tmp_path_factory):
    """A run on all rows from scratch."""
    folder = tmp_path_factory.mktemp("at-once")
    write_in_order(folder / "list.csv", [*site.rows[::2], *site.rows[1::2]], site, port)
    return run_webbody(folder / "list.csv", folder / "run", port)


def write_in_order(path, rows, site, port):
    """The list of these rows, each with the number that it has among the first half, or behind it."""
    order = [*site.rows[::2], *site.rows[1::2]]
    write_list(path, order, port)
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([lines[0], *(lines[1 + order.index(row)] for row in rows)]))


@pytest.fixture
def run(half, tmp_path):
    shutil.copytree(half / "run", tmp_path / "run")
    return str(tmp_path / "run")


def whole_list(tmp_path, site, port, *, without=()):
    """All rows, new ones between the old."""
    path = tmp_path / "list.csv"
    write_in_order(path, [row for row in site.rows if row.id not in without], site, port)
    return path


def groups(run):
    """The faces of each identity, without its number."""
    found = {}
    for row in read_column(run, "identities", ["face_id", "identity"]).to_pylist():
        found.setdefault(row["identity"], set()).add(row["face_id"])
    found.pop(None, None)
    return {frozenset(faces) for faces in found.values()}


def done_before(run):
    """The hash and the time of every shard that row stages have written, their ledgers' too, and of the edges."""
    names = [*ROW_STAGES.values(), *(f"ledger/{stage}" for stage in ROW_STAGES), "edges"]
    return {
        name: (sha, os.stat(Path(run, name)).st_mtime_ns)
        for name, sha in hashes(run).items()
        if name.rpartition("/")[0] in names and name.endswith(".parquet")
    }


def test_only_new_images_are_fetched_and_it_is_as_from_scratch(run, site, port, asked, at_once, tmp_path, capfd):
    before = done_before(run)
    numbers = {row["face_id"]: row["identity"] for row in
               read_column(run, "identities", ["face_id", "identity"]).to_pylist()}  # fmt: skip
    asked.paths.clear()
    path = whole_list(tmp_path, site, port)
    assert main(["plan", "webbody", "--input", str(path), "--output", run, "--set", "manifest.rows_per_shard=4"]) == 0
    assert "new rows: they become further shards of every table." in capfd.readouterr().out
    run_webbody(path, run, port)
    assert f"the list has {len(site.rows[1::2])} new rows" in capfd.readouterr().err
    assert {row.path for row in site.rows[1::2]} == {name for name in asked.paths if name in site.pages}
    after = done_before(run)
    assert {name: after.get(name) for name in before} == before
    assert groups(run) == groups(at_once)
    assert len(groups(run)) > 3
    for stage in STAGES[:-1]:  # splits are drawn by numbers
        counts, whole = tally(run, stage), tally(at_once, stage)
        assert (counts.by_reason, counts.rows) == (whole.by_reason, whole.rows), stage
    now = {row["face_id"]: row["identity"] for row in
           read_column(run, "identities", ["face_id", "identity"]).to_pylist()}  # fmt: skip
    moved = {(numbers[face], now[face]) for face in numbers
             if None not in (numbers[face], now[face]) and numbers[face] != now[face]}  # fmt: skip
    changes = read_column(run, "identity_changes", ["kind", "from_identity", "into_identity"]).to_pylist()
    assert moved == {(row["from_identity"], row["into_identity"]) for row in changes if row["kind"] != "new"}
    assert len(changes) > len(moved)
    finished = hashes(run)
    asked.paths.clear()
    run_webbody(path, run, port)
    assert changed(finished, hashes(run)) == set()
    assert asked.paths == []


def test_a_removed_url_of_the_grown_list_is_not_fetched_and_may_be_deleted_from_it(run, site, port, asked, tmp_path):
    old, new = site.rows[0], site.rows[1]
    urls = [f"http://127.0.0.1:{port}{row.path}" for row in (old, new)]
    assert main(["remove", run, "--urls", *urls]) == 0
    asked.paths.clear()
    run_webbody(whole_list(tmp_path, site, port, without=[old.id]), run, port)
    assert not {old.path, new.path} & set(asked.paths)
    assert not {old.id, new.id} & set(column(run, "images", "image_id"))
    assert tally(run, "manifest").by_reason["kept"] == len(column(run, "manifest", "image_id"))
    assert set(read_record(run)["stages"]) == set(STAGES)


def test_a_list_without_rows_of_the_run_is_refused(run, site, port, tmp_path):
    lost = site.rows[2]
    before = hashes(run)
    with pytest.raises(
        ConfigError, match=rf"{lost.id} .* in the list no more; .* give --recompute .* another --output"
    ):
        run_webbody(whole_list(tmp_path, site, port, without=[lost.id]), run, port)
    assert {name: sha for name, sha in hashes(run).items() if before.get(name) != sha} == {}


class Killed(Exception):
    """Stands for the end of the process."""


@pytest.mark.parametrize("last", ["manifest/part-", "images/part-", "edges/part-", "identities/part-"])
def test_a_growth_that_is_killed_goes_on(run, site, port, at_once, tmp_path, monkeypatch, last):
    """The first new shard of a table is there, and then nothing more."""
    path, replace, killed = whole_list(tmp_path, site, port), os.replace, []

    def until_killed(source, target):
        if killed:
            raise Killed("Killed")
        replace(source, target)
        if f"/{last}" in str(target):
            killed.append(target)

    monkeypatch.setattr(os, "replace", until_killed)
    with pytest.raises(Exception, match="Killed"):
        run_webbody(path, run, port)
    monkeypatch.setattr(os, "replace", replace)
    assert killed
    run_webbody(path, run, port)
    assert groups(run) == groups(at_once)
    assert set(column(run, "manifest", "image_id")) == {row.id for row in site.rows}
    for stage in STAGES[:-1]:
        assert tally(run, stage).by_reason == tally(at_once, stage).by_reason, stage
