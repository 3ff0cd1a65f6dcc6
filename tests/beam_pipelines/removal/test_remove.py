"""Taking images out of a run that only downloads, on every storage: copies, failures and their retries go too."""

import csv
import json

import cv2
import numpy as np
import pytest

from beam_pipelines import config as configuration
from beam_pipelines.cli import main
from beam_pipelines.demos.photographs import Page, serve
from beam_pipelines.driver.record import read_record
from tests.integration.runs import column, contents, run_webbody, table_content
from transforms.fetch.lists.manifest import split_manifest
from transforms.tables.files import commit_file, exists
from transforms.tables.ledger import tally
from transforms.tables.removals import RECORD, UNDER_WAY, read_removals
from transforms.tables.retry import plan_retry

pytestmark = pytest.mark.server

JOBS = "jobs=[[download], [deduplicate]]"
RELAXED = ("max_failed_share=1", "fetch.retries=0", "manifest.rows_per_shard=3")


def picture(seed: int) -> Page:
    pixels = np.random.default_rng(seed).integers(0, 256, (64, 64, 3), np.uint8)
    return Page(200, {}, cv2.imencode(".jpg", cv2.resize(pixels, (96, 96)))[1].tobytes())


class Site:
    """A server of pictures, of which `a` and `copy` are the same, and their list."""

    def __init__(self, folder):
        names = ["a", "b", "copy", "c", "busy", "gone", "d"]
        self.pages = {f"/{name}.jpg": picture(number) for number, name in enumerate(names)}
        self.pages |= {
            "/copy.jpg": self.pages["/a.jpg"],
            "/busy.jpg": Page(503, {}, b""),
            "/gone.jpg": Page(404, {}, b""),
        }
        self.manifest = folder / "list.csv"
        self.port = 0

    def url(self, name):
        return f"http://127.0.0.1:{self.port}/{name}.jpg"

    def write(self):
        rows = [(name[1:-4], self.url(name[1:-4])) for name in self.pages]
        rows += [("again", self.url("a")), ("a", self.url("other")), ("", "")]
        with self.manifest.open("w", newline="") as out:
            csv.writer(out).writerows([("id", "url"), *rows])

    def run(self, folder):
        return run_webbody(self.manifest, folder, self.port, JOBS, *RELAXED)


@pytest.fixture
def site(tmp_path):
    made = Site(tmp_path)
    with serve(made.pages) as made.port:
        made.write()
        yield made


def told(run_):
    """All that a run has but what tells of its starts and its removals."""
    return {name: content for name, content in contents(run_).items() if name not in (RECORD, UNDER_WAY)}


def test_a_url_goes_with_its_copies_and_all_that_quotes_it(site, folder):
    run = site.run(folder)
    before = told(run)
    assert main(["remove", run, "--urls", site.url("a")]) == 0
    assert column(run, "images", "image_id") == ["b", "c", "d"]
    assert tally(run, "manifest").by_reason == {"duplicate_id": 1, "kept": 5, "no_url": 1, "removed": 3}
    assert column(run, "ledger/manifest", "item_id") == [
        "~row-0", "b", "~row-2", "c", "busy", "gone", "d", "~row-7", "~row-8", "~row-9",
    ]  # fmt: skip
    after = told(run)
    text = json.dumps(after, default=str)
    assert site.url("a") not in text
    assert '"a"' not in text
    assert "copy" not in text
    assert {name for name in before if before[name] != after.get(name)} == {
        "README.md",  # which tells counts
        "manifest/part-000000.parquet",
        "images/part-000000.parquet",
        "duplicates/part-00000.parquet",
        "ledger/manifest/part-000000.parquet",
        "ledger/manifest/part-000002.parquet",
        "ledger/download/part-000000.parquet",
        "ledger/deduplicate/part-00000.parquet",
    }
    site.pages.clear()
    site.run(folder)
    assert told(run) == after
    assert read_record(run)["stages"]["download"]["reasons"] == {"http_404": 1, "http_503": 1}


def test_reports_that_show_faces_go_and_only_when_something_does(site, folder):
    run = site.run(folder)
    for name in ("evaluation/mistakes.csv", "verification/hardest.csv", "video.csv", "calibration/calibration.json"):
        with commit_file(f"{run}/{name}") as out:
            out.write(site.url("a").encode())
    assert main(["remove", run, "--urls", site.url("never")]) == 0
    assert exists(f"{run}/evaluation/mistakes.csv")
    assert main(["remove", run, "--urls", site.url("a")]) == 0
    assert not exists(f"{run}/evaluation/mistakes.csv")
    assert not exists(f"{run}/verification/hardest.csv")
    assert not exists(f"{run}/video.csv")
    assert exists(f"{run}/calibration/calibration.json")  # numbers alone


