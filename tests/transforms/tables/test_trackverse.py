import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.track_rows import track
from transforms.tables.trackverse import class_label, from_line, to_line, track_record

KEYS = (
    "track_id", "video_size", "track_ts", "top10_lbl", "top10_desc", "top10_cls", "top10_wcls", "frame_ts",
    "frame_bboxes", "frame_obj", "frame_cls", "frame_wcls", "frame_lbl", "frame_desc",
)  # fmt: skip
NAME = "ab/abcdefghijk-meta.jsonl.gzip"
# what a published subset has: without classes of each frame
LISTED = {
    "track_id": 7,
    "video_size": [480, 640],
    "track_ts": [1.0, 1.5],
    "top10_lbl": [3, 5],
    "top10_desc": ["photo of a cat (also kitty)", "dog"],
    "top10_cls": [[0.5, 0.25], [0.125, 0.0]],
    "top10_wcls": [[0.4375, 0.125], [0.25, 0.0]],
    "frame_ts": [1.0, 1.5],
    "frame_bboxes": [[1, 2, 30, 40], [2.5, 2, 30, 40]],
    "yid": "-bcdefghijk",
    "mp4_filename": "-b/-bcdefghijk-cat-0123456789abcdef0123456789abcdef.mp4",
}
LATER = {
    "yid": "abcdefghijk",
    "tid": "0123456789abcdef0123456789abcdef",
    "fn": "ab/abcdefghijk-cat-0123456789abcdef0123456789abcdef.mp4",
    "video_size": [480, 640],
    "track_ts": [1.0, 1.5],
    "track_bbox": LISTED["frame_bboxes"],
    "top10_lbl": [3, 5],
    "top10_desc": ["cat", "dog"],
    "top10_logit_mu": [0.5, 0.25],
    "top10_logit_std": [0.125, 0.0],
    "top10_wlogit_mu": [0.4375, 0.125],
    "top10_wlogit_std": [0.25, 0.0],
}


def parse(record, name=NAME):
    return from_line(json.dumps(record).encode(), name)


def test_a_line_has_the_keys_and_types_of_the_reference():
    record = json.loads(to_line(track_record(track(frames=2), 4)))
    assert tuple(record) == KEYS
    assert record["track_id"] == 4
    assert record["video_size"] == [480, 640]
    assert record["track_ts"] == [0.0, 0.08]
    assert record["frame_bboxes"] == [[0.0, 1.0, 100.25, 49.5], [1.0, 2.0, 100.25, 49.5]]
    assert record["top10_cls"][0] == pytest.approx([0.5, 0.2])
    assert record["top10_wcls"][1] == pytest.approx([0.09, 0.04])
    assert record["frame_wcls"] == pytest.approx([0.45, 0.45])
    assert record["frame_lbl"] == [15, 15]
    assert record["frame_desc"] == ["cat", "cat"]


def test_a_number_that_is_not_finite_is_not_written():
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_line(track_record(track(top_means=np.array([np.nan, 0], np.float32)), 0))


def test_a_track_without_a_class_is_not_written():
    with pytest.raises(ValueError, match="no class"):
        track_record(track(top_names=[]), 0)


def test_a_published_line_becomes_a_row():
    row = parse(LISTED)
    assert row.video_id == "~2Dbcdefghijk"
    assert (row.width, row.height) == (640, 480)
    assert (row.class_name, row.class_score) == ("cat", 0.4375)
    np.testing.assert_array_equal(row.boxes, [[1, 2, 31, 42], [2.5, 2, 32.5, 42]])
    assert (row.first_frame, row.last_frame, row.numbers) == (0, 1, [0, 1])
    assert (row.start, row.end, row.times) == (1.0, 1.5, [1.0, 1.5])
    assert row.frame_names == [LISTED["top10_desc"][0]] * 2
    assert row.frame_probabilities.tolist() == [0.5, 0.5]
    assert row.objectness.tolist() == row.scores.tolist() == [1, 1]
    assert (row.media, row.shot_id, row.label, row.source, row.feature) == ("", "", None, "{}", None)


