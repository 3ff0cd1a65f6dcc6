import configparser
import gzip
import hashlib
import json
from pathlib import Path

import apache_beam as beam
import numpy as np
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from tests.track_rows import track
from tests.transforms.bundle.tracks.track_run import write, write_run
from transforms.bundle.tracks import write as writing
from transforms.bundle.tracks.format import TrackFormat
from transforms.bundle.tracks.settings import TrackFilesSettings
from transforms.bundle.tracks.track_files_stage import write_track_files
from transforms.tables.files import open_binary
from transforms.tables.ledger import read_ledger, tally
from transforms.tables.shards import iter_rows, shard_names, shard_path
from transforms.tables.track_rows import PassedShot, Track, TrackFile
from transforms.tables.trackverse_files import read_tracks, track_files
from transforms.tables.video_rows import LeftOut, Video

ALL = ("trackverse", "mot", "coco_video")


def bundle(run, formats=ALL, **more):
    stage = write_track_files(TrackFilesSettings(formats=formats), **more)
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        pipeline | stage.transform(run)
    return stage


def content(run, name):
    with open_binary(f"{run}/bundle/{name}") as file:
        return file.read()


def all_files(run):
    folder = Path(run, "bundle")
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def rows(run):
    return [
        row
        for name in shard_names(run, "track_files")
        for row in iter_rows(shard_path(run, "track_files", name), TrackFile)
    ]


def load_lines(path):
    """As the reference's loaders read a file: text of all members, a JSON object a line, arrays of floats."""
    found = []
    with gzip.open(path, mode="rt") as lines:
        for line in lines:
            meta = json.loads(line.strip())
            times, boxes = np.array(meta["frame_ts"]).astype(float), np.array(meta["frame_bboxes"]).astype(float)
            found.append((meta, times, boxes))
    return found


def test_a_run_without_videos_has_no_files(tmp_path):
    run = str(tmp_path)
    for kind, table in ((Video, "videos"), (PassedShot, "passed_shots"), (Track, "tracks")):
        write(run, kind, table, "00000")
    bundle(run, ("trackverse",))
    assert all_files(run) == {}
    assert tally(run, "bundle").items == 0
    assert rows(run) == []


