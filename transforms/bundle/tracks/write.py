"""Writing the tracks of the videos of one shard, in every format, with their rows and their ledger; and of all."""

import hashlib
from collections.abc import Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from typing import BinaryIO, cast

import numpy as np
from apache_beam.io.filesystems import FileSystems

from transforms.bundle.tracks.format import TrackFormat, VideoTracks
from transforms.bundle.tracks.formats import load_format
from transforms.bundle.tracks.plan import PLAN, Sources, shards_read
from transforms.bundle.tracks.read import read_videos
from transforms.bundle.tracks.settings import TrackFilesSettings
from transforms.settings import what
from transforms.tables.digest import digest, file_digest
from transforms.tables.files import commit_file, exists
from transforms.tables.ledger import ledger_table, write_ledger
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import iter_rows, iter_tables, read_footer, shard_names, shard_path, write_rows
from transforms.tables.track_rows import PlannedVideo, Track, TrackFile
from transforms.tables.verdicts import Verdict, verdict
from transforms.videos.library import file_path

STAGE = FOLDER = "bundle"
TABLE = "track_files"
WHOLE = "bundle"  # the shard of `track_files` with the files of all videos; no chunk is called so


@dataclass(frozen=True, slots=True)
class Work:
    """What is written, and from what; `left_out` is a table of ids of tracks that are not written."""

    settings: TrackFilesSettings
    sources: Sources
    left_out: str | None = None

    @property
    def formats(self) -> list[TrackFormat]:
        """The formats, in order."""
        return [load_format(name) for name in self.settings.formats]


class _Hashed:
    """A file to write whose bytes are counted and hashed on the way."""

    def __init__(self, out: BinaryIO) -> None:
        self._out, self.bytes, self._sha = out, 0, hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.bytes += len(data)
        self._sha.update(data)
        return self._out.write(data)

    def flush(self) -> None:
        """Nothing is held back here."""

    @property
    def sha256(self) -> str:
        return self._sha.hexdigest()


class _Files:
    """Opens files of one format, and keeps a row for each that was written."""

    def __init__(self, run: str, form: TrackFormat, video_id: str | None) -> None:
        self._run, self._form, self._video_id = run, form, video_id
        self.rows: list[TrackFile] = []

    @contextmanager
    def open(self, path: str) -> Iterator[BinaryIO]:
        name = file_name(self._form, path)
        with commit_file(file_path(self._run, name)) as out:
            hashed = _Hashed(out)
            yield cast(BinaryIO, hashed)
        self.rows.append(TrackFile(name, self._video_id, self._form.name, hashed.bytes, hashed.sha256, 0))


def file_name(form: TrackFormat, path: str) -> str:
    """The name below the run of a file of a format."""
    return f"{FOLDER}/{form.name}/{path}"


def read_left_out(run: str, table: str | None) -> frozenset[str]:
    """The ids (first column) of the table, none if there is no table."""
    if table is None:
        return frozenset()
    return frozenset(chain.from_iterable(part.column(0).to_pylist() for part in iter_tables(run, table)))


def video_file_names(run: str, name: str, formats: Sequence[TrackFormat]) -> Iterator[str]:
    """The names below the run of all files of the videos of a shard of the plan."""
    for video in iter_rows(shard_path(run, PLAN, name), PlannedVideo):
        yield from (file_name(form, path) for form in formats for path in form.video_files(video.video_id))


