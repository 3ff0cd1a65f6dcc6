"""Stage bundle of the recipe object_tracks: tracks -> files that other tools read, as a transform on a pipeline."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import apache_beam as beam
from apache_beam.io.filesystems import FileSystems
from apache_beam.metrics import Metrics

from transforms.bundle.tracks.plan import PLAN, Sources, write_plan
from transforms.bundle.tracks.settings import TrackFilesSettings
from transforms.bundle.tracks.write import (
    FOLDER,
    STAGE,
    TABLE,
    WHOLE,
    Work,
    file_name,
    read_left_out,
    video_file_names,
    write_videos,
    write_whole,
)
from transforms.flow.commit import COUNTERS
from transforms.flow.stages import TableStage
from transforms.flow.table_steps import advance, begin
from transforms.tables.files import delete_files, exists
from transforms.tables.ledger import ledger_table
from transforms.tables.shards import read_footer, remove_other_shards, shard_path
from transforms.videos.library import file_path

SOURCES = Sources()


def write_track_files(
    settings: TrackFilesSettings, sources: Sources = SOURCES, left_out: str | None = None, follows: str | None = None
) -> TableStage:
    """The stage bundle: the tracks of a run as files, in all formats of the settings.

    Its items are the tracks, or those that the stage `follows` kept, whose table `left_out` has the ids of the others.
    """
    also = () if left_out is None else (left_out,)
    work = Work(settings, sources, left_out)
    return TableStage(
        name=STAGE,
        reads=(*sources.tables, *also),
        writes=(PLAN, TABLE),
        transform=partial(WriteTrackFiles, work=work),
        settings={"bundle": settings},
        files=(FOLDER,),
        follows=follows,
        mend=partial(mend_track_files, work=work),
    )


class WriteTrackFiles(beam.PTransform):
    """Pipeline -> the files of tracks of the run; the result has one element, the number of files of all videos.

    Writes the tables `track_plan` and `track_files`, below `<run>/bundle` a folder for each format, and the ledger of
    the stage `bundle`, an entry for each track. One element is the name of a shard of `videos`: tracks never leave the
    DoFn that read them, and those of one video are in memory.
    """

    def __init__(self, run: str, work: Work) -> None:
        super().__init__()
        self._run, self._work = run, work

    def expand(self, start: Any) -> beam.PCollection:
        """Plan once, write the videos in parallel, then what is written of all of them."""
        return (
            start
            | "Run" >> beam.Create([self._run])
            | "Plan videos" >> beam.FlatMap(_plan_and_tell, work=self._work)
            | "Spread videos" >> beam.Reshuffle()
            | "Write videos" >> beam.ParDo(_WriteVideos(self._run, self._work))
            | "Gather names" >> beam.combiners.ToList()
            | "Write whole" >> beam.Map(write_whole, run=self._run, work=self._work)
        )


def _plan_and_tell(run: str, work: Work) -> Sequence[str]:
    begin(STAGE, "planning files")
    names = _plan(run, work)
    begin(STAGE, "shards of videos written", len(names))
    return names


def _plan(run: str, work: Work) -> Sequence[str]:
    names = write_plan(run, work.sources)
    remove_leftovers(run, names, work)
    return names


class _WriteVideos(beam.DoFn):
    """Name of a shard of `videos` -> the same, when its files are written."""

    def __init__(self, run: str, work: Work) -> None:
        self._run, self._work = run, work
        self._left_out: frozenset[str] = frozenset()

    def setup(self) -> None:
        self._left_out = read_left_out(self._run, self._work.left_out)

    def process(self, name: str) -> Iterator[str]:
        Metrics.counter(COUNTERS, f"{STAGE}/kept").inc(write_videos(self._run, name, self._work, self._left_out))
        advance(STAGE)
        yield name


def mend_track_files(run: str, work: Work) -> None:
    """Plan again, and write what is of all videos, and of shards that had more tracks than are left, anew.

    Whatever else is written has the bytes that it had.
    """
    names = _plan(run, work)
    left_out = read_left_out(run, work.left_out)
    for name in names:
        told = read_footer(shard_path(run, TABLE, name))[1] if exists(shard_path(run, TABLE, name)) else {}
        if told.get("tracks") != read_footer(shard_path(run, ledger_table(STAGE), name))[1]["rows"]:
            write_videos(run, name, work, left_out)
    write_whole(names, run, work)


def remove_leftovers(run: str, names: Sequence[str], work: Work) -> None:
    """Delete what an earlier plan, or other formats, left in the folder of the bundle and in its tables."""
    formats = work.formats
    whole = [file_name(form, path) for form in formats for path in form.bundle_files]
    remove_other_shards(run, PLAN, names)
    remove_other_shards(run, TABLE, [*names, *([WHOLE] if whole else [])])
    remove_other_shards(run, ledger_table(STAGE), names)
    keep = {file_path(run, name) for name in whole}
    for name in names:
        keep.update(file_path(run, path) for path in video_file_names(run, name, formats))
    found = FileSystems.match([FileSystems.join(run, FOLDER, "**")])[0].metadata_list
    delete_files([one.path for one in found if one.path not in keep])