def test_every_format_has_every_track_and_the_counts_balance(folder):
    write_run(folder)
    stage = bundle(folder)
    assert [table for table in stage.writes if not shard_names(folder, table)] == []
    assert tally(folder, "bundle").by_reason == {"kept": 3}
    told = {row.file: row for row in rows(folder)}
    assert sorted(told) == [
        "bundle/coco_video/annotations.json",
        "bundle/mot/a/gt/gt.txt",
        "bundle/mot/a/seqinfo.ini",
        "bundle/mot/b/gt/gt.txt",
        "bundle/mot/b/seqinfo.ini",
        "bundle/mot/x.parquet/gt/gt.txt",
        "bundle/mot/x.parquet/seqinfo.ini",
        "bundle/mot/~seqmap.txt",
        "bundle/trackverse/a/a-meta.jsonl.gzip",
        "bundle/trackverse/a/a-progress.json",
        "bundle/trackverse/b/b-meta.jsonl.gzip",
        "bundle/trackverse/b/b-progress.json",
        "bundle/trackverse/x./x.parquet-meta.jsonl.gzip",
        "bundle/trackverse/x./x.parquet-progress.json",
    ]
    for name, row in told.items():
        data = content(folder, name.removeprefix("bundle/"))
        assert (row.bytes, row.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert {row.tracks for row in told.values() if row.video_id == "a"} == {3}
    assert {row.tracks for row in told.values() if row.video_id is None} == {3}


def test_the_references_loaders_read_what_is_written(tmp_path):
    run = str(tmp_path)
    write_run(run)
    bundle(run, ("trackverse",))
    loaded = load_lines(f"{run}/bundle/trackverse/a/a-meta.jsonl.gzip")
    assert [meta["track_id"] for meta, _, _ in loaded] == [0, 1, 2]
    for (meta, times, boxes), row in zip(loaded, [track("a"), track("a", 0, 1, frames=2), track("a", 1)], strict=True):
        assert times.shape == boxes.shape[:1] == (len(row.numbers),)
        np.testing.assert_array_equal(boxes[:, :2] + boxes[:, 2:], row.boxes[:, 2:])
        assert meta["top10_desc"][0] == "cat"
        assert [len(part) for part in (*meta["top10_cls"], *meta["top10_wcls"])] == [2, 2, 2, 2]
        assert isinstance(meta["top10_wcls"][0][0], float)
        assert len(meta["frame_desc"]) == len(meta["frame_obj"]) == len(meta["frame_cls"]) == len(times)
        start, end = meta["track_ts"]
        assert (start, end) == (times[0], times[-1])
    assert load_lines(f"{run}/bundle/trackverse/b/b-meta.jsonl.gzip") == []


def test_the_progress_tells_the_shots_that_were_looked_at_to_the_end(tmp_path):
    run = str(tmp_path)
    write_run(run)
    bundle(run, ("trackverse",))
    progress = {name: json.loads(content(run, f"trackverse/{name}-progress.json")) for name in ("a/a", "b/b")}
    assert progress["a/a"] == {"segments_complete": [[0.0, 2.0], [2.0, 4.0], [4.0, 6.0]], "num_tracks": 3}
    assert progress["b/b"] == {"segments_complete": [[2.0, 4.0]], "num_tracks": 0}  # its first shot failed


def test_rows_written_are_read_back(tmp_path):
    run = str(tmp_path)
    write_run(run)
    bundle(run, ("trackverse",))
    found = [row for path in track_files(f"{run}/bundle/trackverse") for row in read_tracks(path)]
    assert [row.video_id for row in found] == ["a"] * 3
    np.testing.assert_array_equal(found[2].boxes, track("a", 1).boxes)
    assert found[2].times == track("a", 1).times


def test_mot_files_follow_the_conventions_of_their_readers(tmp_path):
    run = str(tmp_path)
    write_run(run)
    bundle(run, ("mot",))
    table = np.loadtxt(f"{run}/bundle/mot/a/gt/gt.txt", delimiter=",")
    assert table.shape == (8, 9)
    assert table[:, 0].tolist() == [1, 1, 3, 3, 5, 51, 53, 55]
    assert table[:, 1].tolist() == [1, 2, 1, 2, 1, 3, 3, 3]
    assert set(table[:, 6].astype(int)) == {1}  # TrackEval leaves out those with 0
    assert set(table[:, 7].astype(int)) == {16}
    boxes = table[table[:, 1] == 3, 2:6]
    boxes[:, :2] -= 1  # as py-motmetrics reads them
    np.testing.assert_allclose(np.hstack([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]]), track("a", 1).boxes, atol=0.01)
    info = configparser.ConfigParser()
    info.read(f"{run}/bundle/mot/x.parquet/seqinfo.ini")
    assert int(info["Sequence"]["seqLength"]) == 10
    assert int(info["Sequence"]["frameRate"]) == 30
    assert content(run, "mot/~seqmap.txt").decode().split() == ["name", "a", "b", "x.parquet"]
    assert content(run, "mot/b/gt/gt.txt") == b""


def test_the_coco_file_names_only_what_it_has(tmp_path):
    run = str(tmp_path)
    write_run(run)
    bundle(run, ("coco_video",))
    data = json.loads(content(run, "coco_video/annotations.json"))
    videos, images, tracks = ({one["id"]: one for one in data[key]} for key in ("videos", "images", "tracks"))
    assert [video["name"] for video in videos.values()] == ["a", "b", "x.parquet"]
    assert data["categories"] == [{"id": 16, "name": "cat", "synset": "unknown"}]
    assert len(images) == 100  # every second frame of four shots, those without a track too
    assert len(tracks) == 3
    assert [one["id"] for one in data["annotations"]] == list(range(1, 9))
    for one in data["annotations"]:
        image, of = images[one["image_id"]], tracks[one["track_id"]]
        assert one["video_id"] == image["video_id"] == of["video_id"]
        assert one["category_id"] == of["category_id"] == 16
        assert one["area"] == one["bbox"][2] * one["bbox"][3]
    last = data["annotations"][-1]
    assert images[last["image_id"]]["frame_index"] == 54
    assert images[last["image_id"]]["frame_id"] == 27
    assert last["bbox"] == [2.0, 3.0, 100.25, 49.5]


