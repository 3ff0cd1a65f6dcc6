from dataclasses import replace

import numpy as np
import pytest

from model_handlers.interface import Detections
from tests import videos
from transforms.anonymizing.covers_settings import CoverSettings, FindSettings
from transforms.anonymizing.covers_stage import Sample, cover_row, samples_of
from transforms.anonymizing.finding import Hits, hits
from transforms.tables.reasons import Rejected
from transforms.tables.video_rows import Shot

PLAIN = CoverSettings(find=FindSettings(margin=0), beyond=0, growth=0)
BOX = np.array([[100, 80, 140, 120]], np.float32)
FACE = {"face": Hits(BOX, np.array([0.9], np.float32))}
BROKEN = Rejected("broken_frame", "frame 7 does not decode")


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> str:
    """A run with one video of 75 frames at 25/s."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "media").mkdir()
    videos.write(folder / "media" / "v.mp4", videos.number_frames(75))
    return str(folder)


def shot(first: int = 0, end: int = 75) -> Shot:
    return Shot("v-s0", "v", None, "{}", "media/v.mp4", first, end, first / 25, end / 25, *videos.SIZE)


def row(run, found, settings=PLAIN, of=None):
    """The row of a shot in whose samples this was found: a mapping of places to what is in them."""
    of = of or shot()
    samples = samples_of(run, settings, of)
    seen = [
        one if isinstance(one := found.get(n, sample), Rejected) else replace(sample, found=found.get(n, {}))
        for n, sample in enumerate(samples)
    ]
    (made,) = cover_row(run, settings, of, seen)
    return made


@pytest.mark.parametrize(
    ("settings", "first", "end", "numbers"),
    [
        ({}, 0, 75, range(75)),
        ({"every_frames": 10}, 5, 40, range(5, 40, 10)),
        ({"around": 0.2}, 10, 20, range(5, 25)),  # a quarter of a second of frames on each side
        ({"around": 9}, 10, 20, range(75)),
    ],
)
def test_the_frames_that_are_looked_at(run, settings, first, end, numbers):
    samples = samples_of(run, PLAIN.model_copy(update=settings), shot(first, end))
    assert [sample.number for sample in samples] == list(numbers)


def test_a_shot_that_its_video_has_not_is_refused(run):
    with pytest.raises(ValueError, match="no frames 70 to 80"):
        samples_of(run, PLAIN, shot(70, 80))


def test_a_shot_without_anything_has_a_row_too(run):
    made = row(run, {})
    assert (made.shot_id, made.numbers, made.boxes.shape, made.kinds) == ("v-s0", [], (0, 4), [])


def test_what_was_found_is_linked_and_filled_in(run):
    made = row(run, {4: FACE, 5: FACE, 9: FACE})
    assert made.numbers == [4, 5, 6, 7, 8, 9]
    assert made.found == [True, True, False, False, False, True]
    assert made.scores == pytest.approx([0.9, 0.9, 0, 0, 0, 0.9])
    assert set(made.tracks.tolist()) == {0}
    assert (made.boxes == BOX).all()


def test_one_detection_alone_is_covered(run):
    made = row(run, {30: FACE}, PLAIN.model_copy(update={"beyond": 0.08}))
    assert made.numbers == [28, 29, 30, 31, 32]


def test_faces_and_plates_are_tracks_of_their_own(run):
    both = {**FACE, "plate": Hits(BOX, np.array([0.7], np.float32))}
    made = row(run, {4: both, 5: both})
    assert made.numbers == [4, 4, 5, 5]
    assert made.kinds == ["face", "plate"] * 2
    assert made.tracks.tolist() == [0, 1, 0, 1]


def test_numbers_are_those_of_the_video_and_within_the_shot(run):
    settings = PLAIN.model_copy(update={"around": 0.4, "beyond": 0.2, "every_frames": 2})
    made = row(run, {4: FACE}, settings, shot(20, 30))  # found in frame 18, before the shot
    assert made.numbers == [20, 21, 22, 23]
    assert made.tracks.tolist() == [0] * 4


@pytest.mark.parametrize(
    ("failed", "beyond", "share", "fails"),
    [
        ([], 0, 0, False),
        ([7], 0, 0.02, False),
        ([7], 0, 0.01, True),
        ([7, 9], 0, 0.02, True),
        ([7, 8, 9], 0.08, 1, False),
        ([7, 8, 9, 10], 0.08, 1, True),  # nobody knows what is in 0.12 seconds
        (range(75), 60, 0.99, True),
    ],
)
def test_a_shot_of_which_too_much_was_not_seen_fails(run, failed, beyond, share, fails):
    settings = PLAIN.model_copy(update={"beyond": beyond, "max_failed_share": share})
    found = dict.fromkeys(failed, BROKEN)
    if fails:
        with pytest.raises(Rejected) as rejected:
            row(run, found, settings)
        assert rejected.value.code == "broken_frame"
        assert "frame 7 does not decode" in rejected.value.detail
    else:
        assert row(run, found, settings).numbers == []


def test_a_frame_that_fails_between_two_others_is_covered(run):
    assert row(run, {6: FACE, 7: BROKEN, 8: FACE}).numbers == [6, 7, 8]


@pytest.mark.parametrize(("kind", "least"), [("face", 0.2), ("plate", 0.5)])
def test_what_counts_has_the_score_and_an_area(kind, least):
    some = np.array([(0, 0, 9, 9), (0, 0, 9, 9), (5, 0, 5, 9)], np.float32)
    found = hits(kind, FindSettings(), [Detections(some, np.array([least, least - 0.01, 0.9], np.float32))])
    assert found.boxes.tolist() == [[0, 0, 9, 9]]


def test_something_must_be_looked_for():
    with pytest.raises(ValueError, match="neither"):
        FindSettings(face_model=None)


def test_a_sample_begins_with_nothing_found():
    assert Sample("media/v.mp4", 3).found == {}
