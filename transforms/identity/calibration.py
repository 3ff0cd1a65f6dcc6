"""Thresholds of similarity found in the vectors themselves, without a label.

Of two mistakes one is to take two people for one, the other to tear one person apart. How many pairs of each kind a
link similarity makes at this number of faces follows from the two kinds of pairs that `two_kinds` finds. The link is
where both together are fewest; where several are about as good, it is the strictest of them. Faces that show nobody
are left out of both kinds, and what a link would join of them counts as wrong. How near that comes to the best
threshold of all is in docs/benchmarks.md.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from transforms.identity.knn import F32, pair_similarity
from transforms.identity.nobodies import count_above, find_nobodies
from transforms.identity.pair_counts import EDGES, PairCounts, count_pairs
from transforms.identity.two_kinds import Floats, TwoKinds, fit

Rule = Literal["groups", "links"]
Pairs = npt.NDArray[np.integer]

FEWEST = 30  # faces: with fewer a distribution's end is a guess
RESAMPLES = 30
_STEPS = 2000  # of similarity between the floor and 1
# Pairs that may be lost, as a share of the same person's, to have a stricter link. One wrong link between single faces
# joins all that hangs on both, so such links get more room.
_ROOM = {"groups": 0.002, "links": 0.01}
# A wrong link between single faces makes all n^2 pairs of two people wrong, but such links come in bunches between the
# same two people. On generated vectors n^(4/3) lost least where it mattered: n joined crowds, n^1.5 tore people apart.
_JOINED = 4 / 3
_ALONE = 0.1  # wrong links a face where nearly nobody has a second picture, and nothing would speak against any link
_FEW_PAIRS = 10  # of the same person: with fewer their distribution is a guess
_COPIES = 0.999  # share of the same person's pairs that are less alike than a copy of a photograph
_CANDIDATES = 10.0  # different people beside each face that edges still reach
_WIDE = 0.25  # times the distance from different people's middle to the same person's mean: an uncertain link
_MUCH = 0.5  # of the same person's pairs that a link may lose before the vectors count as unfit


class TooLittleEvidence(ValueError):
    """The vectors do not say where the link is; the sentence says why."""


@dataclass(frozen=True, slots=True)
class Known:
    """Pairs of which it is known what they are: how many there are, and how many of them the link takes for one."""

    pairs: int
    linked: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was found for `faces` faces.

    link: the similarity of a link, its 95 % interval over resampled faces, and whether it can be relied on (certain):
    the interval is narrow, and not most pairs of one person are lost; merge: of the centres of two identities;
    duplicate: of copies of a photograph, 1 where too little is known of the same person's pairs; edge: down to which
    neighbours are worth a look. wrong_links: different people's faces that the average face is linked with; lost: the
    share of the same person's pairs below the link. nobodies: the share of the faces that show nobody. kinds: both
    distributions, of the others. same, different: the pairs known. doubts: sentences, none where the evidence is good.
    """

    faces: int
    rule: Rule
    link: float
    interval: tuple[float, float]
    certain: bool
    merge: float
    duplicate: float
    edge: float
    wrong_links: float
    lost: float
    nobodies: float
    kinds: TwoKinds
    same: Known
    different: Known
    doubts: tuple[str, ...]


def calibrate(
    units: F32,
    same: Pairs | None = None,
    different: Pairs | None = None,
    rule: Rule = "groups",
    wrong_links: float | None = None,
    counted: PairCounts | None = None,
) -> Calibration:
    """Find the thresholds for unit vectors (N,D); the order of the rows changes nothing.

    same (S,2), different (C,2): rows of pairs that are known to be of one person, of two. They do not move the link;
    how many of them it takes for one says how far it can be trusted.
    rule: what a link joins: `groups` by their mean similarity (average linkage), or all that hangs on either face by
    single `links` (connected components, DBSCAN). wrong_links: the most that are expected of each face, if given.
    counted: the vectors' pair counts, if they are there already.
    Raises TooLittleEvidence, a sentence.
    """
    check(units)
    counted = count_pairs(units) if counted is None else counted
    kinds = fit(counted.counts.mean(axis=0, dtype=np.float64), EDGES, counted.faces)
    nobody = find_nobodies(counted.counts, kinds)
    if nobody.any():
        kinds = fit(counted.counts[~nobody].mean(axis=0, dtype=np.float64), EDGES, counted.faces)
    alike = counted.counts[nobody].sum(axis=0, dtype=np.float64) / len(counted)
    link = link_of(kinds, rule, wrong_links, alike)
    interval = _interval(counted, kinds, nobody, rule, wrong_links)
    known = [_known(units, pairs, link) for pairs in (same, different)]
    narrow = interval[1] - interval[0] <= _WIDE * (kinds.same_mean - kinds.middle)
    enough = _pairs_of_same(kinds, counted.faces) >= _FEW_PAIRS
    unfit = enough and bool(kinds.same_above(link) < (1 - _MUCH) * kinds.same)
    return Calibration(
        faces=counted.faces,
        rule=rule,
        link=link,
        interval=interval,
        certain=narrow and not unfit,
        merge=max(link, min(1.0, link / kinds.same_mean)) if enough else 1.0,
        duplicate=max(link, kinds.same_quantile(_COPIES)) if enough else 1.0,
        edge=min(link, _last(kinds, lambda at: kinds.different_above(at) >= _CANDIDATES)),
        wrong_links=float(kinds.different_above(link)),
        lost=1 - float(kinds.same_above(link)) / max(kinds.same, 1e-12),
        nobodies=float(nobody.mean()),
        kinds=kinds,
        same=known[0],
        different=known[1],
        doubts=tuple(_doubts(counted.faces, interval, enough, unfit, narrow)),
    )


