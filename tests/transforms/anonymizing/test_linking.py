import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.anonymizing.finding import NONE, Hits
from transforms.anonymizing.linking import linked

BOX = np.array([100, 80, 140, 120], np.float32)


def at(*shifts: float) -> Hits:
    boxes = np.array([BOX + np.array([shift, 0, shift, 0]) for shift in shifts], np.float32).reshape(-1, 4)
    return Hits(boxes, np.full(len(boxes), 0.2, np.float32))


def tracks(frames, max_gap=1.0):
    found = linked(frames, np.arange(len(frames)) / 10, max_gap)
    return [list(zip(track.frames.tolist(), track.rows.tolist(), strict=True)) for track in found]


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ([], []),
        ([NONE] * 3, []),
        ([at(0), at(2), at(4)], [[(0, 0), (1, 0), (2, 0)]]),
        ([NONE, at(0), NONE], [[(1, 0)]]),
        ([NONE, at(0), NONE, at(4), NONE, at(8)], [[(1, 0), (3, 0), (5, 0)]]),  # found in every other frame
        ([at(0), *[NONE] * 9, at(4)], [[(0, 0), (10, 0)]]),
        ([NONE, at(0), *[NONE] * 12, at(4)], [[(1, 0)], [(14, 0)]]),  # after too long a time
        ([NONE, at(0), NONE, at(100)], [[(1, 0)], [(3, 0)]]),  # elsewhere
        ([at(0, 100), at(100, 0)], [[(0, 0), (1, 1)], [(0, 1), (1, 0)]]),
    ],
)
def test_detections_of_one_face_are_one_track(frames, expected):
    assert tracks(frames) == expected


@given(st.lists(st.lists(st.integers(0, 150), max_size=4), max_size=12), st.floats(0, 2))
def test_every_detection_is_in_exactly_one_track(shifts, max_gap):
    found = tracks([at(*some) for some in shifts], max_gap)
    pairs = [pair for track in found for pair in track]
    assert sorted(pairs) == [(place, row) for place, some in enumerate(shifts) for row in range(len(some))]
    for track in found:
        places = [place for place, _ in track]
        assert places == sorted(set(places))
