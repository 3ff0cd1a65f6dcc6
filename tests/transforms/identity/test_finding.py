"""From faces, edges and what is known to identities: evidence before and after, what a user drops, bad vectors."""

import numpy as np
import pyarrow as pa
import pytest

from tests.transforms.identity.evidence_made import all_edges, ints
from transforms.identity.cleaning import FaceColumns
from transforms.identity.evidence import Evidence, no_evidence
from transforms.identity.finding import Known, cluster_and_clean, what_is_known
from transforms.identity.knn import NO_EDGES, unit
from transforms.identity.overrides import Overrides
from transforms.identity.settings import IdentitySettings
from transforms.tables.shards import shard_path, write_shard

OFF = {"merge_similarity": 1, "ambiguous_similarity": 1, "leakage_similarity": 1, "duplicate_similarity": 1}

TRACKS = {"tracks": True, "track_similarity": 0.5}


def at(*degrees):
    angles = np.radians(degrees)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float16)


def cos(degrees):
    return float(np.cos(np.radians(degrees)))


def columns(vectors):
    rows = len(vectors)
    one = np.ones(rows, np.float32)
    return FaceColumns(vectors, np.zeros(rows, np.int64), np.arange(rows), one, 120 * one)


def told(**changes):
    clusters = {"method": "connected", "link_similarity": cos(15)}
    blocks = {"edges": {"min_similarity": cos(60)}, "clusters": clusters, "cleaning": OFF}
    return IdentitySettings.model_validate(blocks | changes)


def pairs(*rows):
    return np.array(rows, np.int64).reshape(-1, 2)


def by_hand(same=(), apart=(), drop=(), whole=()):
    return Overrides(pairs(*same), pairs(*apart), ints(*drop), ints(*whole), ())


def find(vectors, settings, picture=None, overrides=None):
    rows = len(vectors)
    apart = pairs() if overrides is None else overrides.apart
    pictures = np.full(rows, -1) if picture is None else ints(*picture)
    evidence = Evidence(np.arange(rows), pictures, apart[:, 0], apart[:, 1])
    known = Known(evidence, np.zeros(rows, bool), overrides)
    return cluster_and_clean(columns(vectors), all_edges(unit(vectors), cos(60)), settings, known)[0]


def test_no_faces():
    cleaned, clusters = cluster_and_clean(columns(np.zeros((0, 2), np.float16)), NO_EDGES, told())
    assert (cleaned.identity.tolist(), clusters.tolist()) == ([], [])


def test_pairs_of_one_picture_are_counted_without_and_with_evidence():
    vectors = at(0, 5, 10, 15, 20, 25)
    cleaned = find(vectors, told(evidence={"pictures": True}), picture=[0, 1, 2, 3, 0, 4])
    counts = [(step.stage, step.n_subjects, step.n_faces, step.n_seen_together) for step in cleaned.stages]
    assert counts[:2] == [("without_evidence", 1, 6, 1), ("clusters", 2, 6, 0)]
    assert cleaned.stages[0].by_pictures is not None
    assert all(step.by_pictures is None and step.n_seen_together == 0 for step in cleaned.stages[1:])
    assert find(vectors, told()).stages[0].n_seen_together is None


@pytest.mark.parametrize("similarity", ["merge_similarity", "ambiguous_similarity"])
def test_cleaning_keeps_two_people_of_one_picture_apart(similarity):
    vectors = at(0, 5, 30, 35)
    settings = told(evidence={"pictures": True}, cleaning=OFF | {similarity: cos(50)})
    apart = find(vectors, settings, picture=[0, 1, 0, 2])
    assert apart.identity.tolist() == [0, 0, 1, 1]
    assert find(vectors, settings).identity.tolist() != [0, 0, 1, 1]


def test_a_face_that_scored_too_low_still_keeps_its_cluster_apart():
    vectors = at(0, 5, 10, 30, 35)
    faces = columns(vectors)
    faces.score[0] = 0.1
    evidence = Evidence(np.arange(5), ints(0, 1, 2, 0, 3), ints(), ints())
    settings = told(evidence={"pictures": True}, cleaning=OFF | {"merge_similarity": cos(50)})
    known = Known(evidence, np.zeros(5, bool), None)
    cleaned, _ = cluster_and_clean(faces, all_edges(unit(vectors), cos(60)), settings, known)
    assert cleaned.identity.tolist() == [-1, 0, 0, 1, 1]


