import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.vision.identity_changes import change_points, largest_distance, unit_vectors

WINDOW, LIMIT = 8, 0.075
NEAR, FAR = 0.03, 0.17  # typical distances of dlib's descriptors: of one person in a video, of two


def people(count: int, rng: np.random.Generator) -> np.ndarray:
    """Unit vectors (count, 128) that are FAR apart, all of them."""
    common = np.zeros(128)
    common[0] = 1
    own = np.linalg.qr(rng.normal(size=(127, count)))[0].T
    return np.sqrt(1 - FAR) * common + np.sqrt(FAR) * np.column_stack([np.zeros(count), own])


def walk(lengths: list[int], rng: np.random.Generator) -> np.ndarray:
    """Embeddings of one person after the other, each for so many samples, with noise that keeps them NEAR."""
    clean = np.repeat(people(len(lengths), rng), lengths, axis=0)
    noise = rng.normal(size=clean.shape)
    return unit_vectors(clean + np.sqrt(NEAR) * noise / np.linalg.norm(noise, axis=1, keepdims=True))


def found(units: np.ndarray) -> list[int]:
    return change_points(units, WINDOW, LIMIT)


seeds = st.integers(0, 2**32 - 1).map(np.random.default_rng)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 200])
def test_one_person_does_not_change(count):
    assert found(walk([count], np.random.default_rng(0))) == []


@given(seeds, st.lists(st.integers(5, 40), min_size=2, max_size=5))
def test_every_cut_is_found_to_the_sample(rng, lengths):
    assert found(walk(lengths, rng)) == np.cumsum(lengths)[:-1].tolist()


@given(seeds, st.integers(12, 60), st.integers(1, 3), st.data())
def test_frames_turned_away_or_blurred_do_not_split(rng, length, bad, data):
    units = walk([length], rng)
    at = data.draw(st.integers(4, length - bad - 4))
    units[at : at + bad] = unit_vectors(rng.normal(size=(bad, 128)))
    assert found(units) == []


@given(seeds, st.integers(10, 30), st.integers(10, 30), st.integers(-3, 2))
def test_a_blurred_frame_beside_a_cut_moves_it_by_a_sample_at_most(rng, before, after, beside):
    """One time in a thousand what lies between the cut and the frame is cut off on both sides."""
    units = walk([before, after], rng)
    units[before + beside] = unit_vectors(rng.normal(size=(1, 128)))
    cuts = found(units)
    assert min(abs(cut - before) for cut in cuts) <= 1
    assert len(cuts) == 1 or sorted(cuts) == sorted([before, before + beside + (beside > 0)])


def slowly(start: np.ndarray, end: np.ndarray, steps: int) -> np.ndarray:
    shares = np.linspace(0, 1, steps + 2)[1:-1, None]
    return (1 - shares) * start + shares * end


def test_a_head_that_turns_away_and_back_does_not_split():
    rng = np.random.default_rng(1)
    front, side = people(2, rng)
    turn = np.concatenate([slowly(front, side, 6), np.tile(side, (8, 1)), slowly(side, front, 6)])
    units = np.concatenate([np.tile(front, (40, 1)), turn, np.tile(front, (40, 1))])
    assert found(unit_vectors(units + rng.normal(scale=0.005, size=units.shape))) == []


def test_a_dissolve_from_one_person_to_another_splits_inside_it():
    first, second = people(2, np.random.default_rng(2))
    units = np.concatenate([np.tile(first, (40, 1)), slowly(first, second, 9), np.tile(second, (40, 1))])
    (cut,) = found(unit_vectors(units))
    assert 40 <= cut <= 49


def test_vectors_that_are_none_have_no_direction():
    units = unit_vectors(np.array([[3, 4], [0, 0], [np.nan, 1], [np.inf, 1]]))
    assert units.tolist() == [pytest.approx([0.6, 0.8]), [0, 0], [0, 0], [0, 0]]


@pytest.mark.parametrize(
    ("vectors", "largest"),
    [
        (np.zeros((0, 2)), None),
        (np.eye(2)[:1], None),
        (np.eye(2) * 7, 1),
        (np.array([[1, 0], [-3, 0], [0, 1]]), 2),
        (np.array([[1, 0], [0, 0]]), None),
        (np.array([[1, 0], [np.nan, 0]]), None),
    ],
)
def test_the_largest_distance_is_of_any_pair_and_never_made_up(vectors, largest):
    assert largest_distance(vectors) == largest
