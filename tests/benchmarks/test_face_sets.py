"""Generated face sets: what is said of them holds, and they are the same whenever they are made."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.face_sets import SETS, FaceSet, Pictures, Tail, labelled, make, pair_sample, pictured, sizes
from transforms.identity.knn import pair_similarity

FACES = 6000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sets")


def columns(of: FaceSet) -> dict[str, np.ndarray]:
    return {name: np.asarray(getattr(of, name)) for name in ("vectors", "person", "image", "label", "source", "poor")}


@pytest.mark.parametrize("name", SETS)
def test_a_set_has_a_unit_vector_and_a_number_of_each_column_for_every_face(name: str, folder: Path) -> None:
    made = columns(make(name, FACES, 1, folder))
    assert {len(column) for column in made.values()} == {FACES}
    assert made["vectors"].shape[1] == SETS[name].vectors.dimension
    assert made["vectors"].dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(made["vectors"], axis=1), 1, atol=1e-5)


def test_seeds_make_sets_and_the_same_seed_the_same_one(folder: Path, tmp_path: Path) -> None:
    first, again, other = (
        columns(make("arcface-lfw", FACES, seed, at)) for seed, at in ((1, folder), (1, tmp_path), (2, folder))
    )
    assert all((first[name] == again[name]).all() for name in first)
    assert not any((first[name] == other[name]).all() for name in first)


def test_a_set_that_is_there_is_not_made_again(folder: Path) -> None:
    made = make("arcface-lfw", FACES, 1, folder)
    before = (made.home / "vectors.npy").stat().st_mtime_ns
    assert (make("arcface-lfw", FACES, 1, folder).home / "vectors.npy").stat().st_mtime_ns == before
    assert [path for path in folder.iterdir() if path.name.startswith("tmp")] == []


# mean cosines of pairs of one person and of two, as docs/benchmarks.md has them
@pytest.mark.parametrize(("kind", "one", "two"), [("fr", 0.72, 0.04), ("dlib", 0.96, 0.835), ("arcface", 0.69, 0.003)])
def test_pairs_are_as_similar_as_stated(kind: str, one: float, two: float, folder: Path) -> None:
    made = make(f"{kind}-lfw", FACES, 1, folder)
    for same, mean in ((True, one), (False, two)):
        cosine = pair_similarity(made.vectors, *pair_sample(made.person, same, 20_000))
        assert cosine.mean() == pytest.approx(mean, abs=0.02)


@pytest.mark.parametrize("tail", [Tail(1.5, 1, 530), Tail(1.75, 3, 2469)])
def test_sizes_fall_by_the_power_that_is_given(tail: Tail) -> None:
    each = sizes(tail, 200_000, np.random.default_rng(1))
    assert each.sum() == 200_000
    assert each.max() <= tail.most
    assert each[:-1].min() == tail.least
    for n in (2 * tail.least, 4 * tail.least, 16 * tail.least):
        assert (each >= n).mean() == pytest.approx((n / tail.least) ** -tail.exponent, rel=0.1)


def test_pictures_show_nobody_twice_but_for_collages_and_mirrors() -> None:
    random = np.random.default_rng(1)
    person = random.permutation(np.repeat(np.arange(1000), 20))
    circle = np.arange(1000) // 6
    image, source = pictured(person, circle, Pictures(0.5, 0.5, 0, 0, 0.1), random)
    assert len(np.unique(np.stack([image, person]), axis=1).T) == len(person)
    repeats = source != np.arange(len(person))
    assert (person[source] == person).all()
    assert (image[source] != image)[repeats].all()
    assert (np.bincount(image)[image] == 1)[repeats].all()
    assert repeats.mean() == pytest.approx(0.1 / 2 * 0.5, rel=0.2)  # of pairs of faces that are alone in their pictures

    together, _ = pictured(person, circle, Pictures(0.5, 0.5, 0.2, 0.1, 0), random)
    twice = len(person) - len(np.unique(np.stack([together, person]), axis=1).T)
    assert twice / len(person) == pytest.approx(0.3 / 2 * 0.5, rel=0.2)


def test_company_is_as_frequent_as_stated_and_half_of_it_friends() -> None:
    random = np.random.default_rng(1)
    person, circle = random.permutation(np.repeat(np.arange(5000), 4)), np.arange(5000) // 6
    image, _ = pictured(person, circle, Pictures(0.4, 0.5, 0, 0, 0), random)
    shown = np.bincount(image)[image]
    assert (shown > 1).mean() == pytest.approx(0.4, abs=0.06)  # less those who would be there twice
    order = np.argsort(image, kind="stable")
    beside = np.diff(image[order]) == 0
    near = np.abs(np.diff(circle[person[order]]))[beside] <= 1
    assert near.mean() == pytest.approx(0.5, abs=0.1)


def test_copies_and_mirrors_are_as_similar_as_stated(folder: Path) -> None:
    made = make("arcface-mf2", FACES, 1, folder)
    repeats = np.flatnonzero(made.source != np.arange(FACES))
    cosine = pair_similarity(np.asarray(made.vectors), repeats, made.source[repeats])
    mirrors = made.image[repeats] == made.image[made.source[repeats]]
    assert mirrors.any()
    assert cosine[~mirrors].min() > 0.998
    assert cosine[mirrors].mean() == pytest.approx(0.96, abs=0.01)


def test_so_many_labels_are_wrong() -> None:
    person = np.random.default_rng(1).integers(0, 3000, 50_000)
    assert (labelled(person, 0.35, np.random.default_rng(2)) != person).mean() == pytest.approx(0.35, abs=0.01)


def test_poor_faces_are_less_like_their_person_and_more_like_each_other(folder: Path) -> None:
    made = make("fr-mf2", FACES, 1, folder)
    rows = np.flatnonzero(made.poor)
    assert len(rows) / FACES == pytest.approx(0.01, abs=0.005)
    among = pair_similarity(np.asarray(made.vectors), rows[:-1], rows[1:])
    one, other = pair_sample(made.person, same=True)
    poor = made.poor[one] & ~made.poor[other]
    own = pair_similarity(np.asarray(made.vectors), one[poor], other[poor])
    assert among.mean() > 0.25  # 0.04 of two people
    assert own.mean() < 0.55  # 0.72 of one person
