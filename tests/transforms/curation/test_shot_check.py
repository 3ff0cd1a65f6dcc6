"""Sequences are verified on real frames: a window over a cut is none."""

from fractions import Fraction

import pytest

from model_handlers.models import catalogue
from model_handlers.models.roles import KnownModels
from tests import videos
from tests.transforms.curation.test_persons import candidate
from transforms.curation.shot_check import ShotCheck, first_uncut
from transforms.videos.shot_settings import ShotSettings

ADAPTIVE = ShotSettings(detector="adaptive")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run with one video of 180 frames that has cuts at 70 and 120."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "media").mkdir()
    shots = videos.scenes(["obama-1", "biden-1", "obama-2"], [70, 50, 60])
    videos.write(folder / "media" / "v.mp4", shots, videos.File(fps=Fraction(25)))
    return str(folder)


def window(first, step=10, length=5, **changes):
    return tuple(candidate(i, number=first + step * i, **changes) for i in range(length))


def test_there_may_be_no_window(run):
    assert first_uncut([], ShotCheck(run, ADAPTIVE)) == ()


@pytest.mark.parametrize("detector", ["adaptive", "content"])
@pytest.mark.parametrize(
    ("firsts", "found"),
    [
        ([0], 0),
        ([29], 29),  # ends at 69, the last frame of the first shot
        ([30], None),  # ends at 70, the first of the second
        ([40, 50, 69], None),
        ([60, 70, 0], 70),
        ([100, 20], 20),
        ([119, 120], 120),
    ],
)
def test_the_first_window_without_a_cut(run, firsts, found, detector):
    windows = [window(first) for first in firsts]
    chosen = first_uncut(windows, ShotCheck(run, ShotSettings(detector=detector)))
    assert chosen == (() if found is None else window(found))


def test_gaps_that_windows_share_are_searched_once(run, monkeypatch):
    from transforms.curation import shot_check

    searched = []
    real = shot_check.cuts_between
    monkeypatch.setattr(shot_check, "cuts_between", lambda *a: searched.append(a[1:3]) or real(*a))
    assert first_uncut([window(n) for n in (40, 50, 60, 20)], ShotCheck(run, ADAPTIVE)) == window(20)
    assert searched == [(40, 51), (50, 61), (60, 71), (20, 31), (30, 41)]


def test_known_shots_need_no_video():
    known = window(0, shot=3, media="media/none.mp4")
    assert first_uncut([known], ShotCheck("/nowhere", ADAPTIVE)) == known


def test_a_video_that_does_not_decode_has_no_sequence(tmp_path):
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    assert first_uncut([window(0, media="broken.mp4")], ShotCheck(str(tmp_path), ADAPTIVE)) == ()


@pytest.mark.integration
def test_a_network_may_tell_the_cuts(run):
    network = KnownModels(catalogue.load()).of(cuts="transnetv2")
    check = ShotCheck(run, ShotSettings(detector="transnetv2"), network)
    over, within = window(61, length=2), window(100, length=2)
    assert first_uncut([over, within], check) == within
