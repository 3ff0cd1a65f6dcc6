"""Stage metadata: what became of each video, and all that is known of each clip, as files for users.

`metadata.csv` has a row for each video of the manifest, `ex-metadata.csv` and `ex-metadata.pkl` one for each clip, with
the manifest's own columns behind ours, all in the folder of the table `metadata`. The pickle is a dict of lists by
column, of Python's own types only, in protocol 4: `pandas.DataFrame(pickle.load(file))` makes a frame of it, and it
needs no pandas to be written. It holds all columns at once, here and where it is read; the CSV files are written, and
the table is, a shard at a time.
"""

import pickle
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.io.filesystems import FileSystems

from transforms.flow.one_worker import on_one_worker
from transforms.flow.stages import TableStage
from transforms.flow.table_steps import advance, begin
from transforms.tables.csv_cells import csv_rows
from transforms.tables.files import commit_file
from transforms.tables.ledger import read_ledger, write_whole_ledger
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import (
    iter_tables,
    read_column,
    read_shard,
    remove_other_shards,
    shard_names,
    shard_path,
    to_table,
    write_shard,
)
from transforms.tables.source_columns import Column, source_cells, source_columns
from transforms.tables.verdicts import Verdict
from transforms.tables.video_rows import VideoState
from transforms.vision.clip_files import TABLE as CLIPS

STAGE = TABLE = "metadata"
DOWNLOADS = ("video_id", "downloaded", "failed", "path", "num_clips")
COLUMNS = (
    "file_original", "file_relative", "lmdb_file", "lmdb_relative", "lmdb_num_frames", "audio_file", "audio_relative",
    "start_frame", "end_frame", "start_time", "end_time", "num_frames", "width", "height", "original_duration",
    "original_resolution", "original_fps", "clip_score", "hyperiqa_score", "clipiqa+_score",
)  # fmt: skip
MORE = (
    "clip_id", "video_id", "shot_id", "label", "file", "sha256", "crop_x1", "crop_y1", "crop_x2", "crop_y2",
    "face_score", "face_consistency", "sharpness", "brisque", "url",
)  # fmt: skip
_PROTOCOL = 4  # of the pickle: fixed, so that equal runs give equal bytes


def write_clip_metadata() -> TableStage:
    """The stage metadata: what became of each video and clip, as files; it reads the downloads' ledger too."""
    return TableStage(
        name=STAGE,
        reads=(CLIPS, "manifest", "videos", "shots"),
        writes=(TABLE,),
        transform=on_one_worker(write_metadata),
        mend=write_metadata,
    )


def write_metadata(run: str) -> int:
    """Write everything; returns the number of clips."""
    with commit_file(_path(run, "metadata.csv")) as out:
        write = csv_rows(out)
        write(DOWNLOADS)
        for state in write_states(run):
            write([getattr(state, name) for name in DOWNLOADS])
    clips = (text for shard in iter_tables(run, CLIPS, ["source"]) for text in shard["source"].to_pylist())
    own = source_columns(clips, (*COLUMNS, *MORE))
    columns: dict[str, list[Any]] = {name: [] for name in (*COLUMNS, *MORE, *(name for _, name in own))}
    with commit_file(_path(run, "ex-metadata.csv")) as out:
        write = csv_rows(out)
        write(list(columns))
        for row in clip_rows(run, own):
            write(row)
            for column, value in zip(columns.values(), row, strict=True):
                column.append(value)
    with commit_file(_path(run, "ex-metadata.pkl")) as out:
        pickler = pickle.Pickler(out, _PROTOCOL)
        pickler.fast = True  # without memory of what was written: the bytes depend on the values alone
        pickler.dump(columns)
    ids = read_column(run, CLIPS, ["clip_id"])["clip_id"]
    write_whole_ledger(run, STAGE, ids, lambda _, clip: (Verdict(clip, "kept"), 1))
    return len(ids)


def _path(run: str, name: str) -> str:
    return str(FileSystems.join(run, TABLE, name))


def write_states(run: str) -> Iterator[VideoState]:
    """The rows of the table `metadata`, in the manifest's order, each shard after it is committed."""
    paths = dict(_pairs(run, "videos", "video_id", "media"))
    ended = pa.concat_arrays([pa.array([], pa.string()), *_ended(run)])
    clips = Counter(video for table in iter_tables(run, "shots", ["video_id"]) for video in table[0].to_pylist())
    names = shard_names(run, "manifest")
    begin(STAGE, "shards of videos written", len(names))
    for name in names:
        ids = read_shard(shard_path(run, "manifest", name), ["video_id"])["video_id"]
        failed = pc.is_in(ids, value_set=ended).to_pylist()
        states = [
            VideoState(video, video in paths, over and video not in paths, paths.get(video), clips[video])
            for video, over in zip(ids.to_pylist(), failed, strict=True)
        ]
        write_shard(shard_path(run, TABLE, name), to_table(states, arrow_schema(VideoState)))
        yield from states
        advance(STAGE)
    remove_other_shards(run, TABLE, names)


def _ended(run: str) -> Iterator[pa.Array]:
    for _, table in read_ledger(run, "download", ["item_id", "state"]):
        yield table.filter(pc.not_equal(table["state"], "kept"))["item_id"].combine_chunks()


def _pairs(run: str, table: str, *columns: str) -> Iterator[tuple[Any, ...]]:
    for shard in iter_tables(run, table, list(columns)):
        yield from zip(*(shard[name].to_pylist() for name in columns), strict=True)


def clip_rows(run: str, own: list[Column]) -> Iterator[list[Any]]:
    """The cells of each clip under COLUMNS, MORE and the manifest's `own`, in the order of the table clips."""
    wanted = _pairs(run, "videos", "video_id", "seconds", "width", "height", "fps", "url")
    videos = {video: (seconds, f"{width}x{height}", fps, url) for video, seconds, width, height, fps, url in wanted}
    for shard in iter_tables(run, CLIPS):
        for clip in shard.to_pylist():
            yield _cells(clip, *videos[clip["video_id"]]) + source_cells(clip["source"], own)


def _cells(clip: dict[str, Any], seconds: float, resolution: str, fps: float, url: str) -> list[Any]:
    here = [clip["media"], _relative(clip["file"]), clip["lmdb"], _relative(clip["lmdb"]), clip["lmdb_frames"]]
    here += [clip["audio"], _relative(clip["audio"])]
    first, end = clip["first_frame"], clip["end_frame"]
    place = [first, end, clip["start"], clip["end"], end - first, clip["side"], clip["side"]]
    scores = [clip[name] for name in ("clip_score", "hyperiqa", "clipiqa")]
    ids = [clip[name] for name in ("clip_id", "video_id", "shot_id", "label", "file", "sha256")]
    own = [clip[name] for name in ("face_score", "face_consistency", "sharpness", "brisque")]
    corners = [int(value) for value in clip["crop_box"]]
    return [*here, *place, seconds, resolution, fps, *scores, *ids, *corners, *own, url]


def _relative(path: str | None) -> str | None:
    """A path below the folder of the clips, of one below the run's."""
    return None if path is None else path.removeprefix(f"{CLIPS}/")
