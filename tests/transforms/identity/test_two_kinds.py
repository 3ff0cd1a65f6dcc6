"""The two kinds of pairs are found again in histograms that are made of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, norm

from transforms.identity.pair_counts import EDGES
from transforms.identity.two_kinds import TwoKinds, beta_end, fit, normal_end, spread_below

FACES = 2000


def counts(same, middle, spread, mean=0.72, own=0.08, faces=FACES):
    """Pairs a face: `same` of a beta distribution with this mean and spread, the others normal."""
    x, deviation = (1 + mean) / 2, own / 2
    weight = x * (1 - x) / deviation**2 - 1
    different = np.diff(norm.cdf(EDGES, middle, spread))
    return (faces - 1 - same) * different / different.sum() + same * np.diff(
        beta.cdf((1 + EDGES) / 2, x * weight, (1 - x) * weight)
    )


PLANTED = [
    (0.5, 0.0, 0.1, 0.72, 0.08),
    (9.0, 0.02, 0.1, 0.72, 0.08),
    (60.0, 0.02, 0.1, 0.65, 0.1),
    (4.0, 0.84, 0.03, 0.96, 0.012),
    (300.0, 0.0, 0.05, 0.6, 0.1),
]


@pytest.mark.parametrize(("same", "middle", "spread", "mean", "own"), PLANTED)
def test_both_kinds_are_found_again(same, middle, spread, mean, own):
    found = fit(counts(same, middle, spread, mean, own), EDGES, FACES)
    assert found.same == pytest.approx(same, rel=0.05)
    assert found.same_mean == pytest.approx(mean, abs=0.2 * own)
    assert found.spread == pytest.approx(spread, rel=0.05)
    assert found.middle == pytest.approx(middle, abs=0.1 * spread)
    for above in (1.0, 0.1, 0.01):
        at = norm.isf(above / (FACES - 1 - same), middle, spread)
        assert found.different_above(at) == pytest.approx(above, rel=0.3)


def test_where_everyone_is_alone_there_is_hardly_a_same_pair():
    found = fit(counts(0, 0.0, 0.1), EDGES, FACES)
    assert found.same < 0.05
    assert found.different_above(norm.isf(0.1 / FACES, 0, 0.1)) == pytest.approx(0.1, rel=0.3)


def test_a_distribution_that_is_skewed_as_a_whole_does_not_lead_astray():
    """Below the median twice as wide as above: a normal distribution of it all would put the end far too high."""
    both = np.where(EDGES < 0.84, norm.cdf(EDGES, 0.84, 0.06), norm.cdf(EDGES, 0.84, 0.03))
    found = fit((FACES - 1) * np.diff(both) + counts(4, 0.84, 0.03, 0.96, 0.012) * 4 / FACES, EDGES, FACES)
    assert found.different_above(norm.isf(0.1 / FACES, 0.84, 0.03)) == pytest.approx(0.1, rel=0.5)


def test_a_fit_from_an_earlier_one_is_the_same():
    histogram = counts(9, 0.02, 0.1)
    first = fit(histogram, EDGES, FACES)
    again = fit(histogram, EDGES, FACES, first)
    assert again.floor == first.floor
    assert again.same == pytest.approx(first.same, rel=0.02)
    assert again.different_above(0.4) == pytest.approx(first.different_above(0.4), rel=0.02)


def test_the_spread_is_that_below_the_median():
    assert spread_below(counts(9, 0.0, 0.1), EDGES) == pytest.approx(0.1, rel=0.03)


kinds = st.builds(
    TwoKinds,
    floor=st.floats(-0.2, 0.5),
    above=st.floats(0.1, 500),
    share=st.floats(0, 1),
    middle=st.floats(-0.3, 0.5),
    spread=st.floats(0.01, 0.3),
    a=st.floats(2, 200),
    b=st.floats(0.5, 20),
)


@given(kinds)
def test_fewer_are_above_a_higher_similarity(found):
    at = np.linspace(found.floor, 1, 50)
    for ends in (found.different_above, found.same_above, found.different_groups_above):
        above = ends(at)
        assert np.isfinite(above).all()
        assert (np.diff(above) <= 1e-9).all()
    assert found.different_above(found.floor) == pytest.approx(found.above * (1 - found.share))
    assert found.same_above(found.floor) == pytest.approx(found.same)
    assert found.same_above(1.0) == pytest.approx(0, abs=1e-6)


def test_ends_of_distributions_are_shares_of_what_is_above_the_floor():
    x = np.array([-1.0, 0.2, 0.4, 1.0])
    assert normal_end(x, 0.2, 0, 0.1)[:3] == pytest.approx([1, 1, norm.sf(4) / norm.sf(2)])
    assert beta_end(x, 0.2, 8, 2) == pytest.approx([1, 1, beta.sf(0.7, 8, 2) / beta.sf(0.6, 8, 2), 0])
