"""Clusters are called by a face that they still have."""

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from transforms.identity.cluster_names import mend_cluster_names, mended_map, new_names
from transforms.tables.rows import Identity, LabelMapping
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import read_shard, shard_path, write_shard


def faces(*rows):
    return pa.Table.from_pylist(
        [{"face_id": face, "cluster": cluster} for face, cluster in rows],
        pa.schema([("face_id", pa.string()), ("cluster", pa.string())]),
    )


def mapping(*rows):
    columns = ("cluster", "merged_into", "identity")
    return pa.Table.from_pylist([dict(zip(columns, row, strict=True)) for row in rows], arrow_schema(LabelMapping))


def test_no_faces_have_no_clusters():
    assert new_names(faces()) == {}
    assert mended_map(mapping(("a", "a", 0)), {}).num_rows == 0


def test_a_cluster_takes_the_name_of_the_smallest_face_that_is_left():
    found = faces(("c", "a"), ("b", "a"), ("e", "d"), ("d", "d"), ("f", None))
    assert new_names(found) == {"a": "b", "d": "d"}


def test_what_merged_into_a_cluster_without_faces_goes_by_the_first_that_is_left():
    clusters = mapping(("a", "a", 3), ("b", "a", 3), ("c", "a", 3), ("d", "d", None))
    names = {"b": "b2", "c": "c", "d": "d"}
    left = mapping(("b2", "b2", 3), ("c", "b2", 3), ("d", "d", None))
    assert mended_map(clusters, names).equals(left)
    assert mended_map(left, names).equals(left)


@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=2), st.sampled_from([None, 0, 1, 2])), st.data())
def test_every_cluster_is_called_by_a_face_of_its_own_and_again_changes_nothing(members, data):
    ordered = sorted(members)
    first = {number: next(f for f in ordered if members[f] == number) for number in set(members.values()) - {None}}
    stay = data.draw(st.sets(st.sampled_from(ordered))) if ordered else set()
    table = faces(*((f, None if members[f] is None else first[members[f]]) for f in ordered if f in stay))
    names = new_names(table)
    groups = {}
    for face, cluster in zip(table["face_id"].to_pylist(), table["cluster"].to_pylist(), strict=True):
        groups.setdefault(cluster, []).append(face)
    groups.pop(None, None)
    assert names == {cluster: cluster if cluster in stay else min(group) for cluster, group in groups.items()}
    renamed = [(f, names.get(c)) for f, c in zip(*(table[n].to_pylist() for n in ("face_id", "cluster")), strict=True)]
    again = new_names(faces(*renamed))
    assert all(old == new for old, new in again.items())


def identity(face, cluster, number=0):
    empty = {"body_id": None, "label": None, "source": "{}", "similarity": None, "reason": ""}
    return {"face_id": face, "image_id": face, "cluster": cluster, "identity": number, **empty}


def test_a_map_that_was_mended_before_the_identities_is_not_mended_twice(tmp_path):
    run = str(tmp_path)
    rows = [identity("b", "a"), identity("c", "a"), identity("d", "d", 1)]
    write_shard(shard_path(run, "identities", "0"), pa.Table.from_pylist(rows, arrow_schema(Identity)))
    half = mapping(("b", "b", 0), ("d", "d", 1))  # as a removal leaves it that is killed between the two tables
    write_shard(shard_path(run, "label_map", "0"), half)
    mend_cluster_names(run)
    assert read_shard(shard_path(run, "label_map", "0")).equals(half)
    assert read_shard(shard_path(run, "identities", "0"))["cluster"].to_pylist() == ["b", "b", "d"]


def test_without_identities_there_is_nothing_to_mend(tmp_path):
    mend_cluster_names(str(tmp_path))
    assert list(tmp_path.iterdir()) == []
