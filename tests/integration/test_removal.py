"""Taking photographs and people out of a real run of the recipe webbody: no byte of them stays, all else does."""

import json
import os
import shutil
import struct
from pathlib import Path

import pytest
import webdataset

from beam_pipelines import config as configuration
from beam_pipelines.cli import main
from beam_pipelines.driver.record import read_record, write_record
from beam_pipelines.errors import ConfigError
from tests.integration.removals import assert_gone, changed, files_with, hashes, pieces
from tests.integration.runs import STAGES, column, overrides, run_webbody, table_content
from transforms.fetch.lists.manifest import split_manifest
from transforms.tables.ledger import tally
from transforms.tables.removals import read_removals
from transforms.tables.shards import read_column

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("webbody")]

EMPTY_TAR = 1024  # bytes
SINKS = "bundle.sinks=[recordio, webdataset, tfrecord, arcface]"
SPLITS = ("bundle.records_per_file=6", SINKS, "splits.subsets={all: 1.0}", "splits.unassigned=nobody")


@pytest.fixture(scope="module")
def before(site, whole_run, tmp_path_factory):
    """The whole run with bundles of several files and a split; its tables up to identities are those of `whole_run`."""
    run = str(shutil.copytree(whole_run, tmp_path_factory.mktemp("removal") / "before"))
    return run_webbody(site.manifest, run, site.port, *SPLITS, recompute=True)


@pytest.fixture
def run(before, tmp_path):
    return str(shutil.copytree(before, tmp_path / "run"))


def again(run, site):
    """What the same command of the run does now."""
    run_webbody(site.manifest, run, site.port, *SPLITS)


def identity_of(run, image):
    rows = read_column(run, "identities", ["image_id", "identity"]).to_pylist()
    return next(row["identity"] for row in rows if row["image_id"] == image and row["identity"] is not None)


def assert_sound(run, site):
    """Counts balance, a run has nothing to do and fetches nothing, nor does a retry."""
    after = hashes(run)
    pages = dict(site.pages)
    site.pages.clear()  # whoever fetches now gets 404, and shows in the ledger
    try:
        again(run, site)
        assert main(["retry", run]) == 0
    finally:
        site.pages.update(pages)
    assert changed(after, hashes(run)) == set()
    assert set(read_record(run)["stages"]) == set(STAGES)


def records(run, kind="bodies"):
    """The images of the bundle by record, from the tars, after the other formats were compared with them."""
    found = {}
    for tar in sorted(Path(run, "bundle", kind, "webdataset").glob("*.tar")):
        if tar.stat().st_size > EMPTY_TAR:
            samples = webdataset.WebDataset(str(tar), shardshuffle=False)
            found |= {int(one["__key__"]): {part: one[part] for part in ("jpg", "json", "cls")} for one in samples}
    recordio = {}
    for idx in sorted(Path(run, "bundle", kind, "recordio").glob("*.idx")):
        rec = idx.with_suffix(".rec").read_bytes()
        for line in idx.read_text().splitlines():
            record, offset = map(int, line.split("\t"))
            length = struct.unpack_from("<I", rec, offset + 4)[0] & ((1 << 29) - 1)
            recordio[record] = rec[offset + 8 + 24 : offset + 8 + length]
    assert {record: one["jpg"] for record, one in found.items()} == recordio
    return found


