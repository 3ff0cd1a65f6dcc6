"""Generated sets of faces with the sizes, pictures, poor faces and wrong labels of collections from the web.

    python -m benchmarks.face_sets SET FACES [--seed 21] [--folder FOLDER]

makes a set once, and prints where it is and how similar its pairs are. What is published of real sets:

- How many faces people have. `lfw`: of the 5,749 people of Labeled Faces in the Wild 1,680 have two pictures or more,
  158 ten or more, 5 a hundred or more, one has 530 (Huang et al. 2007): a share of about n^-1.5 has n. `mf2`: the
  672,057 people of MegaFace 2 have 3 to 2,469 pictures, 7 on average (Nech and Kemelmacher-Shlizerman 2017), which a
  share of (n / 3)^-1.75 gives.
- Wrong labels: of 10 million pictures of MS-Celeb-1M a cleaning kept 6.46 million (Jin et al., C-MS-Celeb, 2018): 35 %
  were wrong.

What is not published is assumed and stands in `Pictures`: who is pictured with whom, and how often a picture comes
again. The vectors are those of `benchmarks.face_vectors`.
"""

import argparse
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.face_vectors import KINDS, Kind, draw_faces, draw_people
from benchmarks.results import report
from transforms.identity.knn import F32, I64, pair_similarity, unit

CHOOSING, REPORTING = (11, 12, 13), 21  # seeds to choose a rule with, and the one of the tables that are shown
FOLDER = Path(tempfile.gettempdir()) / "manyfaces-face-sets"
_FACES_AT_A_TIME = 16_384
_VERSION = 1  # of what is drawn: sets of another one are made anew
_CIRCLE = 6  # people

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Tail:
    """A share of (n / least)^-exponent of the people has n faces or more, and nobody more than `most`."""

    exponent: float
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Pictures:
    """What pictures show.

    company: share of faces that are in a picture of two people or more, each number half as often as the one before;
    friends: share of those that are with people of their own circle or the next, six who look alike as far as groups
    go; the others are with anybody. Of the pairs of faces of a person that are alone in their pictures are collages
    (one picture), mirrors (one picture, of a photograph and its mirror image), and copies (two, of one photograph).
    """

    company: float = 0.4
    friends: float = 0.5
    collages: float = 0.02
    mirrors: float = 0.01
    copies: float = 0.04


@dataclass(frozen=True, slots=True)
class SetKind:
    """What a set is like: its vectors, how many faces people have, pictures, and the share of wrong source labels."""

    vectors: Kind
    tail: Tail
    pictures: Pictures = Pictures()
    wrong_labels: float = 0.35


@dataclass(frozen=True, slots=True, eq=False)
class FaceSet:
    """N faces, in no order: unit vectors (N,D), in a memory-mapped file; person, image, label (N,) are numbers.

    source (N,): the face that this one shows again, copied or mirrored, or itself; poor (N,): next to nothing shows.
    """

    home: Path
    vectors: F32
    person: I64
    image: I64
    label: I64
    source: I64
    poor: Mask


_TAILS = {"lfw": Tail(1.5, 1, 530), "mf2": Tail(1.75, 3, 2469)}
_KINDS = {"fr": "fr-feature", "dlib": "dlib-resnet", "arcface": "ArcFace"}
SETS = {f"{kind}-{tail}": SetKind(KINDS[_KINDS[kind]], _TAILS[tail]) for kind in _KINDS for tail in _TAILS}


def make(name: str, faces: int, seed: int = REPORTING, folder: Path = FOLDER) -> FaceSet:
    """The set of SETS; it is made in the folder unless it is there already."""
    home = folder / f"{name}-{faces}-{seed}-v{_VERSION}"
    if not home.exists():
        folder.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=folder))
        _write(SETS[name], faces, np.random.default_rng([seed, faces]), made)
        os.rename(made, home)
    return load(home)


def load(home: Path) -> FaceSet:
    """A set that was made."""
    columns = (np.load(home / f"{name}.npy") for name in ("person", "image", "label", "source", "poor"))
    return FaceSet(home, np.load(home / "vectors.npy", mmap_mode="r"), *columns)


def _write(kind: SetKind, faces: int, random: np.random.Generator, home: Path) -> None:
    each = sizes(kind.tail, faces, random)
    people = draw_people(kind.vectors, len(each), random)
    person = random.permutation(np.repeat(np.arange(len(each)), each))
    circle = np.argsort(np.argsort(people.group, kind="stable")) // _CIRCLE
    image, source = pictured(person, circle, kind.pictures, random)
    vectors = np.lib.format.open_memmap(home / "vectors.npy", "w+", np.float32, (faces, kind.vectors.dimension))
    poor = np.zeros(faces, bool)
    for at in range(0, faces, _FACES_AT_A_TIME):
        part = slice(at, at + _FACES_AT_A_TIME)
        vectors[part], poor[part] = draw_faces(kind.vectors, people, person[part], random)
    _show_again(vectors, source, image == image[source], random)
    vectors.flush()
    label = labelled(person, kind.wrong_labels, random)
    for name, column in {"person": person, "image": image, "label": label, "source": source}.items():
        np.save(home / f"{name}.npy", column)
    np.save(home / "poor.npy", poor[source])


