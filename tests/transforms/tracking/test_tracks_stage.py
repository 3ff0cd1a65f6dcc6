from dataclasses import replace

import numpy as np
import pytest

from transforms.tables.reasons import Rejected
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import iter_rows, write_rows
from transforms.tables.track_rows import ShotObjects, Track
from transforms.tracking.track_settings import TrackSettings
from transforms.tracking.tracks_stage import find_tracks, frame_rate, mean_feature, track_rows

RATE, SIZE = 16, (400, 300)
VOCABULARY = ("person", "bicycle", "car")
SETTINGS = TrackSettings(min_seconds=1, min_area=0.01)


def shot(*frames: list[tuple[float, float, int]], objectness=None, features=None) -> ShotObjects:
    """A shot whose frames have objects of 100 x 100 pixels: their left edge, their score, their class."""
    found = [one for frame in frames for one in frame]
    return ShotObjects(
        shot_id="v-s0",
        video_id="v",
        label=None,
        source="{}",
        media="media/v.mp4",
        first_frame=0,
        end_frame=2 * len(frames),
        start=0.0,
        end=len(frames) / RATE,
        width=SIZE[0],
        height=SIZE[1],
        numbers=[2 * place for place in range(len(frames))],
        times=[place / RATE for place in range(len(frames))],
        counts=np.array([len(frame) for frame in frames], np.int32),
        boxes=np.array([(x, 50, x + 100, 150) for x, *_ in found], np.float32).reshape(-1, 4),
        scores=np.array([score for _, score, _ in found], np.float32),
        objectness=objectness,
        class_counts=np.full(len(found), 2, np.int32),
        classes=np.array([number for *_, one in found for number in sorted({one, (one + 1) % 3})], np.int32),
        probabilities=np.tile(np.array([0.25, 0.25], np.float32), len(found)),
        features=features,
    )


def moving(count: int, start: float = 0, step: float = 2, score: float = 0.9, kind: int = 0):
    return [(start + step * place, score, kind) for place in range(count)]


def test_one_object_is_one_track():
    (row,) = track_rows(SETTINGS, VOCABULARY, shot(*[[one] for one in moving(20)]))
    assert (row.track_id, row.shot_id, row.first_frame, row.last_frame) == ("v-s0-t0", "v-s0", 0, 38)
    assert row.numbers == list(range(0, 40, 2))
    assert row.boxes[:, 0].tolist() == [2 * place for place in range(20)]
    assert (row.start, row.end) == (0, 19 / RATE)
    assert (row.class_name, row.top_names, row.frame_names[:1]) == ("person", ["person", "bicycle"], ["person"])
    assert row.objectness.tolist() == [1] * 20
    assert row.feature is None


def test_a_frame_without_it_is_no_row_of_the_track():
    frames = [[one] for one in moving(20)]
    frames[7] = []
    (row,) = track_rows(SETTINGS, VOCABULARY, shot(*frames))
    assert 14 not in row.numbers
    assert len(row.numbers) == 19


def test_two_objects_far_apart_are_two_tracks_by_first_frame():
    left, right = moving(20, step=0), [None, None, *moving(18, start=250, step=0, kind=2)]
    frames = [[one for one in (a, b) if one is not None] for a, b in zip(left, right, strict=True)]
    first, second = track_rows(SETTINGS, VOCABULARY, shot(*frames))
    assert (first.track_id, first.class_name, first.first_frame) == ("v-s0-t0", "person", 0)
    assert (second.track_id, second.first_frame, len(second.numbers)) == ("v-s0-t1", 4, 18)
    assert second.boxes[:, 0].tolist() == [250] * 18


def test_the_class_is_that_of_the_highest_weighted_mean():
    frames = [[(0, 0.9, kind)] for kind in [0] * 10 + [2] * 10]  # 0 and 1, then 2 and 0
    weights = np.array([0.2] * 10 + [1] * 10, np.float32)
    row = shot(*frames, objectness=weights)
    row = replace(
        row, classes=np.array([0, 1] * 10 + [1, 2] * 10), probabilities=np.array([0.9, 0.1] * 10 + [0.3, 0.7] * 10)
    )
    (track,) = track_rows(SETTINGS, VOCABULARY, row)
    assert (track.class_name, track.class_score) == ("car", pytest.approx(0.35))
    assert track.top_weighted_means == pytest.approx([0.35, 0.16, 0.09])
    assert track.top_means == pytest.approx([0.35, 0.2, 0.45])
    assert track.frame_names == ["person"] * 10 + ["car"] * 10
    assert track.objectness.tolist() == weights.tolist()


@pytest.mark.parametrize(
    ("settings", "detail"),
    [
        ({"min_seconds": 2}, r"1 tracks; 1 shorter than 2 s, 0 with less"),
        ({"min_area": 0.1}, r"1 tracks; 0 shorter than 1 s, 1 with less than 0.1 of the frame's area"),
    ],
)
def test_short_and_small_tracks_are_left_out(settings, detail):
    frames = [[one] for one in moving(20)]
    with pytest.raises(Rejected, match="no_track") as caught:
        track_rows(SETTINGS.model_copy(update=settings), VOCABULARY, shot(*frames))
    assert detail in caught.value.detail


def test_nothing_that_is_followed():
    with pytest.raises(Rejected, match="no_track") as caught:
        track_rows(SETTINGS, VOCABULARY, shot([], [(0, 0.2, 0)], []))
    assert caught.value.detail.startswith("0 tracks")


def test_rows_read_back_from_a_table_make_the_same_tracks(tmp_path):
    features = np.tile(np.array([[0.6, 0.8]], np.float16), (20, 1))
    for row in (shot(*[[one] for one in moving(20)], features=features), shot(*[[one] for one in moving(20)], [])):
        path = str(tmp_path / "part-00000.parquet")
        write_rows(path, [row], arrow_schema(ShotObjects))
        (again,) = iter_rows(path, ShotObjects)
        (one,), (other,) = (track_rows(SETTINGS, VOCABULARY, some) for some in (row, again))
        write_rows(path, [one, other], arrow_schema(Track))
        first, second = iter_rows(path, Track)
        for name in Track.__slots__:
            np.testing.assert_array_equal(getattr(first, name), getattr(second, name))


@pytest.mark.parametrize(("times", "rate"), [([], 16), ([3.0], 16), ([0, 0.1, 0.2, 0.3], 10), ([0, 0.1, 0.2, 5], 10)])
def test_the_rate_is_that_of_the_frames_looked_at(times, rate):
    assert frame_rate(times) == pytest.approx(rate)


def test_the_mean_feature_is_of_unit_length():
    assert mean_feature(np.array([[1, 0], [0, 1]], np.float16)) == pytest.approx([0.7071, 0.7071], abs=1e-3)
    assert mean_feature(np.array([[1, 0], [0, 0]], np.float16)).tolist() == [1, 0]
    assert mean_feature(np.array([[1, 0], [-1, 0]], np.float16)) is None


def test_the_stage_is_made_of_its_settings():
    assert dict(find_tracks(SETTINGS, VOCABULARY).settings) == {"tracks": SETTINGS}
