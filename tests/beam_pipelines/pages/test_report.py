"""The page of a run: what stands on it, and what does not."""

import re
from dataclasses import replace

import numpy as np
import pytest

from beam_pipelines import cli
from beam_pipelines.driver.record import write_record
from beam_pipelines.errors import ConfigError
from beam_pipelines.pages import dropped, evidence, identities
from beam_pipelines.pages.report import report
from beam_pipelines.pages.source import read_source
from beam_pipelines.reports.folders import OF_PEOPLE
from tests.beam_pipelines.pages.reported_run import EVIL, NAMES, record, stage, write_run
from tests.labelled_run import identity_row, write_table
from tests.person_tables import write_tables
from transforms.tables.cover_rows import AnonymizedImage, ShotCovers
from transforms.tables.ledger import write_ledger
from transforms.tables.rows import Identity
from transforms.tables.verdicts import verdict


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> str:
    return write_run(str(tmp_path_factory.mktemp("reported") / "run"))


@pytest.fixture(scope="module")
def page_text(run) -> str:
    return report(run)


def _sections(text: str) -> list[str]:
    return re.findall(r'<section id="([a-z]+)"', text)


def test_the_sections_of_a_run_of_images_in_order(page_text):
    assert _sections(page_text) == [
        "funnel", "identities", "dropped", "quality", "cleaning", "evidence", "models", "times",
    ]  # fmt: skip


def test_the_run_in_a_sentence(page_text):
    assert (
        "webbody: 13 listed items came to 12 fetched items, 12 faces, 11 identified faces and 2 identities. Most "
        "often left out: 1 not_an_image (download), 1 noise (identity). The run is finished; its jobs took 4.5 s."
        in page_text
    )


def test_texts_of_strangers_are_escaped(page_text):
    assert "<script" not in page_text
    assert "&lt;script&gt;" in page_text
    assert "onerror=alert(1)>" not in page_text


def test_nothing_is_loaded(page_text):
    assert set(re.findall(r'(?:src|href)="([^":]*[:#])', page_text)) == {"data:", "#"}


def test_each_identity_is_shown_once_with_its_faces(page_text):
    assert "identity 0: 6 faces, similarity to the centre at least 0.900" in page_text
    assert "identity 1: 5 faces" in page_text
    assert page_text.count("<p>identity ") == 2


def test_cleaning_tells_wrong_and_right_pairs(page_text):
    assert "90.0% -&gt; 95.0%" in page_text


def test_items_without_pixels_are_rows_and_others_pictures(run):
    samples = {one.reason: one for one in dropped.read_samples(read_source(run))}
    assert samples["not_an_image"].items[0][0] == "bad"
    assert samples["noise"].items == ((f"{NAMES[-1]}-b0-f0", ""),)
    body = dropped.section(read_source(run)).body
    assert "http://h/bad.jpg" in body
    assert body.count("<img ") == 1


def test_samples_are_spread_over_the_ledger(tmp_path):
    run, items = str(tmp_path), 50
    for shard in range(2):
        entries = [(verdict(f"i{25 * shard + n}", "noise"), 0) for n in range(25)]
        write_ledger(run, "identity", f"{shard:05d}", entries)
    write_record(run, record(stages={"identity": stage(0, 0, noise=items)}))
    (sample,) = dropped.read_samples(read_source(run))
    assert [int(name[1:]) for name, _ in sample.items] == np.linspace(0, items - 1, dropped.EACH).round().tolist()


def test_two_faces_of_one_picture_in_an_identity_contradict_it(tmp_path):
    rows = [identity_row(f"f{n}", f"i{image}", ("c", whose)) for n, (image, whose) in
            enumerate([(0, 5), (0, 5), (0, 5), (1, 5), (1, 6), (2, None), (2, None), (3, 7), (4, 7)])]  # fmt: skip
    write_table(str(tmp_path), "identities", Identity, rows)
    found = evidence.together(str(tmp_path))
    assert (found.pictures, found.faces, found.identities) == (1, 3, 1)
    assert [rows.tolist() for rows in found.rows] == [[0, 1, 2]]


def test_members_are_by_identity_and_falling_similarity(tmp_path):
    near = [(0, 2, 0.5), (1, 9, 0.7), (2, 2, 0.8), (3, None, None), (4, 2, 0.6)]
    rows = [replace(identity_row(f"f{n}", "i", ("c", whose)), similarity=far) for n, whose, far in near]
    write_table(str(tmp_path), "identities", Identity, rows)
    members = identities.read_members(str(tmp_path))
    assert members.number.tolist() == [2, 9]
    assert members.sizes.tolist() == [3, 1]
    assert members.row.tolist() == [2, 4, 0, 1]
    assert identities.face_ids(str(tmp_path), np.array([4, 1])) == {1: "f1", 4: "f4"}


def test_a_run_of_videos_has_a_timeline_of_its_persons(tmp_path):
    run = str(tmp_path)
    write_tables(run)
    write_record(run, record(recipe="person_clustering", stages={}))
    text = report(run)
    assert _sections(text) == ["identities", "videos", "quality", "evidence", "models"]
    assert "person 1: 0.0 to 4.5 s" in text
    assert "person 0: 8.5 to 9.5 s" in text


def test_a_run_that_has_only_begun_gives_a_page(tmp_path):
    run = str(tmp_path)
    write_record(run, {"recipe": "webbody", "config": {"jobs": [["download", "bodies"], ["identity"]]}})
    assert "webbody: nothing has been done yet." in report(run)
    write_ledger(run, "bodies", "00000", [(verdict("a", "no_body"), 0)])
    write_ledger(run, "download", "00000", [(verdict("a", ""), 1), (verdict("b", "timeout"), 0)])
    text = report(run)
    assert _sections(text) == ["funnel", "dropped"]
    assert text.index("download (so far)") < text.index("bodies (so far)")
    assert "download: 50% of 2 items failed." in text


def test_an_empty_run_says_so(tmp_path):
    run = str(tmp_path)
    write_record(run, record(stages={"manifest": stage(0, 0), "download": stage(0, 0)}))
    assert "NOTHING WAS KEPT" in report(run)


@pytest.mark.parametrize(("table", "row"), [("covers", ShotCovers), ("anonymized", AnonymizedImage)])
def test_nothing_is_shown_of_faces_that_are_to_be_covered(tmp_path, table, row):
    run = write_run(str(tmp_path))
    assert "<img " in report(run)
    write_table(run, table, row, [])
    assert "<img " not in report(run)


def test_no_run_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"there is no run here \(no run.json\)"):
        report(str(tmp_path))


def test_a_removal_deletes_the_page():
    assert "report.html" in OF_PEOPLE


def test_the_command_writes_the_page_into_the_run(tmp_path, capsys):
    run = write_run(str(tmp_path / "run"))
    assert cli.main(["report", run]) == 0
    assert "report.html: " in capsys.readouterr().out
    assert EVIL not in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
    assert cli.main(["report", run, "--output", str(tmp_path / "page.txt")]) == 2
    assert "must end in .html" in capsys.readouterr().err
