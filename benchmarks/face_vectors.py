"""Generated face vectors with similarities like those of real models.

Their mean and spread between different people and within one were set after photographs out of published packages (40
people). People are drawn around six groups whose members are more alike, on a spectrum that falls; faces vary in noise,
and one in a hundred (of ArcFace's 4 in 1,000) shows next to nothing of its person, and is like others of that kind.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from transforms.identity.knn import F32, I64

_GROUPS = (0.4, 0.25, 0.15, 0.1, 0.06, 0.04)  # share of the people in each


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of vectors; lengths are in those of a person's own direction.

    mean: of what all vectors share; power: by which the spectrum falls over `used` directions; noise: of a face;
    group: what the people of a group share; blank: share of faces that show next to nothing.
    """

    dimension: int
    mean: float
    power: float
    used: int
    noise: float
    group: float
    blank: float


KINDS = {
    "fr-feature": Kind(512, 0.12, 0.55, 160, 0.6, 0.42, 0.01),
    "mobilefacenet": Kind(192, 0.15, 0.55, 90, 0.55, 0.42, 0.01),
    "dlib-resnet": Kind(128, 2.5, 0.9, 60, 0.52, 0.35, 0.01),
    "ArcFace": Kind(512, 0.05, 0.2, 400, 0.65, 0.08, 0.004),
}


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """P people: their directions (P,D), groups (P,), and what faces that show nobody have in common (D,)."""

    own: F32
    group: I64
    nobody: F32


def draw_people(kind: Kind, count: int, random: np.random.Generator) -> People:
    """So many people."""
    deviation = np.sqrt(_spectrum(kind)).astype(np.float32)
    groups = _drawn(len(_GROUPS), deviation, random)
    groups /= np.linalg.norm(groups, axis=1, keepdims=True)
    group = random.choice(len(_GROUPS), count, p=_GROUPS)
    own = _drawn(count, deviation, random)
    own *= np.float32(np.sqrt(1 - kind.group**2))
    own += np.float32(kind.group) * groups[group]
    own /= np.linalg.norm(own, axis=1, keepdims=True) ** np.float32(0.7)  # some people are more marked than others
    return People(own, group.astype(np.int64), _drawn(1, deviation, random)[0])


def draw_faces(
    kind: Kind, people: People, person: I64, random: np.random.Generator
) -> tuple[F32, npt.NDArray[np.bool_]]:
    """Unit vectors (N,D) of faces of these people (N,), and whether each (N,) shows next to nothing."""
    flat = np.where(np.arange(kind.dimension) < kind.used, 1 / kind.used, 0)
    noise = _drawn(len(person), np.sqrt((_spectrum(kind) + flat) / 2).astype(np.float32), random)
    blank = random.random(len(person)) < kind.blank
    strength = (kind.noise * np.exp(0.22 * random.normal(size=len(person)))).astype(np.float32)
    vectors = people.own[person]
    vectors += strength[:, None] * noise
    vectors[blank] = 0.35 * people.own[person[blank]] + 0.5 * people.nobody + 0.5 * noise[blank]
    vectors[:, kind.used] += 0.95 * kind.mean
    vectors[:, :5] += 0.31 * kind.mean / np.sqrt(5)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors, blank


def _spectrum(kind: Kind) -> npt.NDArray[np.float64]:
    """The variance (D,) of people in each direction; together 1."""
    spectrum = np.zeros(kind.dimension)
    spectrum[: kind.used] = np.arange(1.0, kind.used + 1) ** -kind.power
    return spectrum / spectrum.sum()


def _drawn(count: int, deviation: F32, random: np.random.Generator) -> F32:
    drawn = random.standard_normal((count, len(deviation)), np.float32)
    drawn *= deviation
    return drawn
