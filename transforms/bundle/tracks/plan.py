"""The plan of the files of tracks: for each video the shots that were looked at, and where its tracks are.

It is the table `track_plan`, whose shards are called as those of `videos` are. Whatever was tried again stands in
another shard than the rest of its video; by the plan a video's shots come in the order of their time all the same.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from transforms.tables.ledger import read_ledger
from transforms.tables.lookup import places
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import iter_tables, read_shard, shard_names, shard_path, to_table, write_shard
from transforms.tables.track_rows import PlannedVideo

PLAN = "track_plan"
_TEXT = pa.large_string()  # a column of ids may pass 2 GB
_SHOTS = pa.schema(
    [
        ("shot_id", _TEXT),
        ("video_id", _TEXT),
        ("first_frame", pa.int64()),
        ("start", pa.float64()),
        ("end", pa.float64()),
    ]
)
_VIDEO = ["video_id", "media", "width", "height", "frames", "fps"]
I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Sources:
    """The tables that a plan is made of: videos, shots, what was found in them, and tracks; and stages with ledgers.

    detecting, following: a shot was looked at to the end if the first of these stages dropped it (nothing is in it) or
    the second kept or dropped it. One that failed, or that a filter left out, was not.
    """

    videos: str = "videos"
    shots: str = "passed_shots"
    objects: str = "objects"
    tracks: str = "tracks"
    detecting: str = "objects"
    following: str = "tracks"

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables, that of the items first."""
        return (self.tracks, self.objects, self.shots, self.videos)


@dataclass(frozen=True, slots=True, eq=False)
class _Runs:
    """Rows of one shot that follow one another in a shard: N of them, by the place of their shot."""

    shot: I64  # (N,) ascending
    shard: I64  # (N,) number of the shard in `names`
    start: I64
    end: I64
    names: list[str]

    def of(self, first: int, last: int) -> Iterator[tuple[str, int, int]]:
        """Shard, first row and end of those of the shots from place `first` to before `last`."""
        low, high = np.searchsorted(self.shot, [first, last])
        for i in range(low, high):
            yield self.names[self.shard[i]], int(self.start[i]), int(self.end[i])


def write_plan(run: str, sources: Sources) -> list[str]:
    """Write the table; returns the names of its shards. ValueError if a track's shot or a shot's video is not there.

    One worker holds the ids and times of all shots, about 150 bytes each.
    """
    names = shard_names(run, sources.videos)
    shots, video = _shots(run, sources)
    done = pc.is_in(shots["shot_id"], value_set=_looked_at(run, sources)).to_numpy()
    spans = np.stack([shots["start"].to_numpy(), shots["end"].to_numpy()], axis=1)
    objects, tracks = (_runs(run, table, shots["shot_id"]) for table in (sources.objects, sources.tracks))
    place = 0
    for name in names:
        rows = []
        for values in read_shard(shard_path(run, sources.videos, name), _VIDEO).to_pylist():
            first, last = np.searchsorted(video, [place, place + 1]).tolist()
            seen, found = list(objects.of(first, last)), list(tracks.of(first, last))
            segments = spans[first:last][done[first:last]].tolist()
            rows.append(
                PlannedVideo(
                    **values,
                    segments=segments,
                    seen_shards=[shard for shard, _, _ in seen],
                    seen_rows=[row for _, row, _ in seen],
                    track_shards=[shard for shard, _, _ in found],
                    track_starts=[start for _, start, _ in found],
                    track_ends=[end for _, _, end in found],
                )
            )
            place += 1
        write_shard(shard_path(run, PLAN, name), to_table(rows, arrow_schema(PlannedVideo)))
    return names


def _shots(run: str, sources: Sources) -> tuple[pa.Table, I64]:
    """All shots by video and time, and the place of each one's video among all videos."""
    parts = (table.cast(_SHOTS) for table in iter_tables(run, sources.shots, _SHOTS.names))
    shots = pa.concat_tables([_SHOTS.empty_table(), *parts]).combine_chunks()
    ids = (table["video_id"].cast(_TEXT).combine_chunks() for table in iter_tables(run, sources.videos, ["video_id"]))
    video = places(_one(shots["video_id"]), ids)
    if (video < 0).any():
        raise ValueError(_other_state(run, sources.shots, shots["video_id"][int(np.argmin(video))], sources.videos))
    shots = shots.append_column("video", pa.array(video))
    order = pc.sort_indices(shots, [(key, "ascending") for key in ("video", "first_frame", "end", "shot_id")])
    shots = shots.take(order).combine_chunks()
    return shots, shots["video"].to_numpy()


def _looked_at(run: str, sources: Sources) -> pa.Array:
    """The ids of the shots that were looked at to the end."""
    ids = [pa.array([], _TEXT)]
    for stage, states in ((sources.detecting, ["dropped"]), (sources.following, ["kept", "dropped"])):
        for _, entries in read_ledger(run, stage, ["item_id", "state"]):
            those = entries.filter(pc.is_in(entries["state"], value_set=pa.array(states)))
            ids.append(_one(those["item_id"].cast(_TEXT)))
    return pa.concat_arrays(ids)


def _runs(run: str, table: str, shot_ids: pa.ChunkedArray) -> _Runs:
    names = shard_names(run, table)
    ids: list[pa.Array] = [pa.array([], _TEXT)]
    shards, starts, ends = ([np.empty(0, np.int64)] for _ in range(3))
    for number, name in enumerate(names):
        column = _one(read_shard(shard_path(run, table, name), ["shot_id"])["shot_id"].cast(_TEXT))
        encoded = pc.run_end_encode(column)
        end = np.asarray(encoded.run_ends.cast(pa.int64()))
        ids.append(encoded.values)
        ends.append(end)
        starts.append(np.concatenate([[0], end])[: len(end)].astype(np.int64))
        shards.append(np.full(len(end), number, np.int64))
    wanted = pa.concat_arrays(ids)
    shot = places(wanted, [_one(shot_ids)])
    if (shot < 0).any():
        raise ValueError(_other_state(run, table, wanted[int(np.argmin(shot))], "shots"))
    shard, start, end = map(np.concatenate, (shards, starts, ends))
    order = np.lexsort((start, shard, shot))
    return _Runs(shot[order], shard[order], start[order], end[order], names)


def _one(column: pa.ChunkedArray) -> pa.Array:
    whole = column.combine_chunks()
    return whole if isinstance(whole, pa.Array) else pa.concat_arrays(whole.chunks)


def _other_state(run: str, table: str, item: Any, of: str) -> str:
    return (
        f"{run}: the table {table} tells of {item}, which {of} lacks: they are of two states of the run; run it again."
    )


def shards_read(rows: Sequence[PlannedVideo]) -> tuple[list[str], list[str]]:
    """The shards of objects and of tracks that these videos need, sorted."""
    objects = {name for row in rows for name in row.seen_shards}
    tracks = {name for row in rows for name in row.track_shards}
    return sorted(objects), sorted(tracks)