def test_the_bytes_do_not_depend_on_what_was_tried_again(tmp_path):
    one, other = str(tmp_path / "one"), str(tmp_path / "other")
    write_run(one, retried=True)
    write_run(other, retried=False)
    bundle(one)
    bundle(other)
    assert all_files(one) == all_files(other)
    assert gzip.decompress(all_files(one)["trackverse/a/a-meta.jsonl.gzip"]).count(b"\n") == 3


def test_tracks_that_are_left_out_are_in_no_file_and_no_count(tmp_path):
    run = str(tmp_path)
    write_run(run)
    write(run, LeftOut, "left_out", "00000", LeftOut("a-s0-t1", "duplicate_track"))
    bundle(run, left_out="left_out", follows="distinct")
    assert tally(run, "bundle").items == 2
    assert json.loads(content(run, "trackverse/a/a-progress.json"))["num_tracks"] == 2
    assert len(json.loads(content(run, "coco_video/annotations.json"))["tracks"]) == 2
    assert b",2,11" not in content(run, "mot/a/gt/gt.txt")


def test_a_track_that_cannot_be_written_costs_itself_alone(tmp_path):
    run = str(tmp_path)
    write_run(run, retried=False)
    broken = track("a", 0, 1, times=[0.0, float("nan"), 1.0])
    write(run, Track, "tracks", "00000", track("a"), broken, track("a", 1))
    bundle(run)
    assert tally(run, "bundle").by_reason == {"internal_error": 1, "kept": 2}
    _, entries = next(read_ledger(run, "bundle"))
    assert "times has a number that is not finite" in entries["detail"].to_pylist()
    assert len(json.loads(content(run, "coco_video/annotations.json"))["tracks"]) == 2


def test_files_of_earlier_formats_and_killed_writers_are_removed(tmp_path):
    run = str(tmp_path)
    write_run(run)
    bundle(run)
    Path(run, "bundle/trackverse/a/.a-meta.jsonl.gzip.0123456789abcdef0123456789abcdef").write_bytes(b"half")
    bundle(run, ("mot",))
    assert {name.split("/")[0] for name in all_files(run)} == {"mot"}
    bundle(run, ("trackverse",))
    assert {name.split("/")[0] for name in all_files(run)} == {"trackverse"}
    assert {row.format for row in rows(run)} == {"trackverse"}


def test_what_is_written_is_not_written_again(tmp_path, monkeypatch):
    run = str(tmp_path)
    write_run(run)
    bundle(run)
    before = all_files(run)
    with monkeypatch.context() as patch:
        patch.setattr(writing, "_sound", None)  # whatever writes a video needs it
        bundle(run)
    Path(run, "bundle/trackverse/a/a-progress.json").unlink()
    bundle(run)
    assert all_files(run) == before


def test_tables_of_two_states_of_a_run_are_refused(tmp_path):
    run = str(tmp_path)
    write_run(run)
    write(run, Track, "tracks", "00001", track("stranger"))
    with pytest.raises(Exception, match="the table tracks tells of stranger-s0, which shots lacks"):
        bundle(run)


@pytest.mark.parametrize(
    ("formats", "words"),
    [
        ((), "at least 1"),
        (("trackvers",), "did you mean 'trackverse'"),
        (("mot", "mot"), "same folder"),
        (("json:loads",), "no TrackFormat"),
    ],
)
def test_formats_that_are_none_are_refused(formats, words):
    with pytest.raises(ValueError, match=words):
        TrackFilesSettings(formats=formats)


def own_files(video_id):
    return (f"{video_id}.txt",)


def own_write(video, open_file):
    with open_file(own_files(video.video.video_id)[0]) as out:
        out.write(f"{len(video.tracks())}".encode())


OWN = TrackFormat("own", own_files, own_write)


def test_a_format_of_ones_own_is_found_by_its_place(tmp_path):
    run = str(tmp_path)
    write_run(run)
    bundle(run, (f"{__name__}:OWN",))
    assert all_files(run) == {"own/a.txt": b"3", "own/b.txt": b"0", "own/x.parquet.txt": b"0"}
