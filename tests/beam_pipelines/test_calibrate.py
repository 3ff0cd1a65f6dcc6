"""`manyfaces calibrate` as it is typed and from Python: the table, the files, and what it cannot find a link in."""

import json

import cv2
import pytest

import manyfaces
from beam_pipelines import cli
from tests.embedded_faces import write_pictures
from tests.transforms.identity.people import people


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> str:
    units, _ = people([5] * 40)
    vectors = {f"p{n:03d}": vector.tolist() for n, vector in enumerate(units)}
    return write_pictures(str(tmp_path_factory.mktemp("run")), vectors)


def test_the_command_shows_and_writes_what_it_found(run, capsys):
    assert cli.main(["calibrate", run]) == cli.DONE
    shown = capsys.readouterr().out
    with open(f"{run}/calibration/calibration.json") as file:
        record = json.load(file)
    assert record["faces"] == 200
    assert f"{record['link']:.3f}" in shown
    assert "identity.clusters.link_similarity" in shown
    assert shown.splitlines()[-2:] == [f"{run}/calibration/calibration.json", f"{run}/calibration/calibration.png"]
    picture = cv2.imread(f"{run}/calibration/calibration.png")
    assert picture.shape == (600, 1400, 3)
    assert len({tuple(pixel) for row in picture[::7, ::7] for pixel in row.tolist()}) > 10  # something is drawn


def test_the_method_and_wrong_links_matter(run, tmp_path):
    average = manyfaces.calibrate(run)
    connected = manyfaces.calibrate(manyfaces.Run(run), method="connected", output=str(tmp_path / "out"))
    strict = manyfaces.calibrate(run, wrong_links=1e-4)
    assert average["link"] < connected["link"]
    assert average["link"] < strict["link"]
    assert strict["wrong_links"] <= 1e-4
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["calibration.json", "calibration.png"]


def test_a_run_without_vectors_is_a_sentence(tmp_path, capsys):
    assert cli.main(["calibrate", str(tmp_path)]) == cli.UNUSABLE
    assert "has no table embeddings yet" in capsys.readouterr().err


def test_too_few_faces_are_a_sentence(tmp_path, capsys):
    units, _ = people([1, 1, 1])
    few = write_pictures(str(tmp_path / "run"), {f"p{n}": vector.tolist() for n, vector in enumerate(units)})
    assert cli.main(["calibrate", few]) == cli.UNUSABLE
    assert "3 faces are too few to find a link; at least 30 are needed." in capsys.readouterr().err
    assert not (tmp_path / "run" / "calibration").exists()


@pytest.mark.parametrize(
    ("given", "words"),
    [({"method": "median"}, "method 'median': it must be one of average, connected"), ({"wrong_links": 0}, "above 0")],
)
def test_wrong_arguments_are_sentences(run, given, words):
    with pytest.raises(manyfaces.ConfigError, match=words):
        manyfaces.calibrate(run, **given)