def write_videos(run: str, name: str, work: Work, left_out: Set[str]) -> int:
    """Write the files of the videos of a shard of the plan, its shards of `track_files` and of the ledger.

    Returns the number of tracks. What is there, of the same plan, tables and settings, is left as it is.
    """
    made_from = _made_from(run, name, work)
    marker = shard_path(run, TABLE, name)
    if exists(marker) and exists(shard_path(run, ledger_table(STAGE), name)):
        _, told = read_footer(marker)
        written = (file_path(run, path) for path in video_file_names(run, name, work.formats))
        if told.get("made_from") == made_from and all(map(exists, written)):
            return int(told["tracks"])
    rows: list[TrackFile] = []
    verdicts: list[Verdict] = []
    for video in read_videos(run, name, work.sources, left_out):
        whole, of_video = _sound(video)
        verdicts += of_video
        for form in work.formats:
            files = _Files(run, form, video.video.video_id)
            form.write_video(whole, files.open)
            rows += (replace(row, tracks=len(whole.tracks())) for row in files.rows)
    kept = sum(one.state == "kept" for one in verdicts)
    write_ledger(run, STAGE, name, [(one, int(one.state == "kept")) for one in verdicts])
    write_rows(marker, rows, arrow_schema(TrackFile), {"made_from": made_from, "tracks": str(kept)})
    return kept


def _made_from(run: str, name: str, work: Work) -> str:
    """The digest of all that the files depend on: the plan, the shards that it names (by size), the settings."""
    plan = shard_path(run, PLAN, name)
    objects, tracks = shards_read(list(iter_rows(plan, PlannedVideo)))
    named = ((work.sources.objects, objects), (work.sources.tracks, tracks))
    matched = FileSystems.match([shard_path(run, table, shard) for table, shards in named for shard in shards])
    sizes = [(FileSystems.split(one.path)[1], one.size_in_bytes) for found in matched for one in found.metadata_list]
    return digest([file_digest(plan), sizes, _left_out_digests(run, work.left_out), what(work.settings)])


def _left_out_digests(run: str, table: str | None) -> list[str]:
    names = [] if table is None else shard_names(run, table)
    return [file_digest(shard_path(run, str(table), name)) for name in names]


def _sound(video: VideoTracks) -> tuple[VideoTracks, list[Verdict]]:
    """The video with those of its tracks that can be written, all in memory, and the verdict on each of its tracks."""
    verdicts, tracks = [], []
    for track in video.tracks():
        wrong = _wrong(track)
        verdicts.append(verdict(track.track_id, "internal_error" if wrong else "", wrong))
        tracks += [] if wrong else [track]
    return replace(video, tracks=lambda: tracks), verdicts


def _only_sound(video: VideoTracks) -> VideoTracks:
    """The video with those of its tracks that can be written, still to be read."""
    return replace(video, tracks=lambda: [track for track in video.tracks() if not _wrong(track)])


def _wrong(track: Track) -> str:
    """Why no format can hold the track; empty if all can."""
    if not len(track.top_classes):
        return "the track has no class"
    for name in _NUMBERS:
        if not np.isfinite(np.asarray(getattr(track, name), np.float64)).all():
            return f"{name} has a number that is not finite"
    return ""


_NUMBERS = (
    "start", "end", "times", "boxes", "scores", "objectness", "frame_probabilities", "top_means", "top_deviations",
    "top_weighted_means", "top_weighted_deviations",
)  # fmt: skip


def write_whole(names: Sequence[str], run: str, work: Work) -> int:
    """Write the files of all videos, after those of the shards `names`; returns the number of files."""
    rows: list[TrackFile] = []
    left_out = read_left_out(run, work.left_out)
    tracks = sum(int(read_footer(shard_path(run, TABLE, name))[1]["tracks"]) for name in names)
    for form in work.formats:
        if form.write_bundle is not None:
            videos = map(_only_sound, _all_videos(run, names, work, left_out))
            files = _Files(run, form, None)
            form.write_bundle(videos, files.open)
            rows += (replace(row, tracks=tracks) for row in files.rows)
    if rows:
        write_rows(shard_path(run, TABLE, WHOLE), rows, arrow_schema(TrackFile))
    return len(rows)


def _all_videos(run: str, names: Sequence[str], work: Work, left_out: Set[str]) -> Iterator[VideoTracks]:
    for name in sorted(names):
        yield from read_videos(run, name, work.sources, left_out)
