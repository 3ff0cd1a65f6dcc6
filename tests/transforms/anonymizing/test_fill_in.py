from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.anonymizing.covers_settings import CoverSettings, FindSettings
from transforms.anonymizing.fill_in import fill_in

WIDTH, HEIGHT = 320, 240
PLAIN = CoverSettings(find=FindSettings(margin=0), beyond=0, growth=0, max_gap=2)
TIMES = np.arange(100) / 10
BOX = np.array([100.0, 80, 140, 120])


def filled(places, boxes, settings=PLAIN, times=TIMES):
    boxes = np.array(boxes, np.float64).reshape(-1, 4)
    return fill_in(np.array(places), boxes, np.full(len(boxes), 0.5), times, (WIDTH, HEIGHT), settings)


@pytest.mark.parametrize(
    ("places", "settings", "covered"),
    [
        ([5], {}, [5]),
        ([5], {"beyond": 0.2}, [3, 4, 5, 6, 7]),
        ([0, 99], {"beyond": 0.2}, [0, 1, 2, 97, 98, 99]),  # within the stretch
        ([5, 8], {}, [5, 6, 7, 8]),
        ([5, 25], {}, list(range(5, 26))),  # a gap of 2 seconds
        ([5, 26], {}, [5, 26]),  # and one that is longer
        ([5, 26], {"beyond": 0.1}, [4, 5, 6, 25, 26, 27]),
        ([5, 26], {"beyond": 1.1}, sorted([*range(38), *range(15, 17)])),  # two covers where the ends meet
    ],
)
def test_the_frames_that_are_covered(places, settings, covered):
    found = filled(places, [BOX] * len(places), PLAIN.model_copy(update=settings))
    assert found.places.tolist() == covered
    assert found.places[found.hits].tolist() == places
    assert found.scores.tolist() == [0.5 if hit else 0 for hit in found.hits]


def test_between_two_detections_a_cover_moves_from_one_to_the_other():
    found = filled([10, 14], [BOX, BOX + np.array([40, 0, 40, 0])])
    assert found.boxes[:, 0].tolist() == [100, 110, 120, 130, 140]
    assert (found.boxes[:, 2] - found.boxes[:, 0] == 40).all()


def test_a_cover_grows_with_the_time_since_something_was_found():
    found = filled([10, 14], [BOX, BOX], PLAIN.model_copy(update={"growth": 0.5, "beyond": 0.2}))
    sides = (found.boxes[:, 2] - found.boxes[:, 0]).tolist()
    assert sides == pytest.approx([48, 44, 40, 44, 48, 44, 40, 44, 48])  # both ends, and the middle


def test_the_margin_is_a_share_of_the_box():
    settings = PLAIN.model_copy(update={"find": FindSettings(margin=0.25)})
    assert filled([3], [BOX], settings).boxes.tolist() == [[90, 70, 150, 130]]


def test_time_counts_and_not_the_number_of_frames():
    slow = np.array([0, 1, 2, 3.1, 6])
    assert filled([0, 2, 3, 4], [BOX] * 4, times=slow).places.tolist() == [0, 1, 2, 3, 4]
    assert filled([1, 4], [BOX] * 2, times=slow).places.tolist() == [1, 4]


def test_frames_of_one_time_keep_their_own_boxes():
    times = np.array([0, 0.1, 0.1, 0.2])
    found = filled([1, 2], [BOX, BOX + 50], times=times)
    assert found.boxes.tolist() == [BOX.tolist(), (BOX + 50).tolist()]


@st.composite
def tracks(draw):
    count = draw(st.integers(1, 60))
    times = np.cumsum(draw(st.lists(st.floats(0, 1), min_size=count, max_size=count)))
    places = sorted(draw(st.sets(st.integers(0, count - 1), min_size=1, max_size=12)))
    left = draw(st.lists(st.floats(0, WIDTH - 2), min_size=len(places), max_size=len(places)))
    top = draw(st.lists(st.floats(0, HEIGHT - 2), min_size=len(places), max_size=len(places)))
    side = draw(st.floats(1, 200))
    boxes = [(x, y, min(WIDTH, x + side), min(HEIGHT, y + side)) for x, y in zip(left, top, strict=True)]
    settings = CoverSettings(
        find=FindSettings(margin=draw(st.floats(0, 1))),
        beyond=draw(st.floats(0, 3)),
        max_gap=draw(st.floats(0, 5)),
        growth=draw(st.floats(0, 2)),
    )
    return times, np.array(places), np.array(boxes), settings


@given(tracks())
def test_each_detection_lies_in_a_cover_of_its_frame_and_all_covers_in_the_frame(track):
    times, places, boxes, settings = track
    found = filled(places, boxes, settings, times)
    assert (found.boxes[:, :2] >= 0).all()
    assert (found.boxes[:, 2:] <= (WIDTH, HEIGHT)).all()
    assert (found.boxes[:, 2:] > found.boxes[:, :2]).all()
    assert (np.diff(found.places) >= 0).all()
    assert found.places[found.hits].tolist() == places.tolist()
    inside = found.boxes[found.hits]
    slack = 1e-4  # float32
    assert (inside[:, :2] <= boxes[:, :2] + slack).all()
    assert (inside[:, 2:] >= boxes[:, 2:] - slack).all()


@given(tracks())
def test_gaps_that_are_short_enough_are_filled_and_the_ends_are_drawn_out(track):
    times, places, boxes, settings = track
    covered = set(filled(places, boxes, settings, times).places.tolist())
    for one, other in pairwise(places):
        if times[other] - times[one] <= settings.max_gap:
            assert covered.issuperset(range(one, other))
    for place in places.tolist():
        near = np.flatnonzero(np.abs(times - times[place]) < settings.beyond)
        assert covered.issuperset(near.tolist())
