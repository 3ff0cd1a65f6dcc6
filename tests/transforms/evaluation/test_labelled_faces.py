"""Labels meet the faces of a run: each face once, with its person, cluster and identity, and all that is left out."""

from dataclasses import asdict

import pyarrow as pa
import pytest

from tests import video_rows
from tests.labelled_run import identity_row, write_images, write_no_persons, write_table
from transforms.evaluation.labelled_faces import labelled_faces, outcome
from transforms.evaluation.labels import LabelColumns, read_labels
from transforms.tables.rows import Identity
from transforms.tables.video_rows import VideoFace

FATES = {"a": ("c1", 0), "b": ("c1", 0), "c": ("c2", None), "d": (None, None), "e": ("c3", 7)}


@pytest.fixture
def run(tmp_path) -> str:
    write_images(str(tmp_path / "run"), FATES, ("f",))
    return str(tmp_path / "run")


def labelled(run, tmp_path, *lines):
    path = tmp_path / "labels.csv"
    path.write_text("\n".join(["item,identity", *lines]))
    found = labelled_faces(run, read_labels(str(path), LabelColumns()))
    people = found.people.to_pylist()
    rows = [
        (face, people[person], cluster, identity)
        for face, person, cluster, identity in zip(
            found.face_id.to_pylist(),
            found.person.tolist(),
            found.cluster.tolist(),
            found.identity.tolist(),
            strict=True,
        )
    ]
    return sorted(rows), found.counts


def test_no_labels(run, tmp_path):
    rows, counts = labelled(run, tmp_path)
    assert (rows, set(asdict(counts).values())) == ([], {0})


def test_each_face_has_its_person_cluster_and_identity(run, tmp_path):
    rows, counts = labelled(run, tmp_path, "a,ann", "b.jpg,ann", "http://h/c.jpg,bob", "d-b0-f0,bob", "e,eve")
    faces, people, clusters, identities = zip(*rows, strict=True)
    assert faces == tuple(f"{name}-b0-f0" for name in "abcde")
    assert people == ("ann", "ann", "bob", "bob", "eve")
    assert identities == (0, 0, -1, -1, 7)
    assert (clusters[0] == clusters[1], clusters[3]) == (True, -1)
    assert len({clusters[0], clusters[2], clusters[4], -1}) == 4
    assert (counts.with_face, counts.covered_before, counts.covered_after, counts.in_run) == (5, 4, 3, 5)


def test_what_is_left_out_is_counted_by_its_reason(run, tmp_path):
    lines = ["a,ann", "b,", "e,x", "e,y", "f,eve", "unknown.jpg,ann", ",z", "c,bob", "c.jpg,bob", "d,dan", "d.jpg,eve"]
    rows, counts = labelled(run, tmp_path, *lines)
    assert [row[:2] for row in rows] == [("a-b0-f0", "ann"), ("c-b0-f0", "bob")]
    assert asdict(counts) == {
        "rows": 11, "unreadable_rows": 0, "rows_without_item": 1, "items": 9, "without_identity": 1,
        "several_identities": 1, "not_in_run": 1, "ambiguous": 0, "without_face": 1, "with_face": 5,
        "contradicted_faces": 1, "covered_before": 3, "covered_after": 1,
    }  # fmt: skip


@pytest.mark.parametrize(("of_persons", "people"), [(False, ["ann"] * 3), (True, ["ann in v", "ann in v", "ann in w"])])
def test_a_person_is_one_of_a_video_where_videos_are_told_apart_alone(tmp_path, of_persons, people):
    run = str(tmp_path / "run")
    video_rows.write_manifest(run, ["v", "w"])
    faces = [video_rows.face("v", 0), video_rows.face("v", 5), video_rows.face("w", 0)]
    write_table(run, "faces", VideoFace, faces)
    rows = [identity_row(face.face_id, face.frame_id, (face.face_id, n)) for n, face in enumerate(faces)]
    write_table(run, "identities", Identity, rows)
    if of_persons:
        write_no_persons(run)
    found, counts = labelled(run, tmp_path, "v,ann", "w.mp4,ann")
    assert [row[1] for row in found] == people
    assert (counts.with_face, counts.covered_after) == (2, 2)


def test_a_face_of_no_identity_row_is_in_no_group(run):
    cluster, identity = outcome(run, pa.array(["a-b0-f0", "left-out"], pa.large_string()))
    assert (identity.tolist(), cluster.tolist()) == ([0, -1], [0, -1])


def test_a_run_without_identities(tmp_path):
    with pytest.raises(FileNotFoundError, match="has no table identities"):
        outcome(str(tmp_path), pa.array([], pa.large_string()))