def test_a_photograph_leaves_no_byte_and_touches_nothing_else(run, site):
    page = next(row.path for row in site.rows if row.id == "obama-1")
    items = {"obama-1", "hanks-1"}
    wanted = pieces(run, items)
    wanted |= {one["jpg"] for one in records(run).values() if one["json"].find(b"obama-1-") >= 0}
    holders = set(files_with(run, wanted))
    assert len(wanted) > 12
    assert {"manifest", "images", "bodies", "faces", "embeddings", "ledger", "bundle", "splits", "identities"} <= {
        name.partition("/")[0] for name in holders
    }
    kept, was, numbers = records(run), hashes(run), read_column(run, "identities", ["face_id", "identity"]).to_pylist()
    address = f"http://127.0.0.1:{site.port}{page}"
    assert main(["remove", run, "--urls", address, "--images", "hanks-1", "--reference", "DSR 7"]) == 0
    assert files_with(run, wanted | {address.encode()}) == {}
    # beside what held them: an index of records, and what tells of all
    files = {
        name.rpartition("-")[2].partition(".")[0] for name in holders if name.startswith("bundle/") and "-" in name
    }
    beside = {name for name in was if name.startswith("bundle/") and name.rpartition(".")[0].endswith(tuple(files))}
    assert changed(was, hashes(run)) <= holders | beside | tells_of_all(was)
    assert len(files) < len(list(Path(run, "bundle", "bodies", "recordio").glob("*.rec")))
    left = records(run)
    gone = {record for record, one in kept.items() if json.loads(one["json"])["image_id"] in items}
    assert left == {record: one for record, one in kept.items() if record not in gone}
    assert [row for row in numbers if not row["face_id"].startswith(("obama-1-", "hanks-1-"))] == read_column(
        run, "identities", ["face_id", "identity"]
    ).to_pylist()
    assert tally(run, "manifest").by_reason["removed"] == 2
    (entry,) = read_removals(run).entries
    assert (entry["reference"], entry["items"], entry["rows"]["images"]) == ("DSR 7", 2, 2)
    assert_sound(run, site)


def test_people_go_with_the_images_they_are_in(run, site):
    number = identity_of(run, "obama-1")
    theirs = {row for row in column(run, "identities", "image_id") if row.startswith("obama")}
    wanted = pieces(run, theirs)
    assert main(["remove", run, "--identities", str(number), "--with-images"]) == 0
    assert files_with(run, wanted) == {}
    assert not theirs & set(column(run, "images", "image_id"))
    assert number not in column(run, "identities", "identity")
    assert_sound(run, site)


def test_people_go_and_their_images_stay(run, site):
    number = identity_of(run, "obama-1")
    bodies = read_column(run, "bodies", ["body_id", "image_id", "crop"]).to_pylist()
    faces = read_column(run, "identities", ["face_id", "body_id", "identity"]).to_pylist()
    own = [row for row in faces if row["identity"] == number]
    wanted = {row[name].encode() for row in own for name in ("face_id", "body_id")}
    wanted |= {row["crop"] for row in bodies if row["body_id"] in {one["body_id"] for one in own}}
    images = table_content(run, "images")
    assert main(["remove", run, "--identities", str(number), "--keep-images"]) == 0
    assert files_with(run, wanted) == {}
    assert table_content(run, "images") == images
    assert tally(run, "bodies").by_reason["removed"] > 0
    assert tally(run, "manifest").by_reason == {"kept": len(site.rows)}
    assert_sound(run, site)


def test_a_face_that_is_nobody_s_goes_from_its_list_too(run, site):
    listed = read_column(run, "splits", ["split", "image_id", "identity"]).to_pylist()
    nobodys = (row["image_id"] for row in listed if row["split"] == "nobody")
    image = next(name for name in nobodys if not name.startswith("friends"))  # other addresses have that in them
    assert f",{image}," in Path(run, "splits", "nobody.csv").read_text()
    assert_gone(run, ["--images", image], {image}, "image_id", tells_of_all(hashes(run)))
    assert Path(run, "splits", "nobody.csv").exists()
    assert_sound(run, site)


def tells_of_all(names):
    """Files that have places of rows in other rows, or tell of all images; of a set for ArcFace the whole."""
    ends = ("/shards.json", "/arcface/train.rec", "/arcface/train.idx", "/arcface/property", "bundle/statistics.json")
    return {name for name in names if name.startswith("bundle_index/") or name.endswith(ends)}


