"""The recipe webbody from a list of URLs to identities and bundles, with the real models of the CPU profile."""

import csv
import json
import shutil
from itertools import combinations
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import webdataset
import yaml

from beam_pipelines.cli import main
from beam_pipelines.demos.photographs import DemoRow, Page, serve
from beam_pipelines.driver.record import read_record
from beam_pipelines.reports import inspection
from tests.integration.runs import (
    ROW_TABLES,
    STAGES,
    assert_same_run,
    column,
    overrides,
    run_webbody,
    table_content,
    write_list,
)
from transforms.tables.ledger import tally
from transforms.tables.shards import read_column

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("webbody")]


def test_every_stage_balances(whole_run, site):
    rows = {"manifest": len(site.rows)}
    rows |= {
        table: len(column(whole_run, table, key))
        for table, key in (
            ("images", "image_id"),
            ("bodies", "body_id"),
            ("faces", "face_id"),
            ("embeddings", "face_id"),
        )
    }
    entered = [len(site.rows), rows["manifest"], rows["images"], rows["bodies"], rows["faces"], rows["embeddings"]]
    assert [tally(whole_run, stage).items for stage in STAGES[:6]] == entered
    assert all(n > 0 for n in entered)


def test_the_same_person_ends_in_one_identity(whole_run):
    table = read_column(whole_run, "identities", ["image_id", "identity"]).to_pylist()
    found = {row["image_id"]: row["identity"] for row in table if row["identity"] is not None}
    obama = {found[image] for image in found if image.startswith("obama")}
    assert len(obama) == 1
    alone = {number for image, number in found.items() if image.startswith(("biden", "astronaut"))}
    assert not obama & alone
    assert len(alone) == 2


def test_embeddings_tell_people_apart(whole_run):
    table = read_column(whole_run, "embeddings", ["image_id", "vector"])
    vectors = dict(zip(table["image_id"].to_pylist(), np.array(table["vector"].to_pylist(), np.float32), strict=True))
    units = {name: vector / np.linalg.norm(vector) for name, vector in vectors.items()}
    obama = [units[f"obama-{i}"] for i in (1, 2, 3)]
    assert min(a @ b for a, b in combinations(obama, 2)) > 0.6
    assert max(a @ units["biden-1"] for a in obama) < 0.3


def test_columns_of_the_manifest_come_out_at_the_end(whole_run, tmp_path):
    target = tmp_path / "faces.csv"
    assert main(["inspect", whole_run, "--table", "identities", "--to", str(target)]) == 0
    rows = list(csv.DictReader(target.open()))
    assert {"face_id", "identity", "url", "who", "number"} <= set(rows[0])
    assert all(row["who"] == "obama" for row in rows if row["image_id"].startswith("obama"))
    assert inspection.export(whole_run, "faces", str(tmp_path / "faces.parquet")) == len(
        column(whole_run, "faces", "face_id")
    )
    assert "crop" not in pq.read_schema(tmp_path / "faces.parquet").names


def test_the_run_and_its_bundle_have_cards_that_name_their_tables(whole_run):
    for card, names in (
        ("README.md", {*ROW_TABLES, "bundle_index", "bundle_keypoints", "cleaning", "label_map"}),
        ("bundle/README.md", {"bodies", "faces"}),
    ):
        head = yaml.safe_load(Path(whole_run, card).read_text().split("---\n")[1])
        assert {one["config_name"] for one in head["configs"]} >= names
    told = json.loads(Path(whole_run, "croissant.json").read_text())
    assert {one["@id"] for one in told["recordSet"]} >= set(ROW_TABLES)


def test_inspect_shows_tables_and_sample_rows(whole_run, capsys):
    assert main(["inspect", whole_run]) == 0
    assert main(["inspect", whole_run, "--table", "faces"]) == 0
    shown = capsys.readouterr().out
    assert "ledger/faces" in shown
    assert "degrees" in shown
    assert '"face_id"' in shown
    assert main(["inspect", whole_run, "--table", "faecs"]) == 2
    assert "there is no table 'faecs'; did you mean 'faces'?" in capsys.readouterr().err


def test_run_json_tells_what_the_run_was_made_with(whole_run):
    record = read_record(whole_run)
    assert set(record["stages"]) == set(STAGES)
    assert all(len(model["sha256"]) == 64 and model["licence"] for model in record["models"].values())
    assert record["config"]["bodies"]["min_score"] == 0.38
    assert record["versions"]["apache-beam"]


def test_results_do_not_depend_on_the_cuts(whole_run, site, tmp_path):
    cuts = "jobs=[[download, bodies], [faces], [embeddings], [identity], [bundle], [splits]]"
    assert_same_run(run_webbody(site.manifest, tmp_path / "cut", site.port, cuts), whole_run)