def test_a_line_of_the_later_form_becomes_a_row():
    row = parse(LATER)
    assert row.track_id == "abcdefghijk-0123456789abcdef0123456789abcdef"
    assert row.times == [1.0, 1.5]
    np.testing.assert_array_equal(row.boxes, [[1, 2, 31, 42], [2.5, 2, 32.5, 42]])
    assert row.top_deviations.tolist() == [0.125, 0.0]
    assert row.top_weighted_means.tolist() == [0.4375, 0.125]


def test_a_later_form_needs_the_time_of_every_frame():
    with pytest.raises(ValueError, match="track_ts: 2 values instead of 1"):
        parse({**LATER, "track_bbox": [[1, 2, 3, 4]]})


def test_what_the_curator_reads_is_a_mixture_of_both_forms():
    mixed = {key: LATER[key] for key in ("fn", "video_size", "track_ts", "track_bbox", "top10_lbl", "top10_desc")}
    row = parse({**mixed, "top10_cls": LISTED["top10_cls"], "top10_wcls": LISTED["top10_wcls"]}, "LVIS-4M.jsonl.gzip")
    assert row.video_id == "abcdefghijk"
    assert row.top_weighted_deviations.tolist() == [0.25, 0.0]


@pytest.mark.parametrize(
    ("name", "video_id"),
    [
        ("gs://bucket/ab/abcdefghijk-meta.jsonl.gzip", "abcdefghijk"),
        ("x-meta.jsonl.gzip", "x"),  # ours, of an id that is none of YouTube's
        ("0123456789abcdef0123-meta.jsonl.gzip", "0123456789abcdef0123"),
        ("abcdefghijk.jsonl", "abcdefghijk"),
    ],
)
def test_the_file_names_the_video_where_the_line_does_not(name, video_id):
    assert from_line(to_line(track_record(track(), 0)), name).video_id == video_id


def test_a_track_written_twice_has_one_id_and_another_one_has_its_own():
    again, moved = {**LISTED, "track_id": 8}, {**LISTED, "frame_bboxes": [[1, 2, 30, 40], [2, 2, 30, 40]]}
    assert parse(again).track_id == parse(LISTED).track_id
    assert parse(moved).track_id != parse(LISTED).track_id


def test_a_tracks_hash_is_of_the_text_that_the_reference_makes_of_it():
    # the MD5 of: abcdefghijk-(1.0, 1.5)-((1.0, 2.0, 30.0, 40.0), (2.5, 2.0, 30.0, 40.0))
    assert parse({**LISTED, "yid": "abcdefghijk"}).track_id == "abcdefghijk-803593a1596957e6f30b9b86c2c2a9c2"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"frame_bboxes": []}, "0 boxes"),
        ({"frame_bboxes": [[1, 2, 3], [1, 2, 3, 4]]}, "3 values instead of 4"),
        ({"frame_bboxes": [[1, 2, -3, 4], [1, 2, 3, 4]]}, "negative"),
        ({"frame_bboxes": [[1, 2, "3", 4], [1, 2, 3, 4]]}, "finite number"),
        ({"frame_bboxes": [[1, 2, True, 4], [1, 2, 3, 4]]}, "finite number"),
        ({"frame_bboxes": {"0": [1, 2, 3, 4]}}, "dict"),
        ({"frame_bboxes": [[1, 2, float("nan"), 4], [1, 2, 3, 4]]}, "NaN"),
        ({"frame_bboxes": [[1, 2, float("inf"), 4], [1, 2, 3, 4]]}, "Infinity"),
        ({"frame_bboxes": [[1, 2, 10**400, 4], [1, 2, 3, 4]]}, "finite number"),
        ({"frame_bboxes": [[1, 2, 1e39, 4], [1, 2, 3, 4]]}, "finite number"),
        ({"frame_bboxes": [[1, 2, 3, 4]] * 100_001}, "100001 boxes"),
        ({"frame_ts": [1.0]}, "frame_ts: 1 values instead of 2"),
        ({"frame_ts": [2.0, 1.0]}, "ascend"),
        ({"video_size": [480]}, "video_size"),
        ({"video_size": [0, 640]}, "video_size"),
        ({"video_size": [480.5, 640]}, "video_size"),
        ({"top10_desc": []}, "0 classes"),
        ({"top10_desc": ["cat", "\ud800"]}, "text"),
        ({"top10_desc": ["cat", "x" * 1001]}, "text"),
        ({"top10_desc": ["cat", 3]}, "text"),
        ({"top10_lbl": [3, 2**31]}, "number of a class"),
        ({"top10_lbl": [3, 1.5]}, "number of a class"),
        ({"top10_cls": [[0.5, 0.25]]}, "top10_cls: 1 values"),
        ({"top10_cls": [0.5, 0.25]}, "float stands where a list"),
        ({"top10_wcls": [[0.5], [0.25]]}, "1 values instead of 2"),
        ({"frame_obj": [0.5]}, "frame_obj: 1 values"),
        ({"yid": 3}, "yid"),
        ({"yid": ""}, "yid"),
    ],
)
def test_what_is_wrong_with_a_line_is_said(changes, words):
    with pytest.raises(ValueError, match=words):
        parse({**LISTED, **changes})


