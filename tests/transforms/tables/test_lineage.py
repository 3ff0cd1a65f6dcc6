"""Which columns are ids, and which rows go with others."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.tables.lineage import as_sets, file_columns, key_kind, kinds, rows_gone
from transforms.tables.person_rows import Person
from transforms.tables.rows import Duplicate, Edge, Embedding, Face, Identity, LabelMapping, ListedImage
from transforms.tables.schemas import arrow_schema
from transforms.tables.track_rows import LeftOutTrack, TrackFile
from transforms.tables.video_rows import Clip, Frame, VideoPart


@pytest.mark.parametrize(
    ("row_type", "key", "found"),
    [
        (ListedImage, "image_id", {"image_id": "image_id", "url": "url"}),
        (Duplicate, "image_id", {"image_id": "image_id", "original_id": "image_id"}),
        (Face, "face_id", {"face_id": "face_id", "body_id": "body_id", "image_id": "image_id"}),
        (Embedding, "face_id", {"face_id": "face_id", "body_id": "body_id", "image_id": "image_id"}),
        (Identity, "face_id", {"face_id": "face_id", "body_id": "body_id", "image_id": "image_id"}),
        (Edge, None, {"face_a": "face_id", "face_b": "face_id"}),
        (LabelMapping, None, {}),
        (Frame, "image_id", {"frame_id": "image_id", "video_id": "video_id"}),
        (VideoPart, "shot_id", {"part_id": "shot_id", "video_id": "video_id"}),
        (Clip, "clip_id", {"clip_id": "clip_id", "shot_id": "shot_id", "video_id": "video_id"}),
        (LeftOutTrack, "track_id", {"track_id": "track_id", "original_id": "track_id"}),
        (TrackFile, None, {"video_id": "video_id"}),
        (Person, None, {"video_id": "video_id", "face_id": "face_id"}),
    ],
)
def test_ids_and_what_they_name(row_type, key, found):
    schema = arrow_schema(row_type)
    assert kinds(schema) == found
    assert key_kind(schema) == key


def test_columns_that_name_files():
    assert file_columns(arrow_schema(Clip)) == ["media", "file", "lmdb", "audio"]
    assert file_columns(arrow_schema(Face)) == []


def test_of_no_rows_none_goes():
    empty = arrow_schema(Edge).empty_table()
    assert rows_gone(empty, as_sets({"face_id": {"a"}})).to_pylist() == []
    assert as_sets({"face_id": set()}) == {}


PAIRS = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd")))


@given(PAIRS, st.sets(st.sampled_from("abcd")))
def test_a_row_goes_if_one_of_its_ids_does_and_ids_of_another_kind_do_no_harm(pairs, gone):
    rows = [{"face_a": a, "face_b": b, "similarity": 1.0} for a, b in pairs]
    table = pa.Table.from_pylist(rows, arrow_schema(Edge))
    expected = [a in gone or b in gone for a, b in pairs]
    assert rows_gone(table, as_sets({"face_id": gone, "image_id": {"a"}})).to_pylist() == expected


def test_a_missing_id_goes_with_nothing():
    rows = [{"file": "x", "video_id": None, "format": "mot", "bytes": 1, "sha256": "", "tracks": 0}]
    table = pa.Table.from_pylist(rows, arrow_schema(TrackFile))
    assert rows_gone(table, as_sets({"video_id": {"v"}})).to_pylist() == [False]