def test_equal_bytes_are_one_item_when_asked(site, tmp_path):
    photo = next(page for row in site.rows if row.id == "biden-1" for page in [site.pages[row.path]])
    rows = [DemoRow(f"copy-{i}", f"/copy-{i}.jpg", "biden", "") for i in range(3)]
    with serve({row.path: photo for row in rows}) as port:
        manifest = tmp_path / "copies.csv"
        write_list(manifest, rows, port)
        cuts = "jobs=[[download], [deduplicate], [bodies, faces, embeddings]]"
        run = run_webbody(manifest, tmp_path / "run", port, cuts)
    assert column(run, "images", "image_id") == ["copy-0", "copy-1", "copy-2"]
    assert column(run, "duplicates", "image_id") == ["copy-1", "copy-2"]
    assert set(column(run, "bodies", "image_id")) == {"copy-0"}
    assert tally(run, "deduplicate").by_reason == {"duplicate_content": 2, "kept": 1}
    assert tally(run, "bodies").items == 1


def test_retry_takes_only_what_failed(site, tmp_path, capsys):
    photo = next(page for row in site.rows if row.id == "biden-1" for page in [site.pages[row.path]])
    rows = [DemoRow(name, f"/{name}.jpg", "", "") for name in ("good", "busy", "gone")]
    pages = {"/good.jpg": photo, "/busy.jpg": Page(503, {}, b""), "/gone.jpg": Page(404, {}, b"")}
    with serve(pages) as port:
        manifest = tmp_path / "list.csv"
        write_list(manifest, rows, port)
        relaxed = ("fetch.retries=0", "max_failed_share=1")
        run = run_webbody(manifest, tmp_path / "run", port, *relaxed)
        assert tally(run, "download").by_reason == {"http_404": 1, "http_503": 1, "kept": 1}
        before = table_content(run, "bodies")
        pages["/busy.jpg"] = pages["/gone.jpg"] = photo
        assert main(["retry", run, "--transient-only"]) == 0
        assert tally(run, "download").by_reason == {"http_404": 1, "kept": 2}
        assert sorted(set(column(run, "faces", "image_id"))) == ["busy", "good"]
        assert main(["retry", run]) == 0
        assert tally(run, "download").by_reason == {"kept": 3}
        assert "1 in download" in capsys.readouterr().out
    after = table_content(run, "bodies")
    assert {name: after[name] for name in before} == before
    assert len(column(run, "identities", "face_id")) == len(column(run, "faces", "face_id"))


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["run", "webbody", "--output", "x"], 2, "--input"),
        (["run", "webbod", "--input", "x", "--output", "x"], 2, "no such configuration"),
        (
            ["run", "webbody", "--input", "x", "--output", "x", "--set", "bodies.min_scor=1"],
            2,
            "did you mean 'bodies.min_score'",
        ),
        (["run", "webbody", "--input", "x", "--output", "x", "--set", "bodies.min_score=2"], 2, "bodies.min_score"),
        (["run", "webbody", "--input", "/no/list.csv", "--output", "x"], 2, "/no/list.csv"),
        (["inspect", "/no/run"], 2, "no run here"),
        (["config", "check", "webbody-gpu"], 2, "write `vit-kprpe: {sources: [{uri: PATH, sha256: ITS SHA-256}]}`"),
        (["config", "check", "webbody"], 0, ""),
        (["models", "list"], 0, ""),
    ],
)
def test_wrong_use_is_one_clear_sentence(words, code, sentence, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(words) == code
    assert sentence in capsys.readouterr().err


def test_a_changed_threshold_is_refused_until_recompute(site, whole_run, tmp_path, capsys):
    run = str(shutil.copytree(whole_run, tmp_path / "run"))
    settings = [
        word
        for override in overrides(site.port, "identity.clusters.link_similarity=0.5")
        for word in ("--set", override)
    ]
    command = ["run", "webbody", "--input", str(site.manifest), "--output", run, *settings]
    bodies = table_content(run, "bodies")
    assert main(command) == 2
    assert "--recompute" in capsys.readouterr().err
    assert main([*command, "--recompute"]) == 0
    assert table_content(run, "bodies") == bodies


def test_the_contact_sheet_shows_every_identity(whole_run, tmp_path, capsys):
    import cv2

    sheet = tmp_path / "sheet.png"
    assert main(["inspect", whole_run, "--sheet", str(sheet)]) == 0
    count = int(capsys.readouterr().out.split()[0])
    numbers = {n for n in column(whole_run, "identities", "identity") if n is not None}
    assert count == len(numbers)
    assert cv2.imread(str(sheet)).shape[0] > 100 * count


def test_a_download_alone_needs_no_model(site, tmp_path):
    run = run_webbody(site.manifest, tmp_path / "run", site.port, "jobs=[[download]]")
    assert read_record(run)["models"] == {}
    assert len(column(run, "images", "image_id")) == len(site.rows)
    assert not table_content(run, "bodies")


def test_row_tables_are_all_there(whole_run):
    for table in ROW_TABLES:
        assert table_content(whole_run, table)


def test_bundles_carry_the_manifest_s_own_columns(whole_run):
    tar = f"{whole_run}/bundle/bodies/webdataset/bodies-000000.tar"
    samples = list(webdataset.WebDataset(tar, shardshuffle=False))
    kept = sum(identity is not None for identity in column(whole_run, "identities", "identity"))
    assert len(samples) == kept
    described = [json.loads(sample["json"]) for sample in samples]
    assert all(one["source"]["who"] == "obama" for one in described if one["image_id"].startswith("obama"))
    assert len({one["identity"] for one in described}) > 3
