"""What of tracks is in memory while they are chosen: a few columns as arrays, read from a shard batch by batch."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from transforms.curation.tracks.lots import U64, lots, ranks_among
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
    """Tracks of a shard with the names of their classes (empty: unknown), and of how many rows, and why not of all."""

    columns: Columns
    names: npt.NDArray[np.object_]
    rows: int
    left_out: int
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


def read_batches(path: str, settings: CurationSettings, excluded: frozenset[str], left_out: U64) -> Iterator[Batch]:
    """The tracks of a shard, some thousands at a time, without those of excluded videos and of the lots `left_out`."""
    needed = columns_needed(settings)
    rows = _LONG_ROWS if "boxes" in needed else _SLIM_ROWS
    unwanted = pa.array(sorted(excluded), pa.string())
    with open_arrow(path) as file:
        for batch in pq.ParquetFile(file).iter_batches(rows, columns=needed):
            own = lots(batch["track_id"].to_pylist(), settings.seed)
            staying = ranks_among(own, left_out) < 0
            stay, own = batch.filter(pa.array(staying)), own[staying]
            wanted = pc.invert(pc.is_in(stay["video_id"], value_set=unwanted)).to_numpy(zero_copy_only=False)
            usable = wanted
            if settings.needs_features:
                usable = wanted & stay["feature"].is_valid().to_numpy(zero_copy_only=False)
            columns, names = _columns(stay.filter(pa.array(usable)), own[usable], settings)
            yield Batch(
                columns,
                names,
                rows=len(batch),
                left_out=len(batch) - len(stay),
                excluded=len(stay) - int(wanted.sum()),
                without_feature=int(wanted.sum()) - int(usable.sum()),
            )


def _columns(rows: pa.RecordBatch, own: U64, settings: CurationSettings) -> tuple[Columns, npt.NDArray[np.object_]]:
    motion = paths = None
    if settings.needs_motion or settings.needs_paths:
        paths = _paths(rows)
        motion = box_motion(paths.times, paths.boxes, paths.counts) if settings.needs_motion else None
    scores = pc.fill_null(rows["class_score"], 0).to_numpy(zero_copy_only=False).astype(np.float32)
    columns = Columns(
        own,
        _numbers(rows["video_id"]),
        np.nan_to_num(scores, nan=0),
        motion,
        _features(rows["feature"]) if settings.needs_features else None,
        paths if settings.needs_paths else None,
    )
    names = pc.fill_null(rows["class_name"], "").to_numpy(zero_copy_only=False)
    return columns, names


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