def test_links_by_hand_hold_for_whole_identities():
    vectors = at(0, 5, 80, 85)
    assert find(vectors, told()).identity.tolist() == [0, 0, 1, 1]
    assert find(vectors, told(), overrides=by_hand(same=[(0, 2)])).identity.tolist() == [0, 0, 0, 0]
    assert find(at(0, 5, 10, 15), told(), overrides=by_hand(apart=[(0, 3)])).identity.tolist() == [0, 0, 1, 1]


def test_what_is_dropped_by_hand_links_nothing_and_has_that_reason():
    found = find(at(0, 10, 20, 30, 40), told(), overrides=by_hand(drop=[2]))
    assert found.identity.tolist() == [0, 0, -1, 1, 1]
    assert found.reason.tolist() == ["", "", "by_hand", "", ""]


def test_a_whole_identity_is_dropped_with_what_merged_into_it():
    settings = told(cleaning=OFF | {"merge_similarity": cos(50)})
    found = find(at(0, 5, 30, 35, 150, 155), settings, overrides=by_hand(whole=[3]))
    assert found.identity.tolist() == [-1] * 4 + [0, 0]
    assert set(found.reason.tolist()) == {"by_hand", ""}
    assert [step.stage for step in found.stages if step.n_dropped] == ["by_hand"]


@pytest.mark.parametrize("method", ["connected", "dbscan", "average", "whispers", "leiden"])
def test_vectors_without_direction_are_nobodys(method):
    vectors = np.concatenate([at(0, 5), np.array([[0, 0], [np.nan, 1], [np.inf, 1]], np.float16)])
    settings = told(clusters={"method": method, "link_similarity": cos(15), "second_look": {"similarity": 0.1}})
    known = Known(no_evidence(5), np.zeros(5, bool), None)
    edges = all_edges(unit(vectors), 0.0)
    cleaned, _ = cluster_and_clean(columns(vectors), edges, settings, known)
    assert cleaned.identity.tolist() == [0, 0, -1, -1, -1]
    assert cleaned.reason.tolist() == ["", ""] + ["bad_vector"] * 3


def in_frames(run, shots):
    """A run with a face in one place of three frames, half a second apart; returns rows of embeddings."""
    box = pa.array(np.tile(np.float32([0, 0, 50, 50]), (3, 1)).tolist(), pa.list_(pa.float32(), 4))
    ids, number = pa.array([f"v-n{12 * n}-f0" for n in range(3)]), pa.array([0, 12, 24], pa.int64())
    seen = {"face_id": ids, "box": box, "number": number, "time": pa.array([0, 0.5, 1.0])}
    if shots is not None:
        seen["shot"] = pa.array(shots, pa.int32())
    write_shard(shard_path(run, "faces", "00000"), pa.table(seen))
    images = pa.array([f"v-n{12 * n}" for n in range(3)])
    return pa.table({"face_id": ids, "image_id": images, "norm": pa.array([1.0] * 3, pa.float32())})


@pytest.mark.parametrize(
    ("shots", "expected"), [([0, 0, 0], [0, 0, 2]), ([0, 1, 1], [0, 1, 2]), ([None] * 3, [0, 1, 2])]
)
def test_faces_that_are_followed_are_alike(tmp_path, shots, expected):
    meta = in_frames(str(tmp_path), shots)
    vectors = at(0, 40, 120)  # the last is another face in the same place
    known = what_is_known(str(tmp_path), meta, columns(vectors), NO_EDGES, told(evidence=TRACKS))
    assert known.evidence.alike.tolist() == expected


def test_faces_of_photographs_have_no_tracks(tmp_path):
    meta = in_frames(str(tmp_path), None)
    with pytest.raises(ValueError, match=r"evidence\.tracks: these faces are of no videos"):
        what_is_known(str(tmp_path), meta, columns(at(0, 40, 120)), NO_EDGES, told(evidence=TRACKS))
