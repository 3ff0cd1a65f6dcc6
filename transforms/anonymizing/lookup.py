"""Looking covers up: what must not be seen of a shot, from the committed table `covers`.

Which shard has which shot is kept in memory, once a process, and so are the shards that were read last. A shard that
was written anew, or has come since, is noticed by its version.
"""

import os
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import numpy as np
import pyarrow as pa
from apache_beam.io.filesystem import BeamIOError
from apache_beam.io.filesystems import FileSystems

from model_handlers.interface import Array
from transforms.tables.files import is_local
from transforms.tables.reasons import Rejected
from transforms.tables.shards import read_shard, shard_names, shard_path

TABLE = "covers"
_BYTES = 256 * 2**20  # of shards in memory; the last one stays, however large
_RUNS = 8  # whose indices are kept
_KEYS = ["shot_id", "video_id"]
_COLUMNS = [*_KEYS, "first_frame", "end_frame", "numbers", "boxes", "kinds", "tracks", "found", "scores"]


@dataclass(frozen=True, slots=True, eq=False)
class Covers:
    """What is covered of a shot: N boxes, by frame.

    numbers (N,) int64, ascending; boxes (N,4) float32 pixels; kinds, tracks, found, scores (N,) as in `covers`.
    """

    first_frame: int
    end_frame: int
    numbers: Array
    boxes: Array
    kinds: list[str]
    tracks: list[int]
    found: list[bool]
    scores: Array

    def at(self, number: int) -> Array:
        """The boxes (K,4) of a frame; IndexError for one outside the shot."""
        return self.boxes[self.places(number)]

    def places(self, number: int) -> slice:
        """Where the boxes of a frame stand; IndexError for one outside the shot."""
        if not self.first_frame <= number < self.end_frame:
            raise IndexError(f"frame {number} is not in the shot, {self.first_frame} to {self.end_frame - 1}")
        start, stop = np.searchsorted(self.numbers, [number, number + 1])
        return slice(int(start), int(stop))


def covers_of(run: str, shot_id: str) -> Covers:
    """What is covered of a shot; Rejected `not_covered` if the table has no row of it."""
    found = _known(run).rows("shot_id", shot_id)
    if not found:
        raise Rejected("not_covered", f"the table {TABLE} has no row of the shot {shot_id}")
    return found[0]


def covers_of_video(run: str, video_id: str) -> list[Covers]:
    """What is covered of each examined shot of a video, by first frame; empty if none was examined."""
    found = _known(run).rows("video_id", video_id)
    return sorted(found, key=lambda covers: (covers.first_frame, covers.end_frame))


@dataclass(slots=True, eq=False)
class _Run:
    """What is known of the table of one run."""

    run: str
    lock: Lock = field(default_factory=Lock)
    versions: dict[str, str] = field(default_factory=dict)  # of the shards that are in the index
    index: dict[str, dict[str, set[str]]] = field(default_factory=lambda: {key: {} for key in _KEYS})
    shards: "OrderedDict[str, tuple[str, pa.Table]]" = field(default_factory=OrderedDict)

    def rows(self, key: str, value: str) -> list[Covers]:
        """The rows whose column `key` has this value; for a video, all shards are looked for anew."""
        with self.lock:
            names = self.index[key].get(value)
            if names is None or key == "video_id" or any(self._version(name) != self.versions[name] for name in names):
                self._refresh()
            return [row for name in sorted(self.index[key].get(value, ())) for row in self._rows(name, key, value)]

    def _refresh(self) -> None:
        """Know which shards there are now, and the keys of those that are new or written anew."""
        names = shard_names(self.run, TABLE)
        now = {name: self._version(name) for name in names}
        gone = {name for name, version in self.versions.items() if now.get(name) != version}
        for places in self.index.values():
            for value in [value for value, shards in places.items() if shards & gone]:
                places[value] -= gone
        for name in [name for name in names if name in gone or name not in self.versions]:
            keys = read_shard(shard_path(self.run, TABLE, name), _KEYS)
            for key in _KEYS:
                for value in keys[key].to_pylist():
                    self.index[key].setdefault(value, set()).add(name)
        self.versions = now

    def _version(self, name: str) -> str:
        """What changes when the shard is written anew; empty if it is not there."""
        path = shard_path(self.run, TABLE, name)
        try:
            if is_local(path):
                state = os.stat(path)
                return f"{state.st_ino} {state.st_size} {state.st_mtime_ns}"
            return str(FileSystems.checksum(path))
        except (BeamIOError, FileNotFoundError):
            return ""

    def _rows(self, name: str, key: str, value: str) -> Iterator[Covers]:
        table = self._table(name)
        for place in np.flatnonzero(np.array(table[key]) == value).tolist():
            yield _covers(table, place)

    def _table(self, name: str) -> pa.Table:
        version, table = self.shards.get(name, ("", None))
        if table is None or version != self.versions[name]:
            table = read_shard(shard_path(self.run, TABLE, name), _COLUMNS).combine_chunks()
            self.shards[name] = self.versions[name], table
        self.shards.move_to_end(name)
        while len(self.shards) > 1 and sum(one.nbytes for _, one in self.shards.values()) > _BYTES:
            self.shards.popitem(last=False)
        return table


_LOCK = Lock()
_KNOWN: "OrderedDict[str, _Run]" = OrderedDict()


def _known(run: str) -> _Run:
    with _LOCK:
        known = _KNOWN.setdefault(run, _Run(run))
        _KNOWN.move_to_end(run)
        while len(_KNOWN) > _RUNS:
            _KNOWN.popitem(last=False)
        return known


def _covers(table: pa.Table, place: int) -> Covers:
    cell = {name: table[name][place] for name in _COLUMNS}
    return Covers(
        first_frame=cell["first_frame"].as_py(),
        end_frame=cell["end_frame"].as_py(),
        numbers=_flat(cell["numbers"]),
        boxes=_flat(cell["boxes"]).reshape(-1, 4),
        kinds=cell["kinds"].as_py(),
        tracks=cell["tracks"].as_py(),
        found=cell["found"].as_py(),
        scores=_flat(cell["scores"]),
    )


def _flat(cell: Any) -> Array:
    """All numbers of a list, or of a list of boxes, one behind the other."""
    values = cell.values
    if pa.types.is_fixed_size_list(values.type):
        values = values.flatten()
    return np.asarray(values.to_numpy(zero_copy_only=False))
