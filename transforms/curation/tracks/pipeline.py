"""The pipeline of a curation: shards of tracks in, the shards of the chosen ones out.

What is shuffled are lots and a few columns, as batches of thousands of tracks; rows are read a second time, and copied
from file to file. What chance decides depends on ids and the seed, so that neither the runner nor the order or the
sharding of the rows has a part in it.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
from apache_beam.io.filesystems import FileSystems

from transforms.curation.tracks import criteria
from transforms.curation.tracks.chosen_rows import copy_chosen, write_part
from transforms.curation.tracks.columns import read_batches
from transforms.curation.tracks.constrained import limits_of
from transforms.curation.tracks.counts import AddCounts, Counts, by_bucket, counted, without_videos
from transforms.curation.tracks.lines_in import write_shards
from transforms.curation.tracks.lot_files import CHOSEN, LEFT_OUT, read_lots, write_lots
from transforms.curation.tracks.lots import NO_LOTS
from transforms.curation.tracks.picks import First, Picks
from transforms.curation.tracks.settings import CurationSettings
from transforms.tables.files import commit_file
from transforms.tables.shards import shard_names, shard_path

_COUNTS, _SEEN = "counts", "seen"
LINES = "lines_in"  # the table that files of lines become first


@dataclass(frozen=True, slots=True)
class Curation:
    """What is to be done: `files` are shards of tracks, or files of lines; `work` is a folder for what is between.

    There the file LEFT_OUT of lots says which tracks are no candidates.
    """

    settings: CurationSettings
    files: tuple[str, ...]
    of_lines: bool
    output: str
    work: str
    excluded: frozenset[str] = frozenset()

    def shards(self) -> list[str]:
        """The shards of tracks, once files of lines have become such."""
        if not self.of_lines:
            return list(self.files)
        return [shard_path(self.work, LINES, name) for name in shard_names(self.work, LINES)]


def curate_tracks(pipeline: beam.Pipeline, curation: Curation) -> None:
    """Choose, copy, and leave in the work folder what was counted: `before`, `choice` and `after`, each a JSON file."""
    settings = curation.settings
    files = pipeline | "List files" >> beam.Create(list(curation.files)) | "Spread files" >> beam.Reshuffle()
    if curation.of_lines:
        files = files | "Read lines" >> beam.FlatMap(write_shards, work=curation.work, table=LINES)
        files = files | "Spread shards" >> beam.Reshuffle()
    read = files | "Read columns" >> beam.ParDo(_Read(settings, curation.excluded, curation.work)).with_outputs(
        _COUNTS, _SEEN, main="batches"
    )
    _count(read[_COUNTS], read[_SEEN], curation.work)
    picks = _pick(read["batches"], settings) | "Pick" >> beam.CombineGlobally(First(settings.num_samples))
    _ = (
        picks
        | "Keep choice" >> beam.FlatMap(_keep_choice, curation=curation)
        | "Spread copying" >> beam.Reshuffle()
        | "Copy rows"
        >> beam.FlatMap(copy_chosen, work=curation.work, seed=settings.seed).with_output_types(tuple[int, Any])
        | "Gather parts" >> beam.GroupByKey()
        | "Write parts" >> beam.Map(write_part, output=curation.output, work=curation.work)
        | "Count chosen" >> beam.CombineGlobally(AddCounts())
        | "Keep counts of chosen" >> beam.Map(_keep_counts, work=curation.work, name="after")
    )


class _Read(beam.DoFn):
    """Shards -> batches of columns; and beside them what is to be counted."""

    def __init__(self, settings: CurationSettings, excluded: frozenset[str], work: str) -> None:
        super().__init__()
        self._settings, self._excluded, self._work = settings, excluded, work
        self._left_out = NO_LOTS

    def setup(self) -> None:
        self._left_out = read_lots(self._work, LEFT_OUT)

    def process(self, path: str) -> Iterator[Any]:
        for batch in read_batches(path, self._settings, self._excluded, self._left_out):
            columns = batch.columns
            yield beam.pvalue.TaggedOutput(
                _COUNTS,
                Counts(
                    rows=batch.rows,
                    left_out=batch.left_out,
                    excluded=batch.excluded,
                    without_feature=batch.without_feature,
                ),
            )
            if len(columns):
                for bucket in by_bucket(columns.lots, columns.videos, batch.names):
                    yield beam.pvalue.TaggedOutput(_SEEN, bucket)
                yield batch


def _count(counts: beam.PCollection, seen: beam.PCollection, work: str) -> None:
    distinct = (
        seen
        | "Type seen" >> beam.Map(lambda pair: pair).with_output_types(tuple[int, Any])
        | "Gather seen" >> beam.GroupByKey()
        | "Count distinct" >> beam.Map(lambda gathered: counted(gathered[1]))
    )
    _ = (
        (counts, distinct)
        | "All counts" >> beam.Flatten()
        | "Count all" >> beam.CombineGlobally(AddCounts())
        | "Keep counts of all" >> beam.Map(_keep_counts, work=work, name="before")
    )


def _pick(batches: beam.PCollection, settings: CurationSettings) -> beam.PCollection:
    """The picks of each class, bucket of videos or batch."""
    if settings.criterion == "video_balanced":
        return (
            batches
            | "By video" >> beam.FlatMap(criteria.by_video).with_output_types(tuple[int, Any])
            | "Gather videos" >> beam.GroupByKey()
            | "Pick of videos" >> beam.Map(criteria.of_videos, settings=settings)
        )
    if settings.by_class:
        return (
            batches
            | "By class" >> beam.FlatMap(criteria.by_class, settings=settings).with_output_types(tuple[str, Any])
            | "Gather classes" >> beam.GroupByKey()
            | "Pick of classes" >> beam.Map(criteria.of_class, settings=settings)
        )
    return batches | "Pick of batches" >> beam.Map(criteria.of_batch, settings=settings)


def _keep_choice(picks: Picks, curation: Curation) -> Iterable[str]:
    """Write down which tracks are chosen, and by which pass; gives the shards that may have them."""
    write_lots(curation.work, CHOSEN, picks.lots)
    limits = limits_of(curation.settings)
    taken = [int((picks.passes == number).sum()) for number in range(len(limits))]
    passes = [
        {"min_nn_dist": one.distance, "max_spt_iou": one.iou, "min_motion": one.motion, "taken": count}
        for one, count in zip(limits, taken, strict=True)
    ]
    _keep(curation.work, "choice", {"chosen": len(picks), "passes": passes})
    return curation.shards() if len(picks) else []


def _keep_counts(counts: Counts, work: str, name: str) -> None:
    _keep(work, name, without_videos(counts))


def _keep(work: str, name: str, plain: dict[str, Any]) -> None:
    with commit_file(kept_path(work, name)) as file:
        file.write(json.dumps(plain, ensure_ascii=False).encode())


def kept_path(work: str, name: str) -> str:
    """The file in which the pipeline leaves what it has counted: `before`, `choice` or `after`."""
    return str(FileSystems.join(work, f"{name}.json"))
