import csv
import io
import pickle
from dataclasses import fields

import numpy as np
import pytest

from transforms.bundle.metadata_stage import COLUMNS, MORE, write_metadata
from transforms.tables.files import open_binary
from transforms.tables.ledger import tally, write_ledger
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import read_column, shard_names, shard_path, to_table, write_shard
from transforms.tables.verdicts import Verdict
from transforms.tables.video_rows import Clip, ListedVideo, Shot, Video, VideoState

# the reference's, in its order
REFERENCE = [
    "file_original", "file_relative", "lmdb_file", "lmdb_relative", "lmdb_num_frames", "audio_file", "audio_relative",
    "start_frame", "end_frame", "start_time", "end_time", "num_frames", "width", "height", "original_duration",
    "original_resolution", "original_fps", "clip_score", "hyperiqa_score", "clipiqa+_score",
]  # fmt: skip


# the manifest's own columns of one clip: one that is called like ours, one that a spreadsheet would compute
OWN = '{"who": "=cmd()", "width": 3, "tags": ["a", "b"], "=1+1": null}'
OWN_NAMES = ["who", "source_width", "tags", "=1+1"]


def write(run, kind, table, name, *rows):
    write_shard(shard_path(run, table, name), to_table(rows, arrow_schema(kind)))


def row(kind, **values):
    """A row with these values; the others are empty of their type."""
    values = {"source": "{}", **values}
    empty = {"str": "x", "int": 0, "float": 0.0, "bool": False, "F32": np.zeros(4, np.float32), "Boxes": None}
    return kind(
        **{f.name: values.get(f.name, empty.get(str(getattr(f.type, "__name__", f.type)))) for f in fields(kind)}
    )


def clip(clip_id, video_id, **more):
    box = np.array([-3, 10, 97, 110], np.float32)
    place = {"first_frame": 50, "end_frame": 110, "start": 2.0, "end": 4.4, "side": 100, "crop_box": box}
    files = {"media": f"media/{video_id}.mp4", "file": f"clips/{video_id}/{clip_id}.mp4", "shot_id": f"{video_id}-s0"}
    return row(Clip, clip_id=clip_id, video_id=video_id, **{**place, **files, **more})


@pytest.fixture
def run(folder):
    """Two shards of a manifest: a video with clips and one without, one that is gone, one that no one looked at."""
    for name, ids in (("00000", ["a", "gone"]), ("00001", ["b", "waiting"])):
        write(folder, ListedVideo, "manifest", name, *(row(ListedVideo, video_id=i) for i in ids))
    size = {"width": 1280, "height": 720, "fps": 25.0, "seconds": 61.5}
    write(
        folder,
        Video,
        "videos",
        "00000",
        row(Video, video_id="a", media="media/a.mp4", url="http://a.example/a", **size),
    )
    write(folder, Video, "videos", "00001", row(Video, video_id="b", media="media/b.mp4", **size))
    write_ledger(folder, "download", "00000", [(Verdict("a", "kept"), 1), (Verdict("gone", "failed", "http_404"), 0)])
    write_ledger(folder, "download", "00001", [(Verdict("b", "kept"), 1)])
    shots = [row(Shot, shot_id=f"a-s{i}", video_id="a") for i in range(3)]
    write(folder, Shot, "shots", "00000", *shots)
    write(folder, Shot, "shots", "00001", row(Shot, shot_id="b-s0", video_id="b"))
    files = {"lmdb": "clips/a/a-s0-0.lmdb", "lmdb_frames": 30, "audio": "clips/a/a-s0-0.wav"}
    scores = {"clip_score": 0.25, "brisque": 30.5, "face_score": 0.75, "face_consistency": 0.5, "sharpness": 99.5}
    write(
        folder,
        Clip,
        "clips",
        "00000",
        clip("a-s0-0", "a", label="=1+1", source=OWN, **files, **scores),
        clip("a-s1-7", "a"),
    )
    write(folder, Clip, "clips", "00001")
    return folder


def content(run, name):
    with open_binary(f"{run}/metadata/{name}") as file:
        return file.read()


def rows_of(run, name):
    return list(csv.DictReader(io.StringIO(content(run, name).decode(), newline="")))