def sizes(tail: Tail, faces: int, random: np.random.Generator) -> I64:
    """How many faces each person (P,) has, as many together as given: the last one has what is left."""
    drawn = np.floor(tail.least * random.random(faces) ** (-1 / tail.exponent)).clip(max=tail.most).astype(np.int64)
    drawn = drawn[: int(np.searchsorted(np.cumsum(drawn), faces)) + 1]
    drawn[-1] -= drawn.sum() - faces
    return drawn


def pictured(person: I64, circle: I64, kind: Pictures, random: np.random.Generator) -> tuple[I64, I64]:
    """The picture (N,) of each face, and the face (N,) that it shows again, or itself; circle (P,) of each person.

    But for collages and mirrors a picture shows nobody twice: who would be there again is alone in another instead.
    """
    count = len(person)
    mixed = random.permutation(count)
    in_company = random.random(count) < kind.company
    with_friends = in_company & (random.random(count) < kind.friends)
    friends = mixed[with_friends[mixed]]
    friends = friends[np.argsort(circle[person[friends]], kind="stable")]
    together = np.r_[mixed[(in_company & ~with_friends)[mixed]], friends]
    image = np.arange(count)
    ends = np.cumsum(1 + random.geometric(0.5, len(together)))
    image[together] = count + np.searchsorted(ends, np.arange(len(together)), side="right")
    order = np.lexsort((person, image))
    again = order[1:][(np.diff(image[order]) == 0) & (np.diff(person[order]) == 0)]
    image[again] = again

    alone = mixed[~in_company[mixed]]
    alone = alone[np.argsort(person[alone], kind="stable")]
    first, second = alone[:-1:2], alone[1::2]
    chance = np.where(person[first] == person[second], random.random(len(first)), 1)
    shown = np.cumsum([kind.mirrors, kind.collages, kind.copies])
    image[second[chance < shown[1]]] = image[first[chance < shown[1]]]
    source = np.arange(count)
    same = (chance < shown[0]) | ((chance >= shown[1]) & (chance < shown[2]))
    source[second[same]] = first[same]
    return np.unique(image, return_inverse=True)[1].astype(np.int64), source


def labelled(person: I64, wrong: float, random: np.random.Generator) -> I64:
    """The source's label (N,): the person, or for the share `wrong` somebody's, as often as each has faces."""
    return np.where(random.random(len(person)) < wrong, person[random.permutation(len(person))], person)


def _show_again(vectors: F32, source: I64, one_picture: Mask, random: np.random.Generator) -> None:
    """Give faces that show another one (N,) again its vector: a copy with a cosine of .999, a mirror image of .96."""
    rows = np.flatnonzero(source != np.arange(len(source)))
    for at in range(0, len(rows), _FACES_AT_A_TIME):
        some = rows[at : at + _FACES_AT_A_TIME]
        noise = random.standard_normal((len(some), vectors.shape[1]), np.float32) / np.sqrt(vectors.shape[1])
        vectors[some] = unit(vectors[source[some]] + np.where(one_picture[some], 0.3, 0.045)[:, None] * noise)


def pair_sample(person: I64, same: bool, count: int = 100_000) -> tuple[I64, I64]:
    """Both faces (M,), (M,) of about so many pairs of one person, where people count by their faces, or of two."""
    random = np.random.default_rng(0)
    one = random.integers(0, len(person), count)
    if not same:
        other = random.integers(0, len(person), count)
        use = person[one] != person[other]
    else:
        order = np.argsort(person, kind="stable")
        ordered = person[order]
        low, high = (np.searchsorted(ordered, person[one], side=side) for side in ("left", "right"))
        other = order[low + (random.random(count) * (high - low)).astype(np.int64)]
        use = one != other
    return one[use], other[use]


def main() -> None:
    """Make a set, and tell of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=SETS)
    parser.add_argument("faces", type=int)
    parser.add_argument("--seed", type=int, default=REPORTING)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    given = parser.parse_args()
    made = make(given.name, given.faces, given.seed, given.folder)
    rows: list[list[str | float]] = []
    for same in (True, False):
        cosine = pair_similarity(made.vectors, *pair_sample(made.person, same))
        quantiles = np.quantile(cosine, [0.01, 0.1, 0.5, 0.9, 0.99, 0.999]).tolist()
        rows.append(["one person" if same else "two people", float(cosine.mean()), *quantiles])
    _, shown = np.unique(made.image, return_counts=True)
    people = np.bincount(made.person)
    heading = (
        f"{made.home}: {len(people):,} people, of whom {(people == 1).mean():.0%} have one face and one has "
        f"{people.max():,}; {len(shown):,} pictures, {(shown > 1).mean():.0%} with several faces"
    )
    report("face_sets", heading, ["cosines of pairs", "mean", "1 %", "10 %", "50 %", "90 %", "99 %", "99.9 %"], rows)


if __name__ == "__main__":
    main()
