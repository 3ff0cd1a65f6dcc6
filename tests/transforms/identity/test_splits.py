"""Who qualifies, who is drawn, and that it is the same every time."""

import numpy as np
import pytest
from pydantic import ValidationError

from transforms.identity.settings import SplitSettings
from transforms.identity.splits import draw_splits, images_per_identity, qualifies


def ints(*values):
    return np.array(values, np.int64)


def body(*visible):
    points = np.zeros((1, 17, 3), np.float32)
    points[0, list(visible), 2] = 0.9
    return points


def test_no_identities_make_empty_splits():
    splits = draw_splits(ints(), ints(), SplitSettings())
    assert [(split.name, split.identities.tolist()) for split in splits] == [
        ("wb_testing", []),
        ("wb12m", []),
        ("wb4m", []),
    ]
    assert qualifies(np.zeros((0, 17, 3)), 0.5).tolist() == []
    assert images_per_identity(ints(), ints(), 0).tolist() == []


@pytest.mark.parametrize(
    ("visible", "expected"),
    [
        ((), False),
        ((0, 1, 2, 3, 4), False),  # a face alone
        ((0, 1, 2, 3, 4, 11), False),  # a body, but the whole face too
        ((0, 1, 2, 3, 11), True),
        ((10,), True),
        ((16,), True),
        ((9, 5, 6, 7, 8), False),  # the left wrist is not among the body points
    ],
)
def test_qualifying_images(visible, expected):
    assert qualifies(body(*visible), 0.5).tolist() == [expected]
    assert not qualifies(body(*visible), 0.95).any()


def test_images_are_counted_once():
    assert images_per_identity(ints(0, 0, 2, 2), ints(5, 5, 5, 6), 4).tolist() == [1, 0, 2, 0]


@pytest.mark.parametrize(
    ("images", "qualifying", "expected"),
    [(31, 31, True), (30, 30, False), (149, 69, True), (150, 69, False), (100, 70, False), (100, 30, False)],
)
def test_limits_of_testing_identities_are_strict(images, qualifying, expected):
    testing = draw_splits(ints(images), ints(qualifying), SplitSettings())[0]
    assert testing.identities.tolist() == ([0] if expected else [])


def test_sizes_of_all_sets():
    random = np.random.default_rng(1)
    images = random.integers(2, 500, 5000)
    testing, large, small = draw_splits(images, np.minimum(images, 50), SplitSettings(testing_identities=100))
    rest = np.setdiff1d(np.arange(5000), testing.identities)
    pool = set(rest[np.argsort(-images[rest], kind="stable")][:2352].tolist())  # 48 % of 4,900
    assert len(testing.identities) == 100
    assert ((images > 30) & (images < 150))[testing.identities].all()
    assert (len(large.identities), len(small.identities)) == (1646, 588)  # 70 % and 25 % of the pool
    assert set(large.identities.tolist()) <= pool
    assert set(small.identities.tolist()) <= pool


def test_the_seed_decides_and_other_sets_do_not():
    images = qualifying = np.full(300, 40)
    here = draw_splits(images, qualifying, SplitSettings(testing_identities=50))
    again = draw_splits(images, qualifying, SplitSettings(testing_identities=50))
    fewer = draw_splits(images, qualifying, SplitSettings(testing_identities=50, subsets={"wb4m": 0.25}))
    other = draw_splits(images, qualifying, SplitSettings(testing_identities=50, seed=43))
    assert all(np.array_equal(a.identities, b.identities) for a, b in zip(here, again, strict=True))
    assert np.array_equal(here[2].identities, fewer[1].identities)
    assert not np.array_equal(here[0].identities, other[0].identities)


@pytest.mark.parametrize("changes", [{"testing": "../up"}, {"subsets": {"a/b": 0.5}}, {"subsets": {"wb_testing": 0.5}}])
def test_names_that_cannot_be_files_are_refused(changes):
    with pytest.raises(ValidationError):
        SplitSettings(**changes)


def test_a_number_whose_identity_was_removed_is_in_no_split():
    images = ints(5, 0, 40, 0, 7)
    testing, everyone = draw_splits(images, images, SplitSettings(pool_share=1, subsets={"all": 1}))
    assert sorted([*testing.identities.tolist(), *everyone.identities.tolist()]) == [0, 2, 4]
