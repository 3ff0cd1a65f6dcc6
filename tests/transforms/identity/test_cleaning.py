"""The cleaning rules one by one, then all together."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.identity.cleaning import (
    FaceColumns,
    ambiguous,
    centres,
    clean,
    duplicates,
    leaked,
    low_score,
    similarity_to_centre,
)
from transforms.identity.counting import image_counts, too_small
from transforms.identity.knn import unit
from transforms.identity.merging import NOTHING, pairs_above
from transforms.identity.settings import CleanSettings


def ints(*values):
    return np.array(values, np.int64)


def at(*degrees):
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def cos(degrees):
    return float(np.cos(np.radians(degrees)))


def columns(vectors, image=None, score=None, group=None):
    n = len(vectors)
    return FaceColumns(
        np.asarray(vectors, np.float16),
        np.zeros(n, np.int64) if group is None else np.asarray(group, np.int64),
        np.arange(n) if image is None else np.asarray(image, np.int64),
        np.full(n, 0.99, np.float32) if score is None else np.asarray(score, np.float32),
        np.full(n, 120, np.float32),
    )


def rules(**changes):
    """Every rule switched off but for the minimum of images, and what is given."""
    off = {"merge_similarity": 1, "ambiguous_similarity": 1, "leakage_similarity": 1, "duplicate_similarity": 1}
    return CleanSettings(**(off | {"min_face_score": 0.5} | changes))


def stages(cleaned):
    return [(s.stage, s.n_subjects, s.n_images) for s in cleaned.stages]


def test_no_faces():
    cleaned = clean(columns(np.zeros((0, 4))), ints(), True, np.zeros((1, 4), np.float32), rules())
    assert cleaned.identity.tolist() == []
    assert [s.n_subjects for s in cleaned.stages] == [0] * 7


def test_all_noise():
    cleaned = clean(columns(at(0, 90)), ints(-1, -1), True, None, rules())
    assert cleaned.reason.tolist() == ["noise", "noise"]
    assert cleaned.identity.tolist() == cleaned.merged.tolist() == [-1, -1]
    assert np.isnan(cleaned.similarity).all()


def test_score_is_strict():
    assert low_score(np.array([0.9, 0.95, 0.9500001, np.nan], np.float32), 0.95).tolist() == [True, True, False, True]


def test_images_are_distinct_images():
    identity, image = ints(0, 0, 2, 2, -1), ints(7, 7, 7, 8, 9)
    assert image_counts(identity, image).tolist() == [1, 0, 2, 0, 0]
    assert too_small(identity, image, 2)[:4].tolist() == [True, True, False, False]


def test_centres_are_sums_of_raw_vectors():
    vectors = np.array([[1, 2], [10, 0], [3, 4], [5, 5]], np.float16)
    names, sums = centres(ints(2, -1, 2, 3), vectors)
    assert names.tolist() == [2, 3]
    assert sums.tolist() == [[4, 6], [5, 5]]


def test_centres_of_many_rows_do_not_depend_on_the_reading_blocks(monkeypatch):
    random = np.random.default_rng(0)
    identity, vectors = random.integers(-1, 5, 500), random.normal(size=(500, 8)).astype(np.float16)
    expected = [vectors[identity == name].astype(np.float64).sum(axis=0) for name in range(5)]
    for rows in (1, 7, 1000):
        monkeypatch.setattr("transforms.identity.cleaning._ROWS_AT_A_TIME", rows)
        assert np.allclose(centres(identity, vectors)[1], expected, atol=1e-4)
        assert np.isnan(similarity_to_centre(identity, vectors)).tolist() == (identity < 0).tolist()


@pytest.mark.parametrize(
    ("degrees", "expected"),
    [
        ([0], []),
        ([0, 10], [1]),
        ([0, 10, 20], [1]),  # 0-10 drops the second; 20 is near the dropped one only, so it stays
        ([0, 0, 0, 90], [1, 2]),
    ],
)
def test_duplicates_of_kept_faces(degrees, expected):
    drop = duplicates(np.zeros(len(degrees), np.int64), at(*degrees), cos(15))
    assert np.flatnonzero(drop).tolist() == expected


def test_duplicates_only_within_an_identity_in_any_block(monkeypatch):
    identity = ints(3, 0, 0, 3, -1, 5)
    vectors = at(0, 0, 90, 1, 0, 0)
    assert np.flatnonzero(duplicates(identity, vectors, 0.9)).tolist() == [3]
    monkeypatch.setattr("transforms.identity.cleaning._IDENTITIES_AT_A_TIME", 1)
    assert np.flatnonzero(duplicates(identity, vectors, 0.9)).tolist() == [3]


def test_ambiguous_drops_the_identity_with_fewer_images_and_the_later_of_equals():
    identity, image = ints(0, 0, 2, 2, 2, 5, 5, 7, 7), np.arange(9)
    vectors = at(0, 0, 30, 30, 30, 180, 180, 200, 200)
    drop = ambiguous(identity, image, vectors, cos(40), NOTHING)
    assert sorted(set(identity[drop].tolist())) == [0, 7]


def test_leaked_is_strict_and_by_centre():
    identity, vectors = ints(0, 0, 2, 2), at(-10, 10, 80, 100)
    assert leaked(identity, vectors, at(30), cos(31)).tolist() == [True, True, False, False]
    assert not leaked(identity, vectors, at(30), cos(29)).any()


def test_each_rule_gives_its_reason_and_its_counts():
    # cluster 0: three images; 3: loses a face by score and then falls below two images; 5: not the label's largest
    vectors = at(0, 1, 40, 90, 91, 180, 181, 60)
    clusters = ints(0, 0, 0, 3, 3, 5, 5, -1)
    group = [0, 0, 0, 1, 1, 0, 0, 2]
    score = [0.99, 0.99, 0.99, 0.99, 0.3, 0.99, 0.99, 0.99]
    cleaned = clean(columns(vectors, score=score, group=group), clusters, True, None, rules(duplicate_similarity=0.99))
    assert cleaned.reason.tolist() == [
        "",
        "duplicate_face",
        "",
        "small_identity",
        "low_face_score",
        "not_largest_cluster",
        "not_largest_cluster",
        "noise",
    ]
    assert cleaned.identity.tolist() == [0, -1, 0, -1, -1, -1, -1, -1]
    assert stages(cleaned) == [
        ("clusters", 3, 7),
        ("largest_cluster", 2, 5),
        ("face_score", 1, 3),
        ("merging", 1, 3),
        ("ambiguity", 1, 3),
        ("leakage", 1, 3),
        ("duplicates", 1, 2),
    ]


def test_merged_clusters_are_followed_to_their_end():
    degrees = (0, 1, 10, 11, 20, 21, 150, 151)
    cleaned = clean(columns(at(*degrees)), ints(0, 0, 2, 2, 4, 4, 6, 6), False, None, rules(merge_similarity=cos(18)))
    assert cleaned.merged.tolist() == [0, 0, 0, 0, 0, 0, 6, 6]
    assert cleaned.identity.tolist() == [0] * 6 + [1] * 2


def test_unmerged_clusters_are_dropped_with_that_reason():
    vectors = at(0, 0, 10, 10, 50, 50)
    cleaned = clean(columns(vectors), ints(0, 0, 2, 2, 4, 4), False, None, rules(merge_similarity=cos(42)))
    assert cleaned.reason.tolist() == ["", "", "", "", "unmerged", "unmerged"]
    assert cleaned.merged.tolist() == [0, 0, 0, 0, 4, 4]


def test_ambiguity_is_judged_after_merging():
    # 30 is ambiguous with 0 (within 35), but it merges with 44, and 37 is not
    cleaned = clean(
        columns(at(0, 0, 0, 30, 30, 44, 44)),
        ints(0, 0, 0, 3, 3, 5, 5),
        False,
        None,
        rules(merge_similarity=cos(18), ambiguous_similarity=cos(35)),
    )
    assert cleaned.identity.tolist() == [0, 0, 0, 1, 1, 1, 1]


def test_leakage_and_small_identity_follow_each_other():
    vectors = at(0, 5, 90, 95)
    cleaned = clean(columns(vectors), ints(0, 0, 2, 2), False, at(88), rules(leakage_similarity=cos(20)))
    assert cleaned.reason.tolist() == ["", "", "leaked", "leaked"]


def test_identities_of_one_image_are_small():
    cleaned = clean(columns(at(0, 20), image=[4, 4]), ints(0, 0), False, None, rules())
    assert cleaned.reason.tolist() == ["small_identity"] * 2
    assert np.allclose(cleaned.similarity, cos(10), atol=1e-3)  # to its cluster's centre


@given(st.integers(0, 100_000), st.integers(1, 60))
@settings(max_examples=100, deadline=None)
def test_what_is_kept_is_clean(seed, rows):
    random = np.random.default_rng(seed)
    centre = random.normal(size=(8, 4))
    vectors = (centre[random.integers(0, 8, rows)] + 0.3 * random.normal(size=(rows, 4))).astype(np.float16)
    faces = columns(vectors, image=random.integers(0, rows, rows), score=random.uniform(0.9, 1, rows))
    clusters = np.full(rows, -1)
    for name in range(rows):
        if clusters[name] < 0 and random.random() < 0.8:
            clusters[name : name + 1 + random.integers(0, 6)] = name
    validation = unit(random.normal(size=(2, 4)))
    settings_ = CleanSettings(
        min_face_score=0.95,
        merge_similarity=0.7,
        ambiguous_similarity=0.6,
        leakage_similarity=0.7,
        duplicate_similarity=0.9,
    )
    cleaned = clean(faces, clusters.astype(np.int64), False, validation, settings_)
    kept = cleaned.identity >= 0
    assert np.array_equal(kept, cleaned.reason == "")
    numbers = cleaned.identity[kept]
    assert sorted(set(numbers.tolist())) == list(range(len(set(numbers.tolist()))))
    firsts = [np.flatnonzero(cleaned.identity == number)[0] for number in range(len(set(numbers.tolist())))]
    assert firsts == sorted(firsts)  # numbered by the smallest face
    for number in set(numbers.tolist()):
        own = np.flatnonzero(cleaned.identity == number)
        assert len(set(faces.image[own].tolist())) >= 2
        assert (faces.score[own] > 0.95).all()
        assert len(pairs_above(vectors[own], settings_.duplicate_similarity)) == 0
        assert len(set(cleaned.merged[own].tolist())) == 1
    counts = [(s.n_subjects, s.n_images) for s in cleaned.stages]
    assert all(a[0] >= b[0] and a[1] >= b[1] for a, b in itertools.pairwise(counts))
    assert counts[-1][0] == len(firsts)
    before = clean(
        faces, clusters.astype(np.int64), False, None, settings_.model_copy(update={"duplicate_similarity": 1})
    )
    _, sums = centres(before.identity, vectors)
    assert len(pairs_above(sums, settings_.ambiguous_similarity)) == 0
