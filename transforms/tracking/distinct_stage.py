"""Stage distinct: tracks -> those that are left out, as another one shows the same in the same place and time."""

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pydantic import Field

from model_handlers.interface import Array
from transforms.flow.one_worker import on_one_worker
from transforms.flow.stages import TableStage
from transforms.flow.table_steps import advance, begin
from transforms.settings import Settings
from transforms.tables.ledger import write_whole_ledger
from transforms.tables.reopen import reopen
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import iter_tables, open_arrow, read_shard, shard_names, shard_path, to_table, write_shard
from transforms.tables.track_rows import LeftOutTrack
from transforms.tables.verdicts import verdict
from transforms.tracking.overlap import TrackPath, duplicates

STAGE = "distinct"
LEFT_OUT = "left_out"
_TRACKS = "tracks"
_REASON = "duplicate_track"
_ONLY = "00000"
_AT_ONCE = 256  # tracks that are read together, 4 MB of them where they have 500 boxes
_TEXT = pa.large_string()  # a column of ids may pass 2 GB
_IDS = pa.schema([("track_id", _TEXT), ("video_id", _TEXT)])


class DistinctSettings(Settings):
    """Stage distinct: of tracks that show the same object, one stays."""

    max_overlap: float = Field(
        0.9,
        ge=0,
        le=1,
        description="tracks of a video show the same if their spatio-temporal IoU is above this: of the areas that "
        "either covers over time, the share that both cover; the longer one stays",
    )


def find_duplicates(settings: DistinctSettings, follower: str, written: str) -> TableStage:
    """The stage distinct: the table `left_out` has the tracks that the stage `follower`, which writes a table, omits.

    Where those have changed since `follower` did its chunks, it does them again. One worker holds the ids, about 200
    bytes a track, and the boxes of one video, or of some if a retry has put theirs in several shards.
    """
    return TableStage(
        name=STAGE,
        reads=(_TRACKS,),
        writes=(LEFT_OUT,),
        transform=on_one_worker(choose, settings, follower, written),
        settings={"distinct": settings},
    )


def choose(run: str, settings: DistinctSettings, follower: str, written: str) -> int:
    """Write the table `left_out`, which the stage `follower` goes by, and the ledger; returns how many tracks stay."""
    shards = [read_shard(shard_path(run, _TRACKS, name), _IDS.names).cast(_IDS) for name in shard_names(run, _TRACKS)]
    ids = pa.concat_tables([_IDS.empty_table(), *shards])
    originals: dict[str, str] = {}
    counts = Counter(ids["video_id"].to_pylist())
    begin(STAGE, "videos compared", len(counts))
    for tracks in _by_video(run, counts):
        originals.update(duplicates(tracks, settings.max_overlap))
        advance(STAGE)
    # first: whatever happens in between, the stage is then done with the new table
    reopen(run, follower, written, _changed(run, set(originals)))
    rows = [LeftOutTrack(track, _REASON, originals[track]) for track in sorted(originals)]
    write_shard(shard_path(run, LEFT_OUT, _ONLY), to_table(rows, arrow_schema(LeftOutTrack)))
    everything = ids["track_id"].take(pc.sort_indices(ids["track_id"]))
    write_whole_ledger(
        run,
        STAGE,
        everything,
        lambda _, track: (
            (verdict(track, _REASON, f"as {originals[track]}"), 1) if track in originals else (verdict(track, ""), 0)
        ),
    )
    return len(ids) - len(rows)


def _changed(run: str, out: set[str]) -> list[str]:
    """The shards of `tracks` of which other tracks are left out than were until now."""
    was: set[str] = set()
    for table in iter_tables(run, LEFT_OUT, ["track_id"]):
        was.update(table["track_id"].to_pylist())
    differ = pa.array(sorted(was ^ out), pa.string())
    if not len(differ):
        return []
    names = shard_names(run, _TRACKS)
    shards = ((name, read_shard(shard_path(run, _TRACKS, name), ["track_id"])["track_id"]) for name in names)
    return [name for name, ids in shards if pc.any(pc.is_in(ids, value_set=differ)).as_py()]


def _by_video(run: str, counts: Counter[str]) -> Iterator[list[TrackPath]]:
    """The tracks of each video once all of them, so many as `counts` says, have been read."""
    waiting: dict[str, list[TrackPath]] = {}
    for name in shard_names(run, _TRACKS):
        for video, track in _read(shard_path(run, _TRACKS, name)):
            waiting.setdefault(video, []).append(track)
            if len(waiting[video]) == counts[video]:
                yield waiting.pop(video)


def _read(path: str) -> Iterator[tuple[str, TrackPath]]:
    """The tracks of a shard, each with its video."""
    columns = ["track_id", "video_id", "class_score", "times", "boxes"]
    with open_arrow(path) as file:
        for batch in pq.ParquetFile(file).iter_batches(_AT_ONCE, columns=columns):
            ids, videos, scores = (batch.column(name).to_pylist() for name in columns[:3])
            times, boxes = _lists(batch.column("times")), _lists(batch.column("boxes"))
            for track, video, score, when, where in zip(ids, videos, scores, times, boxes, strict=True):
                yield video, TrackPath(track, when, where.reshape(-1, 4), score)


def _lists(column: pa.Array) -> list[Array]:
    """Each row's list of numbers, or of boxes (flat), as an array."""
    ends, values = np.cumsum(pc.list_value_length(column).to_numpy()), column.flatten()
    if pa.types.is_fixed_size_list(values.type):
        ends, values = ends * values.type.list_size, values.flatten()
    return np.split(values.to_numpy(), ends[:-1])
