"""The example of persons in a video, on real videos with real models: twice the same, of nobody, and no video."""

import re

import cv2
import pytest

from beam_pipelines.demos.slideshow import Slide, write_slideshow
from examples import who_is_in_it
from tests import photographs

pytestmark = [pytest.mark.integration, pytest.mark.xdist_group("examples")]


def film(path, *names):
    """A video of photographs, two seconds each."""
    pictures = [cv2.imread(str(photographs.path(name)), cv2.IMREAD_COLOR_RGB) for name in names]
    write_slideshow(str(path), [Slide(one[: one.shape[1]], 50) for one in pictures], 480, 480)
    return str(path)


def test_the_persons_of_a_video_and_when_they_are_seen(tmp_path, capsys):
    video, output = film(tmp_path / "two people.mp4", "obama-1", "biden-1", "obama-2"), tmp_path / "run"
    said = []
    for _ in range(2):  # the second time nothing is extracted again
        who_is_in_it.main([video, "--output", str(output)])
        said.append(capsys.readouterr().out)
    first, second = (re.fullmatch(r"person \d: (\S+) s, (\d+) faces: (.*)", line) for line in said[0].splitlines())
    assert said[0] == said[1]
    assert (float(first[1]), int(first[2]), first[3].count(",")) == (pytest.approx(4, abs=0.5), 8, 1)
    assert (float(second[1]), int(second[2]), second[3].count(",")) == (pytest.approx(2, abs=0.5), 4, 0)
    heights = [cv2.imread(str(output / name)).shape[0] for name in ("before.png", "after.png")]
    assert heights[0] >= heights[1] > 0


def test_a_video_without_people(tmp_path, capsys):
    assert who_is_in_it.persons_of(film(tmp_path / "lake.mp4", "lake-1"), str(tmp_path / "run")) == []
    assert (tmp_path / "run" / "after.png").exists()


def test_a_file_that_is_no_video_is_told_in_a_sentence(tmp_path):
    (tmp_path / "page.mp4").write_text("<!doctype html><title>No video</title>")
    with pytest.raises(SystemExit, match=r"page\.mp4: nothing was taken of it: not_a_video"):
        who_is_in_it.main([str(tmp_path / "page.mp4"), "--output", str(tmp_path / "run")])
