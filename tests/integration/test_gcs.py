"""The recipe webbody on Google Cloud Storage, by Beam's own client against an emulator in a process of its own."""

import csv
import os
from pathlib import Path

import pytest
from apache_beam.io.filesystems import FileSystems

import configs
from beam_pipelines.cli import main
from beam_pipelines.demos.photographs import serve
from tests.integration.runs import assert_same_run, overrides, run_webbody, table_content, write_list
from transforms.tables.files import commit_file, open_binary
from transforms.tables.ledger import tally

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("webbody"), pytest.mark.gcs]
FILES = ("statistics.json", ".rec", ".idx", ".lst", ".tar", ".tfrecord", ".csv", ".txt")  # of a run, beside its tables


def _put(source, target):
    with commit_file(target) as out:
        out.write(Path(source).read_bytes())
    return target


def _copy(run, target):
    """The local run, in a folder on any storage."""
    for at, _, names in os.walk(run):
        for name in names:
            _put(Path(at, name), FileSystems.join(target, *Path(at).relative_to(run).parts, name))
    return target


def _files(run):
    """What a run has beside its tables: path in the run -> bytes."""
    found = FileSystems.match([f"{run}/**"])[0].metadata_list
    paths = [file.path for file in found if file.path.endswith(FILES)]
    return {path.removeprefix(f"{run}/"): _bytes(path) for path in paths}


def _bytes(path):
    with open_binary(path) as file:
        return file.read()


def _local_files(run):
    paths = [path for path in Path(run).rglob("*") if path.name.endswith(FILES)]
    return {str(path.relative_to(run)): path.read_bytes() for path in paths}


def _sets(site, *more):
    return [word for override in overrides(site.port, *more) for word in ("--set", override)]


@pytest.fixture(scope="module")
def gcs_run(gcs, site):
    """A whole run whose configuration, manifest and output are all on the emulator."""
    folder = gcs.folder()
    config = _put(configs.FOLDER / "webbody.yaml", f"{folder}/webbody.yaml")
    manifest = _put(site.manifest, f"{folder}/list.csv")
    assert main(["run", config, "--input", manifest, "--output", f"{folder}/run/", *_sets(site)]) == 0
    return f"{folder}/run"


def test_a_run_on_gcs_equals_a_local_one(gcs_run, whole_run):
    assert_same_run(gcs_run, whole_run)
    expected = _local_files(whole_run)
    assert {path.rpartition(".")[2] for path in expected} >= {"rec", "idx", "lst", "tar", "tfrecord", "json", "csv"}
    assert _files(gcs_run) == expected


def test_a_finished_run_has_nothing_left_to_do(gcs, gcs_run, site, capsys):
    before = len(gcs.requests())
    manifest = gcs_run.removesuffix("run") + "list.csv"
    assert main(["run", "webbody", "--input", manifest, "--output", gcs_run, *_sets(site)]) == 0
    written = [line for line in gcs.requests()[before:] if line.startswith("PUT") and "part-" in line]
    assert not written
    assert "job 1" not in capsys.readouterr().out


def test_inspect_and_contact_sheet(gcs_run, whole_run, tmp_path, capsys):
    assert main(["inspect", gcs_run]) == 0
    assert main(["inspect", gcs_run, "--table", "faces"]) == 0
    assert "ledger/faces" in capsys.readouterr().out
    for run, target in ((gcs_run, f"{gcs_run}-faces.csv"), (whole_run, str(tmp_path / "faces.csv"))):
        assert main(["inspect", run, "--table", "faces", "--to", target]) == 0
    assert _bytes(f"{gcs_run}-faces.csv") == (tmp_path / "faces.csv").read_bytes()
    assert "who" in next(csv.reader((tmp_path / "faces.csv").open()))
    for run, target in ((gcs_run, f"{gcs_run}.png"), (whole_run, str(tmp_path / "sheet.png"))):
        assert main(["inspect", run, "--sheet", target]) == 0
    assert _bytes(f"{gcs_run}.png") == (tmp_path / "sheet.png").read_bytes()


def test_retry(gcs, site, tmp_path):
    pages = dict(site.pages)
    mended = pages.pop(site.rows[3].path)
    runs = [gcs.folder(), str(tmp_path / "run")]
    with serve(pages) as port:
        write_list(tmp_path / "list.csv", site.rows, port)
        for run in runs:
            run_webbody(tmp_path / "list.csv", run, port, "jobs=[[download]]")
            assert tally(run, "download").by_reason["http_404"] == 1
        pages[site.rows[3].path] = mended
        for run in runs:
            assert main(["retry", run]) == 0
            assert tally(run, "download").by_reason == {"kept": len(site.rows)}
    assert table_content(runs[0], "images") == table_content(runs[1], "images")
    assert len(table_content(runs[0], "ledger/download")) > len(table_content(runs[0], "manifest"))


def test_recompute_deletes_and_redoes(gcs, site, whole_run, tmp_path):
    runs = [_copy(whole_run, gcs.folder()), _copy(whole_run, str(tmp_path / "run"))]
    for run in runs:
        again = ["run", "webbody", "--input", str(site.manifest), "--output", run, *_sets(site, "splits.seed=8")]
        assert main(again) == 2
        assert main([*again, "--recompute"]) == 0
    assert_same_run(*runs)
    assert _files(runs[0]) == _local_files(runs[1])
    assert _files(runs[0]) != _local_files(whole_run)
