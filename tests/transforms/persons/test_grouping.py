"""The faces of a video by person, as a whole: what evidence brings, sizes, limits, and no matter in which order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.transforms.persons.film_faces import faces_of, people, same_partition
from transforms.persons.distances import sums_between
from transforms.persons.evidence import together
from transforms.persons.grouping import cluster_faces, group_faces, large_enough
from transforms.persons.settings import EvidenceSettings, MergingSettings, PersonSettings

NO_EVIDENCE = EvidenceSettings(frames=False, tracks=False)
NO_MERGING = MergingSettings(passes=0)


def told(**settings):
    """Settings that a hand can follow: faces alone, the reference's cut, no merging, tracks of whatever faces."""
    plain = {"min_size": 1, "merging": NO_MERGING, "clothing_weight": 0, "similarity": 0.63, "scale": "largest"}
    return PersonSettings(**{**plain, "evidence": EvidenceSettings(track_face_distance=2), **settings})


@pytest.mark.parametrize("count", [0, 1])
def test_no_face_and_one_face(count):
    found = group_faces(faces_of(np.ones((count, 4))), told())
    assert [one.tolist() for one in (found.clusters, found.merged, found.persons)] == [[0] * count] * 3
    assert group_faces(faces_of(np.ones((count, 4))), told(min_size=2)).persons.tolist() == [-1] * count


@pytest.mark.parametrize("scale", ["largest", "possible"])
@pytest.mark.parametrize("vectors", [np.ones((5, 3)), np.eye(5)])
def test_all_equally_near(vectors, scale):
    """The largest distance of exact copies is 0, and so is the cut."""
    same = (vectors == 1).all()
    found = group_faces(faces_of(vectors), told(scale=scale, similarity=0.4)).persons
    assert len(set(found)) == (1 if same else 5 if scale == "largest" else 5 if 0.6 * 2 < 2**0.5 else 1)


def test_the_cut_is_a_share_of_the_largest_distance_in_the_video_or_of_the_largest_there_can_be():
    near, far = [1, 0, 0], [0.9, 0.436, 0]  # 0.447 apart, 0.316 of the way round
    video = faces_of([near, far, [0, 0, 1]])  # the largest distance is 1.414
    assert group_faces(video, told(similarity=0.67)).persons.tolist() == [0, 0, 1]
    assert group_faces(video, told(similarity=0.7)).persons.tolist() == [0, 1, 2]
    assert group_faces(video, told(similarity=0.77, scale="possible")).persons.tolist() == [0, 0, 1]
    assert group_faces(video, told(similarity=0.79, scale="possible")).persons.tolist() == [0, 1, 2]
    alone = faces_of([near, far])
    assert group_faces(alone, told(similarity=0.67)).persons.tolist() == [0, 1]
    assert group_faces(alone, told(similarity=0.77, scale="possible")).persons.tolist() == [0, 0]


def test_two_faces_of_a_frame_are_two_people_and_a_track_is_one():
    twins = faces_of([[1, 0], [1, 0.001]], frames=[4, 4])
    assert group_faces(twins, told(scale="possible")).persons.tolist() == [0, 1]
    assert group_faces(twins, told(scale="possible", evidence=NO_EVIDENCE)).persons.tolist() == [0, 0]
    turned = faces_of([[1, 0], [0, 1]], frames=[4, 5], boxes=[(0, 0, 9, 9)] * 2, shots=[0, 0])
    assert group_faces(turned, told(scale="possible")).persons.tolist() == [0, 0]
    assert group_faces(turned, told(scale="possible", evidence=NO_EVIDENCE)).persons.tolist() == [0, 1]


def test_what_stays_apart_does_so_after_merging():
    twins = faces_of([[1, 0], [1, 0.001]], frames=[4, 4])
    merging = MergingSettings(face_distance=0.5)
    assert group_faces(twins, told(merging=merging)).persons.tolist() == [0, 1]
    assert group_faces(twins, told(merging=merging, similarity=1, evidence=NO_EVIDENCE)).persons.tolist() == [0, 0]


def test_small_clusters_are_dropped_after_merging():
    found = faces_of([[1, 0], [1, 0.01], [1, 0.1], [0, 1]])
    parts = told(similarity=0.99, scale="possible", min_size=3, merging=MergingSettings(face_distance=0.2))
    grouping = group_faces(found, parts)
    assert grouping.clusters.tolist() == [0, 0, 1, 2]
    assert grouping.merged.tolist() == [0, 0, 0, 1]
    assert grouping.persons.tolist() == [0, 0, 0, -1]


@pytest.mark.parametrize(
    ("clusters", "least", "expected"),
    [([], 2, []), ([0, 1, 1, 2, 2], 2, [-1, 0, 0, 1, 1]), ([0, 1], 1, [0, 1]), ([0, 1], 9, [-1, -1])],
)
def test_large_enough(clusters, least, expected):
    assert large_enough(np.array(clusters, np.int64), least).tolist() == expected