def link_of(kinds: TwoKinds, rule: Rule, wrong_links: float | None = None, nobodies: Floats | None = None) -> float:
    """The link similarity: fewest pairs wrong or lost; at least so strict that wrong_links, if given, is kept.

    nobodies (BINS,): pairs of faces that show nobody, as numbers a face, all of them wrong.
    """
    at = _grid(kinds)
    joined = (1 + kinds.same) ** _JOINED
    wrong = kinds.different_groups_above(at) if rule == "groups" else kinds.different_above(at) * joined
    if nobodies is not None:
        wrong = wrong + count_above(nobodies, at)
    cost = wrong + kinds.same - kinds.same_above(at)
    link = float(at[np.flatnonzero(cost <= cost.min() + _ROOM[rule] * kinds.same)[-1]])
    nearly_none = kinds.same < _ALONE
    most = wrong_links if wrong_links is not None else _ALONE if nearly_none else None
    if most is None:
        return link
    strict = float(at[np.argmax(kinds.different_above(at) <= most)])
    return strict if nearly_none else max(link, strict)


def _grid(kinds: TwoKinds) -> Floats:
    return np.linspace(kinds.floor, 1, _STEPS)


def _last(kinds: TwoKinds, holds: Callable[[Floats], npt.NDArray[np.bool_]]) -> float:
    """The highest similarity for which this holds, or the floor."""
    at = _grid(kinds)
    true = np.flatnonzero(holds(at))
    return float(at[true[-1]]) if len(true) else kinds.floor


def check(units: F32) -> None:
    """TooLittleEvidence if nothing can be found in these vectors (N,D)."""
    if len(units) < FEWEST:
        raise TooLittleEvidence(f"{len(units)} faces are too few to find a link; at least {FEWEST} are needed.")
    if not np.isfinite(units).all() or not (np.abs(np.linalg.norm(units, axis=1) - 1) < 1e-3).all():
        raise TooLittleEvidence("not all vectors are finite and of length 1; leave out those without a direction.")
    # the length of the mean vector is 1 only if all vectors are one
    if float(np.linalg.norm(units.mean(axis=0, dtype=np.float64))) > 1 - 1e-4:
        raise TooLittleEvidence("all vectors are the same, so nothing tells people apart.")


def _pairs_of_same(kinds: TwoKinds, faces: int) -> float:
    return kinds.same * faces / 2


def _interval(
    counted: PairCounts, kinds: TwoKinds, nobody: npt.NDArray[np.bool_], rule: Rule, wrong_links: float | None
) -> tuple[float, float]:
    """The middle 95 % of the links that samples of the same faces, drawn with replacement, lead to."""
    random, n = np.random.default_rng(0), len(counted)
    links = []
    for _ in range(RESAMPLES):
        drawn = random.multinomial(n, np.full(n, 1 / n))
        others = np.where(nobody, 0, drawn)
        again = fit(others @ counted.counts / max(int(others.sum()), 1), EDGES, counted.faces, kinds)
        alike = np.where(nobody, drawn, 0) @ counted.counts / n
        links.append(link_of(again, rule, wrong_links, alike))
    low, high = np.quantile(links, [0.025, 0.975])
    return float(low), float(high)


def _known(units: F32, pairs: Pairs | None, link: float) -> Known:
    if pairs is None or not len(pairs):
        return Known(0, 0)
    return Known(len(pairs), int((pair_similarity(units, pairs[:, 0], pairs[:, 1]) >= link).sum()))


def _doubts(faces: int, interval: tuple[float, float], enough: bool, unfit: bool, narrow: bool) -> list[str]:
    told = []
    if not enough:
        told.append(
            f"Of {faces:,} faces hardly two are of one person: the link rests on different people alone, and nothing "
            "is said of merging and duplicates."
        )
    if unfit:
        told.append("Most pairs of one person lie below the link: the vectors hardly tell so many people apart.")
    if not narrow:
        told.append(f"The link is uncertain, {interval[0]:.3f} to {interval[1]:.3f}; more faces would narrow it.")
    return told
