"""Reading the tracks of a run video by video, as the plan has them."""

from collections import OrderedDict
from collections.abc import Iterator, Set
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from types import TracebackType
from typing import Any, Generic, TypeVar

import pyarrow as pa

from transforms.bundle.tracks.format import VideoTracks
from transforms.bundle.tracks.plan import PLAN, Sources
from transforms.tables.schemas import column
from transforms.tables.shards import iter_rows, shard_path
from transforms.tables.track_rows import PlannedVideo, Track

OPEN_SHARDS = 4  # after retries a video's rows come from a few shards in turn
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True, eq=False)
class SeenShot:
    """Of a row of `objects` the frames that were looked at."""

    numbers: list[int] = column(pa.list_(pa.int64()), "(T,) the frames")


class Stretches(Generic[Row]):
    """Reads stretches of a table's rows; one that lies behind the last of its shard costs no more than its rows."""

    def __init__(self, run: str, table: str, row_type: type[Row]) -> None:
        self._run, self._table, self._row_type = run, table, row_type
        self._open: OrderedDict[str, tuple[Any, int]] = OrderedDict()  # rows to come, and the number of the next

    def __enter__(self) -> "Stretches[Row]":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with ExitStack() as stack:
            for rows, _ in self._open.values():
                stack.callback(rows.close)
        self._open.clear()

    def read(self, name: str, start: int, end: int) -> Iterator[Row]:
        """The rows from `start` to before `end` of a shard; ValueError if it has fewer."""
        rows, at = self._open.pop(name, (None, 0))
        if rows is None or at > start:
            if rows is not None:
                rows.close()
            rows, at = iter_rows(shard_path(self._run, self._table, name), self._row_type), 0
        if len(self._open) >= OPEN_SHARDS:
            self._open.popitem(last=False)[1][0].close()
        self._open[name] = (rows, end)
        found = 0
        for row in islice(rows, start - at, end - at):
            found += 1
            yield row
        if found < end - start:
            raise ValueError(f"{self._run}: the shard {name} of {self._table} is not that of the plan; run again.")


def read_videos(run: str, name: str, sources: Sources, left_out: Set[str]) -> Iterator[VideoTracks]:
    """The videos of a shard of the plan, in order; what they have is to be read before the next one comes.

    Tracks whose ids are in `left_out` are not among theirs.
    """
    with (
        Stretches(run, sources.tracks, Track) as tracks,
        Stretches(run, sources.objects, SeenShot) as objects,
    ):
        for planned in iter_rows(shard_path(run, PLAN, name), PlannedVideo):
            yield _video(planned, tracks, objects, left_out)


def _video(
    planned: PlannedVideo, tracks: Stretches[Track], objects: Stretches[SeenShot], left_out: Set[str]
) -> VideoTracks:
    def all_tracks() -> list[Track]:
        stretches = zip(planned.track_shards, planned.track_starts, planned.track_ends, strict=True)
        rows = (row for shard, start, end in stretches for row in tracks.read(shard, start, end))
        return [row for row in rows if row.track_id not in left_out]

    def seen() -> list[int]:
        shots = zip(planned.seen_shards, planned.seen_rows, strict=True)
        return sorted(
            {number for shard, row in shots for shot in objects.read(shard, row, row + 1) for number in shot.numbers}
        )

    return VideoTracks(planned, seen, all_tracks)