def test_what_is_none_of_the_run_s_stays_and_is_told(site, folder, capsys):
    run = site.run(folder)
    assert main(["remove", run, "--urls", site.url("b")]) == 0
    assert "not searched" not in capsys.readouterr().out
    for name in ("sheet.png", "mine/faces.csv", "images/notes.txt"):
        with commit_file(f"{run}/{name}") as out:
            out.write(site.url("a").encode())
    assert main(["remove", run, "--urls", site.url("a")]) == 0
    assert "not of the run, and not searched: 'mine', 'sheet.png'; look yourself" in capsys.readouterr().out
    assert exists(f"{run}/sheet.png")


def test_what_failed_and_was_tried_again_goes_with_its_tries(site, folder):
    run = site.run(folder)
    assert main(["retry", run]) == 0
    assert main(["remove", run, "--images", "busy"]) == 0
    assert "busy" not in json.dumps(told(run), default=str)
    assert tally(run, "download").by_reason == {"http_404": 1, "kept": 5}
    site.pages["/gone.jpg"] = picture(9)
    assert main(["retry", run]) == 0
    assert sorted(column(run, "images", "image_id")) == ["a", "b", "c", "copy", "d", "gone"]


def test_a_planned_retry_forgets_what_is_removed(site, folder):
    run = site.run(folder)
    assert plan_retry(run, "download", transient_only=True, rows_per_shard=10) == 1
    assert main(["remove", run, "--images", "busy"]) == 0
    site.pages["/busy.jpg"] = picture(8)
    site.run(folder)
    assert "busy" not in column(run, "images", "image_id")
    assert tally(run, "download").by_reason == {"http_404": 1, "kept": 5}


def test_the_record_tells_everything_but_what_was_removed(site, folder):
    run = site.run(folder)
    assert main(["remove", run, "--urls", site.url("a"), "http://elsewhere/x.jpg", "--reference", "request 12"]) == 0
    removals = read_removals(run)
    (entry,) = removals.entries
    assert (entry["reference"], entry["items"], entry["exact_copies"], entry["unknown"]) == ("request 12", 2, 1, 1)
    assert entry["rows"] == {"manifest": 2, "images": 2, "duplicates": 1}
    assert entry["begun"] <= entry["finished"]
    assert all(map(removals.has, (site.url("a"), site.url("copy"), "http://elsewhere/x.jpg")))
    assert not removals.has(site.url("b"))
    assert "jpg" not in json.dumps(entry)
    assert not exists(f"{run}/{UNDER_WAY}")


def test_removed_before_and_unknown_items_are_told(site, tmp_path, capsys):
    run = site.run(str(tmp_path / "run"))
    asked = tmp_path / "urls.txt"
    asked.write_text(f"{site.url('b')}\n\n{site.url('nothing')}\n")
    assert main(["remove", run, "--urls", str(asked), "--images", "nobody"]) == 0
    assert "not in the run: 2" in capsys.readouterr().out
    before = told(run)
    assert main(["remove", run, "--urls", str(asked)]) == 0
    assert "removed before: 2 of 2 URLs" in capsys.readouterr().out
    assert told(run) == before
    assert len(read_removals(run).entries) == 1


def test_a_list_with_new_rows_that_is_split_anew_has_no_removed_url(site, tmp_path):
    run = site.run(str(tmp_path / "run"))
    assert main(["remove", run, "--urls", site.url("b")]) == 0
    with site.manifest.open("a") as out:
        out.write(f"b-again,{site.url('b')}\nnew,{site.url('gone')}?2\n")
    run_webbody(site.manifest, run, site.port, JOBS, *RELAXED, recompute=True)
    assert column(run, "images", "image_id") == ["a", "copy", "c", "d"]
    assert tally(run, "manifest").by_reason["removed"] == 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "name what is to go"),
        (["--identities", "3"], "--with-images removes them too"),
        (["--identities", "3", "--keep-images"], "has no identities; name images or URLs"),
        (["--identities", "three", "--keep-images"], "neither a file nor the number of an identity"),
    ],
)
def test_wrong_use_is_one_clear_sentence(site, tmp_path, words, sentence, capsys):
    run = site.run(str(tmp_path / "run"))
    before = told(run)
    assert main(["remove", run, *words]) == 2
    assert sentence in capsys.readouterr().err
    assert told(run) == before


def test_where_there_is_no_run_nothing_is_made(tmp_path, capsys):
    assert main(["remove", str(tmp_path / "none"), "--images", "a"]) == 2
    assert "there is no run here" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


def test_an_interrupted_split_goes_on_beside_a_removal(site, tmp_path):
    _, settings = configuration.load("webbody", [*RELAXED])
    whole, half = str(tmp_path / "whole"), site.run(str(tmp_path / "half"))
    split_manifest(str(site.manifest), whole, settings.manifest)
    assert main(["remove", half, "--urls", site.url("a")]) == 0
    (tmp_path / "half" / "manifest" / "part-000001.parquet").unlink()
    (tmp_path / "half" / "ledger" / "manifest" / "part-000001.parquet").unlink()
    split_manifest(str(site.manifest), half, settings.manifest)
    assert table_content(half, "manifest")["000001"] == table_content(whole, "manifest")["000001"]
    assert [row["image_id"] for row in table_content(half, "manifest")["000000"]] == ["b"]
