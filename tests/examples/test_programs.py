"""The programs that read a run and call a model, on real runs and a real photograph."""

import sys

import pytest
from PIL import Image

from examples import own_model, read_a_run
from tests import photographs
from tests.examples.conftest import EXAMPLES
from tests.examples.test_image_folder import images

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("examples")]


def test_reasons_are_those_of_the_record(faces, people):
    for run in (faces, people):
        told = read_a_run.reasons(run)
        assert ("download", "failed", "http_404", 1) in told
        for name, stage in run.record["stages"].items():
            for state in ("kept", "dropped", "failed"):
                assert sum(n for where, what, _, n in told if (where, what) == (name, state)) == stage[state]


def test_identities_and_their_faces(faces, people):
    assert read_a_run.faces_per_identity(faces) == {}
    found = read_a_run.faces_per_identity(people)
    assert list(found) == list(range(len(found)))
    assert max(found.values()) >= 2  # one of them is in two photographs
    assert sum(found.values()) == len(images(people.folder))


def test_crops_are_pictures(faces, people, tmp_path):
    assert read_a_run.save_crops(faces, str(tmp_path)) == []
    saved = read_a_run.save_crops(people, str(tmp_path / "crops"), most=2)
    assert len(saved) == 2
    for path in saved:
        with Image.open(path) as image:
            assert image.format == "JPEG"


def test_the_program_says_it_all(faces, people, tmp_path, capsys):
    read_a_run.main([people.folder, "--crops", str(tmp_path / "crops")])
    said = capsys.readouterr().out
    assert "identity 0: " in said
    assert f"faces -> {tmp_path / 'crops'}" in said
    read_a_run.main([faces.folder])
    assert "no_face" in capsys.readouterr().out


@pytest.mark.parametrize("name", ["pandas", "duckdb"])
def test_what_is_not_installed_is_told_in_a_sentence(name, faces, monkeypatch):
    monkeypatch.setitem(sys.modules, name, None)
    said = getattr(read_a_run, f"with_{name}")(faces, "detections")
    assert said.startswith(f"{name} is not installed; with `pip install {name}`")


def test_a_model_prints_the_boxes_of_a_picture(capsys):
    own_model.main([str(photographs.path("obama-1")), "--min-score", "0.5"])
    (line,) = capsys.readouterr().out.splitlines()
    score, *box = map(float, line.split())
    assert 0.5 <= score <= 1
    assert 0 <= box[0] < box[2]
    assert 0 <= box[1] < box[3]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["no.jpg"], "No such file or directory: 'no.jpg'"),
        ([__file__], "not an image|no image|broken_image"),
        ([str(EXAMPLES.parent / "docs/persons.jpg"), "--model", "centerfaec"], "did you mean 'centerface'"),
    ],
)
def test_a_picture_or_a_model_that_is_none_is_told_in_a_sentence(words, message):
    with pytest.raises(SystemExit, match=message):
        own_model.main(words)


def test_a_folder_that_is_no_run_is_told_in_a_sentence(tmp_path):
    with pytest.raises(SystemExit, match=r"there is no ledger of any stage\.$"):
        read_a_run.main([str(tmp_path)])