@pytest.mark.parametrize("key", ["video_size", "frame_ts", "frame_bboxes", "top10_lbl", "top10_desc", "top10_cls"])
def test_a_key_that_lacks_is_named(key):
    with pytest.raises(ValueError, match=f"it has no {key}|top10_logit_mu"):
        parse({name: value for name, value in LISTED.items() if name != key})


@pytest.mark.parametrize(
    "line", [b"", b"[1]", b"{", b"\xff{}", b"1e999", b'{"video_size": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"]
)
def test_what_is_no_object_is_one_clear_error(line):
    with pytest.raises(ValueError, match=r"."):
        from_line(line, NAME)


@pytest.mark.parametrize(
    ("text", "label"), [("cat", "cat"), ("photo of a cat", "cat"), ("photo of a cat (also kitty)", "cat")]
)
def test_a_description_names_a_class(text, label):
    assert class_label(text) == label


finite = st.floats(-1e6, 1e6, width=32)
shares = st.floats(0, 1, width=32)


@st.composite
def tracks(draw):
    frames, top = draw(st.integers(1, 6)), draw(st.integers(1, 10))

    def array(values, length):
        return np.array(draw(st.lists(values, min_size=length, max_size=length)), np.float32)

    names = draw(st.lists(st.text(st.characters(codec="utf-8"), max_size=8), min_size=top, max_size=top))
    corners = np.array([draw(st.tuples(finite, finite)) for _ in range(frames)], np.float32)
    sizes = np.array([draw(st.tuples(st.floats(0, 1e5, width=32), shares)) for _ in range(frames)], np.float32)
    times = sorted(draw(st.lists(st.floats(0, 1e5), min_size=frames, max_size=frames)))
    return track(
        frames=frames,
        start=times[0],
        end=times[-1],
        times=times,
        boxes=np.concatenate([corners, corners + sizes], axis=1),
        scores=array(shares, frames),
        objectness=array(shares, frames),
        frame_classes=np.arange(frames, dtype=np.int32),
        frame_names=[names[0]] * frames,
        frame_probabilities=array(shares, frames),
        top_classes=np.arange(top, dtype=np.int32),
        top_names=names,
        top_means=array(shares, top),
        top_deviations=array(shares, top),
        top_weighted_means=array(shares, top),
        top_weighted_deviations=array(shares, top),
    )


HELD = (
    "width", "height", "start", "end", "times", "boxes", "objectness", "frame_classes", "frame_names",
    "frame_probabilities", "top_classes", "top_names", "top_means", "top_deviations", "top_weighted_means",
    "top_weighted_deviations",
)  # fmt: skip


@given(tracks())
def test_a_row_written_and_read_keeps_all_that_the_form_holds(row):
    back = from_line(to_line(track_record(row, 0)), "v-meta.jsonl.gzip")
    for name in HELD:
        np.testing.assert_array_equal(getattr(back, name), getattr(row, name), err_msg=name)
    assert back.video_id == "v"
    assert back.class_name == class_label(row.top_names[0])
    assert to_line(track_record(back, 0)) == to_line(track_record(row, 0))
