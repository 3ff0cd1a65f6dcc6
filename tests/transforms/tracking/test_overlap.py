"""Spatio-temporal IoU against a slow sum, and which of several tracks that show the same stays."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.tracking.overlap import TrackPath, duplicates, track_overlap

BOX = (10, 10, 50, 30)
WIDE = (10, 10, 90, 30)


def still(box, *times: float) -> tuple[np.ndarray, np.ndarray]:
    return np.array(times, np.float64), np.tile(np.array(box, np.float64), (len(times), 1))


CASES = {
    "one instant": (still(BOX, 1), still(BOX, 1), 1),
    "no area": (still((5, 5, 5, 9), 1, 2), still((5, 5, 5, 9), 1, 2), 0),
    "identical": (still(BOX, 0, 1, 2), still(BOX, 0, 1, 2), 1),
    "half of the place": (still(BOX, 0, 1, 2), still(WIDE, 0, 1, 2), 0.5),
    "half of the time": (still(BOX, 0, 1), still(BOX, 0, 1, 2, 3), 0.5),
    "one after the other": (still(BOX, 0, 1), still(BOX, 2, 3), 0),
    "side by side": (still(BOX, 0, 1), still((50, 10, 90, 30), 0, 1), 0),
    "found in other frames": (still(BOX, 0, 2, 4), still(BOX, 0, 1, 3, 4), 1),
    "one has a gap": (still(BOX, 0, 4), still(BOX, 0, 1, 2, 3, 4), 1),
    "a shifted beginning": (still(BOX, 1, 2, 3), still(BOX, 0, 1, 2), 0.5),
}


@pytest.mark.parametrize(("one", "other", "overlap"), CASES.values(), ids=CASES)
def test_overlap(one, other, overlap):
    assert track_overlap(*one, *other) == pytest.approx(overlap)
    assert track_overlap(*other, *one) == pytest.approx(overlap)


def test_boxes_are_interpolated():
    """From 0 to 2 the one moves by its width; at 1 it has moved by half of it, where the other stands."""
    moving = np.array([0.0, 2.0]), np.array([(0, 0, 10, 10), (10, 0, 20, 10)], np.float64)
    standing = still((5, 0, 15, 10), 1)
    assert track_overlap(*moving, *standing) == pytest.approx(1 / 3)  # of the three areas one is shared


boxes = st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(0, 20), st.integers(0, 20)).map(
    lambda box: (box[0], box[1], box[0] + box[2], box[1] + box[3])
)


@st.composite
def paths(draw):
    times = sorted(draw(st.sets(st.integers(0, 12), min_size=1, max_size=8)))
    found = draw(st.lists(boxes, min_size=len(times), max_size=len(times)))
    return np.array(times, np.float64), np.array(found, np.float32)


def slow_overlap(one, other) -> float:
    shared = either = 0.0
    for instant in sorted({*one[0].tolist(), *other[0].tolist()}):
        found = []
        for times, some in (one, other):
            there = times[0] <= instant <= times[-1]
            found.append([np.interp(instant, times, side) for side in some.T] if there else [0, 0, 0, 0])
        (a, b, c, d), (e, f, g, h) = found
        both = max(0, min(c, g) - max(a, e)) * max(0, min(d, h) - max(b, f))
        shared, either = shared + both, either + (c - a) * (d - b) + (g - e) * (h - f) - both
    return shared / either if either else 0.0


@given(paths(), paths())
def test_overlap_is_the_slow_sum(one, other):
    found = track_overlap(*one, *other)
    assert found == pytest.approx(slow_overlap(one, other))
    assert found == track_overlap(*other, *one)
    assert 0 <= found <= 1 + 1e-9


def path(name: str, box=BOX, times=(0, 1, 2, 3), score=0.5, shift=0.0) -> TrackPath:
    when, where = still(box, *times)
    return TrackPath(name, when, where + shift, score)


STAYS = [
    ("none", [], {}),
    ("one", [path("a")], {}),
    ("different", [path("a"), path("b", shift=30)], {}),
    ("at another time", [path("a"), path("b", times=(4, 5))], {}),
    ("by the id", [path("b"), path("a"), path("c")], {"b": "a", "c": "a"}),
    ("the surer one", [path("a"), path("b", score=0.6)], {"a": "b"}),
    ("the longer one", [path("a", score=0.9, times=range(20)), path("b", times=range(21))], {"a": "b"}),
    # each next to the other, a and c are not: b goes for a, and c, like b only, stays
    ("a chain", [path("a"), path("b", shift=0.5), path("c", shift=1)], {"b": "a"}),
    ("a chain with the best in its middle", [path("a"), path("b", shift=0.5, score=0.9), path("c", shift=1)],
     {"a": "b", "c": "b"}),
]  # fmt: skip


@pytest.mark.parametrize(("tracks", "gone"), [case[1:] for case in STAYS], ids=[case[0] for case in STAYS])
def test_duplicates(tracks, gone):
    assert duplicates(tracks, 0.92) == gone
    assert duplicates(tracks[::-1], 0.92) == gone


def test_two_at_the_limit_are_both_kept():
    assert duplicates([path("a"), path("b", WIDE)], 0.5) == {}
    assert duplicates([path("a"), path("b", WIDE)], 0.49) == {"b": "a"}


@given(st.lists(paths(), max_size=7), st.sampled_from([0.0, 0.3, 0.7]))
def test_what_goes_is_like_one_that_stays_and_those_that_stay_are_not_alike(found, limit):
    tracks = [TrackPath(f"t{number}", *one, 0.5) for number, one in enumerate(found)]
    gone = duplicates(tracks, limit)
    by_id = {track.track_id: track for track in tracks}

    def alike(a: TrackPath, b: TrackPath) -> bool:
        return track_overlap(a.times, a.boxes, b.times, b.boxes) > limit

    for one, other in gone.items():
        assert other not in gone
        assert alike(by_id[one], by_id[other])
        assert by_id[other].rank < by_id[one].rank
    stay = [track for track in tracks if track.track_id not in gone]
    assert not any(alike(a, b) for number, a in enumerate(stay) for b in stay[:number])


def test_many_tracks_one_after_another_take_no_longer_each(monkeypatch):
    """Four at a time, in places of their own: of 4,000 hardly any are compared."""
    from transforms.tracking import overlap

    compared = []
    whole = overlap.track_overlap
    monkeypatch.setattr(overlap, "track_overlap", lambda *two: compared.append(two) or whole(*two))
    tracks = [path(f"t{n:05d}", times=(n // 4, n // 4 + 0.5), shift=100 * (n % 4)) for n in range(4000)]
    tracks.append(path("u", times=(77, 77.5)))
    begin = time.process_time()
    assert duplicates(tracks, 0.9) == {"u": "t00308"}
    assert len(compared) == 1
    assert time.process_time() - begin < 5