def test_every_video_of_the_manifest_has_a_row(run):
    assert write_metadata(run) == 2
    assert content(run, "metadata.csv").decode().splitlines() == [
        "video_id,downloaded,failed,path,num_clips",
        "a,True,False,media/a.mp4,3",
        "gone,False,True,,0",
        "b,True,False,media/b.mp4,1",
        "waiting,False,False,,0",
    ]
    assert read_column(run, "metadata", ["video_id"])["video_id"].to_pylist() == ["a", "gone", "b", "waiting"]
    assert read_column(run, "metadata", ["num_clips"]).schema.field(0).type == arrow_schema(VideoState).field(4).type


def test_every_clip_has_a_row_with_the_reference_s_columns(run):
    write_metadata(run)
    first, second = rows_of(run, "ex-metadata.csv")
    assert list(first) == [*REFERENCE, *MORE, *OWN_NAMES[:3], "'=1+1"]
    assert list(COLUMNS) == REFERENCE
    assert {name: first[name] for name in REFERENCE} == {
        "file_original": "media/a.mp4",
        "file_relative": "a/a-s0-0.mp4",
        "lmdb_file": "clips/a/a-s0-0.lmdb",
        "lmdb_relative": "a/a-s0-0.lmdb",
        "lmdb_num_frames": "30",
        "audio_file": "clips/a/a-s0-0.wav",
        "audio_relative": "a/a-s0-0.wav",
        "start_frame": "50",
        "end_frame": "110",
        "start_time": "2.0",
        "end_time": "4.4",
        "num_frames": "60",
        "width": "100",
        "height": "100",
        "original_duration": "61.5",
        "original_resolution": "1280x720",
        "original_fps": "25.0",
        "clip_score": "0.25",
        "hyperiqa_score": "",
        "clipiqa+_score": "",
    }
    own = ["-3", "10", "97", "110", "0.75", "0.5", "99.5", "30.5"]
    assert [first[name] for name in MORE[6:]] == [*own, "http://a.example/a"]
    assert [first[name] for name in OWN_NAMES[:3]] == ["'=cmd()", "3", '["a", "b"]']
    assert [second[name] for name in OWN_NAMES[:3]] == ["", "", ""]
    assert first["label"] == "'=1+1"
    scores = ("clip_score", "hyperiqa_score", "clipiqa+_score", "brisque", "lmdb_file", "audio_relative")
    assert [second[name] for name in scores] == [""] * 6


def test_the_pickle_has_the_same_in_python_s_own_types(run):
    write_metadata(run)
    found = pickle.loads(content(run, "ex-metadata.pkl"))
    assert list(found) == [*REFERENCE, *MORE, *OWN_NAMES]
    assert {type(value) for column in found.values() for value in column} <= {str, int, float, type(None)}
    assert found["clip_id"] == ["a-s0-0", "a-s1-7"]
    assert found["clip_score"] == [0.25, None]
    assert found["label"][0] == "=1+1"  # nothing computes what a pickle holds
    again = [["" if value is None else str(value) for value in column] for column in found.values()]
    again[list(found).index("label")][0] = "'=1+1"
    again[list(found).index("who")][0] = "'=cmd()"
    assert [list(row.values()) for row in rows_of(run, "ex-metadata.csv")] == [
        list(row) for row in zip(*again, strict=True)
    ]


def test_a_second_time_gives_the_same_and_leaves_nothing_over(run):
    write_metadata(run)
    names = ("metadata.csv", "ex-metadata.csv", "ex-metadata.pkl")
    before = [content(run, name) for name in names]
    write(run, VideoState, "metadata", "00009", row(VideoState))
    assert write_metadata(run) == 2
    assert [content(run, name) for name in names] == before
    assert shard_names(run, "metadata") == ["00000", "00001"]
    assert tally(run, "metadata").by_reason == {"kept": 2}


def test_a_run_without_clips_has_headers_only(folder):
    for kind, table in ((ListedVideo, "manifest"), (Video, "videos"), (Shot, "shots"), (Clip, "clips")):
        write(folder, kind, table, "00000")
    write_ledger(folder, "download", "00000", [])
    assert write_metadata(folder) == 0
    assert content(folder, "metadata.csv") == b"video_id,downloaded,failed,path,num_clips\r\n"
    assert content(folder, "ex-metadata.csv").count(b"\n") == 1
    assert set(map(len, pickle.loads(content(folder, "ex-metadata.pkl")).values())) == {0}
