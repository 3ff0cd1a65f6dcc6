"""The tracks that a curation begins with: found at the path that the user gave, and looked at before anything runs."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq
from apache_beam.io.filesystems import FileSystems

from beam_pipelines.driver import storage
from beam_pipelines.errors import ConfigError
from transforms.curation.tracks.settings import CurationSettings
from transforms.tables.files import is_folder, open_binary
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import open_arrow, shard_names, shard_path
from transforms.tables.track_rows import Track
from transforms.tables.trackverse_files import track_files

TABLE = "tracks"
_LEFT_OUT, _KEY = "left_out", "track_id"
_YOUTUBE_ID = 11  # characters
_NAMED = 3  # missing columns that are named


@dataclass(frozen=True, slots=True)
class Source:
    """Where the tracks are: `files`, sorted, are shards of tracks, or files of lines if `of_lines`.

    `left_out` are the shards of the run's table of tracks that are no candidates; empty if there is no such table.
    """

    files: tuple[str, ...]
    of_lines: bool = False
    left_out: tuple[str, ...] = ()


def find_tracks(tracks: str) -> Source:
    """What there is at the path; ConfigError if there are no tracks."""
    if storage.is_file(tracks, "TRACKS") and tracks.endswith(".parquet"):
        return Source((tracks,))
    if shards := _shards(tracks, TABLE):
        return Source(shards, left_out=tuple(path for path in _shards(tracks, _LEFT_OUT) if _KEY in _columns(path)))
    if is_folder(tracks):
        found = FileSystems.match([f"{tracks.rstrip('/')}/*.parquet"])[0].metadata_list
        if found:
            return Source(tuple(sorted(one.path for one in found)))
    try:
        return Source(tuple(storage.ask(partial(track_files, tracks), tracks, "TRACKS")), of_lines=True)
    except ConfigError as error:
        raise ConfigError(
            f"TRACKS {tracks}: there are no tracks; name a run's folder, a folder or file of parquet with rows of "
            "`tracks`, or files .jsonl.gzip in the form of TrackVerse."
        ) from error


def _shards(run: str, table: str) -> tuple[str, ...]:
    names = storage.ask(partial(shard_names, run, table), run, "TRACKS")
    return tuple(shard_path(run, table, name) for name in names)


def check_columns(tracks: str, source: Source, settings: CurationSettings) -> None:
    """ConfigError unless the tables have a track's columns, and features where tracks are compared by them."""
    if not source.of_lines:
        for path in source.files:
            _check_track_columns(path)
    if settings.needs_features and (source.of_lines or not any(map(_has_features, source.files))):
        raise ConfigError(
            f"TRACKS {tracks}: its tracks have no features, by which {_by_features(settings)}; or run the recipe "
            "object_tracks with a model named in objects.appearance_model."
        )


def _by_features(settings: CurationSettings) -> str:
    if settings.criterion == "min_redundancy":
        return "the criterion min_redundancy compares them: name another criterion"
    return "--min-nn-dist compares them: leave it out"


def _check_track_columns(path: str) -> None:
    names = _columns(path)
    if missing := [name for name in arrow_schema(Track).names if name not in names]:
        more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
        raise ConfigError(
            f"TRACKS {path}: it has no column {', '.join(missing[:_NAMED])}{more}; it is no table of tracks."
        )


def _columns(path: str) -> list[str]:
    try:
        with open_arrow(path) as file:
            return list(pq.read_schema(file).names)
    except (pa.ArrowException, OSError) as error:
        raise ConfigError(f"TRACKS {path}: it cannot be read: {' '.join(str(error).split())}") from error


def _has_features(path: str) -> bool:
    with open_arrow(path) as file:
        batches = pq.ParquetFile(file).iter_batches(columns=["feature"])
        return any(batch.column(0).null_count < len(batch) for batch in batches)


def left_out_ids(source: Source) -> Iterator[str]:
    """The ids of the tracks that the run itself has left out, as duplicates of others."""
    for path in source.left_out:
        with open_arrow(path) as file:
            for batch in pq.ParquetFile(file).iter_batches(columns=[_KEY]):
                yield from batch.column(0).to_pylist()


def excluded_videos(path: str | None) -> frozenset[str]:
    """The videos that a file names; of each line all up to the first white space, and its first 11 characters."""
    if path is None:
        return frozenset()
    storage.check_list(path, "--exclude-videos")
    with open_binary(path) as file:
        words = [line.split()[0] for line in file.read().decode(errors="replace").splitlines() if line.split()]
    return frozenset([*words, *(word[:_YOUTUBE_ID] for word in words)])