def test_more_faces_in_a_frame_than_are_compared():
    """Those behind the limit can be joined to nothing, and cost no memory."""
    rng = np.random.default_rng(0)
    found = faces_of(rng.normal(size=(50, 4)), frames=[0] * 50)
    assert cluster_faces(found, told(max_groups=20)).tolist() == list(range(50))


@st.composite
def films(draw):
    """Faces of a few people in a few frames and shots, with copies, faces found twice, and clothes here and there."""
    count = draw(st.integers(0, 40))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    frames = np.sort(rng.integers(0, 25, count))
    who = rng.integers(0, 4, count)
    vectors = people(rng, who, 6, draw(st.sampled_from([0.3, 1])))
    if draw(st.booleans()):
        vectors = vectors[rng.integers(0, max(1, count // 3), count)] if count else vectors
    corners = rng.integers(0, 3, (count, 1)) * 60 + rng.integers(0, 10, (count, 2))
    ids = [f"v-n{frame}-f{n}" for n, frame in enumerate(frames.tolist())]
    dressed = people(rng, who, 3, 0.3) * rng.integers(0, 2, (count, 1))
    return faces_of(vectors, frames, dressed, np.hstack([corners, corners + 50]), shots=frames // 8, ids=ids)


SETTINGS = st.builds(
    PersonSettings,
    similarity=st.sampled_from([0, 0.5, 0.63, 0.9, 1]),
    clothing_weight=st.sampled_from([0, 1]),
    scale=st.sampled_from(["largest", "possible"]),
    max_groups=st.sampled_from([3, 10, 10_000]),
    neighbours=st.sampled_from([2, 64]),
    min_size=st.sampled_from([1, 3]),
    evidence=st.builds(EvidenceSettings, frames=st.booleans(), tracks=st.booleans()),
    merging=st.builds(MergingSettings, face_distance=st.sampled_from([0, 0.3]), passes=st.integers(0, 3)),
)


@given(films(), SETTINGS, st.randoms(use_true_random=False))
@settings(max_examples=150, deadline=None)
def test_the_order_of_the_rows_does_not_matter(found, how, chance):
    rows = np.array(chance.sample(range(len(found)), len(found)), np.int64)
    whole, mixed = group_faces(found, how), group_faces(found.take(rows), how)
    for one, other in zip((whole.clusters, whole.merged, whole.persons),
                          (mixed.clusters, mixed.merged, mixed.persons), strict=True):  # fmt: skip
        assert one[rows].tolist() == other.tolist()


@given(films(), SETTINGS)
@settings(max_examples=150, deadline=None)
def test_what_the_film_shows_holds_in_every_case(found, how):
    grouping = group_faces(found, how)
    order = found.order()
    group = np.empty(len(found), np.int64)
    group[order] = together(found.take(order), how.evidence)
    for clusters in (grouping.clusters, grouping.merged):
        for one in set(group):
            assert len(set(clusters[group == one])) == 1
        if how.evidence.frames:
            for frame in set(found.frame):
                here = found.frame == frame
                assert len(set(clusters[here])) == len(set(group[here]))
        assert sorted(set(clusters)) == list(range(len(set(clusters))))
    assert len(set(grouping.merged)) <= len(set(grouping.clusters))
    sizes = np.bincount(grouping.persons[grouping.persons >= 0])
    assert (sizes >= how.min_size).all()


def test_tracks_count_with_all_their_faces():
    """The track's turned face alone would be too far from the third; the mean of all distances counts."""
    vectors = [[1, 0], [0.6, 0.8], [1, 0.1]]
    found = faces_of(vectors, frames=[0, 1, 50], boxes=[(0, 0, 9, 9)] * 3, shots=[0, 0, 1])
    sums, _ = sums_between(found, np.array([0, 0, 1]), 1, 0)
    mean = sums[0, 1] / 2
    assert mean == pytest.approx((0.0996 + 0.802) / 2, abs=0.01)
    for similarity, expected in ((1 - mean / 2 - 0.001, [0, 0, 0]), (1 - mean / 2 + 0.001, [0, 0, 1])):
        assert group_faces(found, told(similarity=similarity, scale="possible")).persons.tolist() == expected


def test_people_of_a_film_are_found_however_they_are_dressed():
    rng = np.random.default_rng(3)
    who = np.repeat([0, 1, 2], 60)
    found = faces_of(people(rng, who, scatter=0.4), clothes=people(rng, who * 9 + rng.integers(0, 3, 180), 8, 0.2))
    assert same_partition(group_faces(found, told(evidence=NO_EVIDENCE, similarity=0.4)).persons, who)