def test_a_stage_that_is_out_of_date_is_made_anew_by_the_next_run(run, site):
    record = read_record(run)
    record["stages"]["splits"]["input"] = "of another state"
    write_record(run, record)
    assert main(["remove", run, "--images", "obama-1"]) == 0
    assert read_removals(run).entries[0]["made_anew"] == ["splits"]
    assert not Path(run, "splits").exists()
    assert "splits" not in read_record(run)["stages"]
    again(run, site)
    assert "obama-1" not in column(run, "splits", "image_id")
    assert_sound(run, site)


def test_a_dry_run_and_unknown_items_change_nothing(run, capsys):
    was = hashes(run)
    assert main(["remove", run, "--images", "obama-1", "nobody", "--dry-run"]) == 0
    assert "nobody" in capsys.readouterr().out
    assert main(["remove", run, "--images", "nobody"]) == 0
    assert changed(was, hashes(run)) == set()
    assert main(["remove", run, "--identities", "0"]) == 2
    assert "--with-images" in capsys.readouterr().err


def test_a_list_that_is_split_again_leaves_the_removed_out(run, site):
    assert main(["remove", run, "--images", "obama-1"]) == 0
    ledger = table_content(run, "ledger/manifest")
    for name in ("manifest", "ledger/manifest"):
        shutil.rmtree(Path(run, name))
    _, settings = configuration.load("webbody", overrides(site.port))
    split_manifest(str(site.manifest), run, settings.manifest)
    assert table_content(run, "ledger/manifest") == ledger
    assert "obama-1" not in column(run, "manifest", "image_id")
    assert set(column(run, "images", "image_id")) == set(column(run, "manifest", "image_id"))


class Killed(BaseException):
    """Ends the process, as a signal would."""


def test_a_removal_that_is_killed_anywhere_is_finished_by_the_same_command(before, site, tmp_path, monkeypatch):
    words = ["--images", "obama-1", "--identities", str(identity_of(before, "astronaut-1")), "--with-images"]
    whole, replace, commits = str(shutil.copytree(before, tmp_path / "whole")), os.replace, []
    monkeypatch.setattr(os, "replace", lambda *paths: (commits.append(paths), replace(*paths)))
    assert main(["remove", whole, *words]) == 0
    wanted = hashes(whole)
    for last in range(1, len(commits), 3):
        run, left = str(shutil.copytree(before, tmp_path / f"run-{last}")), iter(range(last))

        def until_killed(*paths, left=left):
            if next(left, None) is None:
                raise Killed
            replace(*paths)

        monkeypatch.setattr(os, "replace", until_killed)
        with pytest.raises(Killed):
            main(["remove", run, *words])
        monkeypatch.setattr(os, "replace", replace)
        if last > 2:  # the first are the name of the attempt and the salt
            with pytest.raises(ConfigError, match=r"a removal from this run is not finished; give `manyfaces remove"):
                again(run, site)
        assert main(["remove", run, *words]) == 0
        assert changed(wanted, hashes(run)) == set(), last
        assert len(read_removals(run).entries) == 1
        shutil.rmtree(run)
    assert_sound(whole, site)


def test_what_was_removed_stays_out_when_identities_are_found_anew(run, site):
    assert main(["remove", run, "--images", "obama-1"]) == 0
    run_webbody(site.manifest, run, site.port, *SPLITS, "identity.clusters.link_similarity=0.35", recompute=True)
    assert "obama-1" not in column(run, "identities", "image_id")


def test_a_bundle_is_made_anew_of_identities_that_are_not_numbered_without_gaps(run, site):
    number = identity_of(run, "obama-1")
    assert main(["remove", run, "--identities", str(number), "--with-images"]) == 0
    left = {one["jpg"] for one in records(run).values()}
    run_webbody(site.manifest, run, site.port, *SPLITS[1:], "bundle.records_per_file=50", recompute=True)
    assert {one["jpg"] for one in records(run).values()} == left
    assert number not in column(run, "splits", "identity")
