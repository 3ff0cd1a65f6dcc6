"""What of tracks is in memory while they are chosen: a few columns as arrays, read from a shard batch by batch."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from transforms.curation.tracks.lots import U64, lots
from transforms.curation.tracks.motion import box_motion
from transforms.curation.tracks.places import Paths, join_paths
from transforms.curation.tracks.settings import CurationSettings
from transforms.tables.schemas import F32, Vector
from transforms.tables.shards import open_arrow

_SLIM_ROWS, _LONG_ROWS = 65_536, 8192  # of a batch: without boxes, and with them
_VIDEO_SEED = 0  # videos keep their numbers whatever the seed


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """N tracks: lots (N,), videos (N,) as numbers, scores of their class (N,); what is not needed is None.

    motion (N,) as of `box_motion`; features (N,D). 20 bytes a track, and what is needed of these: 4 bytes, 2 or 4 bytes
    a dimension, and of its path 24 bytes for each of its frames.
    """

    lots: U64
    videos: U64
    scores: F32
    motion: F32 | None = None
    features: Vector | None = None
    paths: Paths | None = None

    def __len__(self) -> int:
        return len(self.lots)

    def take(self, places: npt.NDArray[Any]) -> "Columns":
        """Some tracks, in this order."""
        return Columns(
            self.lots[places],
            self.videos[places],
            self.scores[places],
            None if self.motion is None else self.motion[places],
            None if self.features is None else self.features[places],
            None if self.paths is None else self.paths.take(places),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Tracks of a shard with the names of their classes (empty: unknown), and how many more were left out, and why."""

    columns: Columns
    names: npt.NDArray[np.object_]
    excluded: int
    without_feature: int


def join(parts: list[Columns]) -> Columns:
    """The tracks of all parts, each once, by lot: of those that stand there twice, the one of the highest score."""
    joined = Columns(
        np.concatenate([part.lots for part in parts]),
        np.concatenate([part.videos for part in parts]),
        np.concatenate([part.scores for part in parts]),
        _joined([part.motion for part in parts]),
        _joined([part.features for part in parts]),
        _joined_paths([part.paths for part in parts]),
    )
    order = np.lexsort((joined.videos, -joined.scores, joined.lots))
    firsts = np.ones(len(order), bool)
    firsts[1:] = np.diff(joined.lots[order]) != 0
    return joined.take(order[firsts])


def _joined(parts: list[Any]) -> Any:
    some = [part for part in parts if part is not None]
    if len({part.shape[1:] for part in some}) > 1:
        raise ValueError("the features of the tracks have several lengths; they come from several models.")
    return np.concatenate(some) if some else None


def _joined_paths(parts: list[Paths | None]) -> Paths | None:
    some = [part for part in parts if part is not None]
    return join_paths(some) if some else None


def columns_needed(settings: CurationSettings) -> list[str]:
    """The columns of the table that a curation reads to choose."""
    boxes = ["times", "boxes"] if settings.needs_motion or settings.needs_paths else []
    return ["track_id", "video_id", "class_name", "class_score", *boxes, *(["feature"] * settings.needs_features)]


def read_batches(path: str, settings: CurationSettings, excluded: frozenset[str]) -> Iterator[Batch]:
    """The tracks of a shard, some thousands at a time, without those of the excluded videos."""
    needed = columns_needed(settings)
    rows = _LONG_ROWS if "boxes" in needed else _SLIM_ROWS
    unwanted = pa.array(sorted(excluded), pa.string())
    with open_arrow(path) as file:
        for batch in pq.ParquetFile(file).iter_batches(rows, columns=needed):
            wanted = batch
            if excluded:
                wanted = batch.filter(pc.invert(pc.is_in(batch["video_id"], value_set=unwanted)))
            usable = wanted.filter(pc.is_valid(wanted["feature"])) if settings.needs_features else wanted
            yield _batch(usable, settings, len(batch) - len(wanted), len(wanted) - len(usable))


def _batch(rows: pa.RecordBatch, settings: CurationSettings, excluded: int, without_feature: int) -> Batch:
    motion = paths = None
    if settings.needs_motion or settings.needs_paths:
        paths = _paths(rows)
        motion = box_motion(paths.times, paths.boxes, paths.counts) if settings.needs_motion else None
    scores = pc.fill_null(rows["class_score"], 0).to_numpy(zero_copy_only=False).astype(np.float32)
    columns = Columns(
        lots(rows["track_id"].to_pylist(), settings.seed),
        _numbers(rows["video_id"]),
        np.nan_to_num(scores, nan=0),
        motion,
        _features(rows["feature"]) if settings.needs_features else None,
        paths if settings.needs_paths else None,
    )
    names = pc.fill_null(rows["class_name"], "").to_numpy(zero_copy_only=False)
    return Batch(columns, names, excluded, without_feature)


def _numbers(column: pa.Array) -> U64:
    """A number for each string, the same for equal ones."""
    coded = column.dictionary_encode()
    numbers: U64 = lots(coded.dictionary.to_pylist(), _VIDEO_SEED)[coded.indices.to_numpy(zero_copy_only=False)]
    return numbers


def _paths(rows: pa.RecordBatch) -> Paths:
    counts = pc.list_value_length(rows["times"]).to_numpy(zero_copy_only=False).astype(np.int64)
    times = rows["times"].flatten().to_numpy(zero_copy_only=False)
    boxes = rows["boxes"].flatten().flatten().to_numpy(zero_copy_only=False).reshape(-1, 4)
    if len(boxes) != len(times):
        raise ValueError("the table's tracks have not as many boxes as times; it is broken.")
    return Paths(times, boxes, counts)


def _features(column: pa.Array) -> Vector:
    lengths = set(pc.unique(pc.list_value_length(column)).to_pylist())
    if len(lengths) > 1 or lengths == {0}:
        raise ValueError("the features of the tracks have several lengths, or none; they come from several models.")
    values = column.flatten().to_numpy(zero_copy_only=False)
    return values.reshape(len(column), -1) if len(column) else np.zeros((0, 1), np.float32)
