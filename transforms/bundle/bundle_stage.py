"""Stage bundle: identities -> files for training, as a transform on a pipeline."""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.io.filesystems import FileSystems
from apache_beam.metrics import Metrics

from transforms.bundle.keypoints import KEYPOINTS
from transforms.bundle.plan import INDEX, file_name, mend_index, write_index
from transforms.bundle.settings import BundleSettings
from transforms.bundle.statistics import FileSummary, bundle_statistics
from transforms.bundle.write import FOLDER, STAGE, output_files, write_file
from transforms.flow.commit import COUNTERS
from transforms.flow.stages import TableStage
from transforms.flow.table_steps import advance, begin
from transforms.tables.files import commit_file, delete_files, exists
from transforms.tables.ledger import ledger_table
from transforms.tables.shards import (
    read_footer,
    read_footers,
    read_shard,
    remove_other_shards,
    shard_names,
    shard_path,
)

STATISTICS = "statistics.json"
_SIZES = ["identity", "crop_height", "crop_width", "face_height", "face_width"]


def write_bundle(settings: BundleSettings) -> TableStage:
    """The stage bundle: the clean identities as files for training."""
    return TableStage(
        name=STAGE,
        reads=("identities", "faces", "bodies"),
        writes=(INDEX,),
        transform=partial(WriteBundle, settings=settings),
        settings={"bundle": settings},
        files=(FOLDER,),
        follows="identity",
        mend=partial(mend_bundle, settings=settings),
    )


class WriteBundle(beam.PTransform):
    """Pipeline -> the bundle of the run; the result has one element, the content of `statistics.json`.

    Reads identities, faces and bodies. Writes the table `bundle_index`; below `<run>/bundle` a folder for bodies and
    one for faces, in each a folder for each sink, the table `bundle/keypoints` and `statistics.json`; and the ledger
    of the stage `bundle`, an entry for each kept face. One element is one file: pixels never leave the DoFn that read
    them.
    """

    def __init__(self, run: str, settings: BundleSettings) -> None:
        super().__init__()
        self._run, self._settings = run, settings

    def expand(self, start: Any) -> beam.PCollection:
        """Plan once, write the files in parallel, add them up."""
        return (
            start
            | "Run" >> beam.Create([self._run])
            | "Plan files" >> beam.ParDo(_Plan(self._settings))
            | "Spread files" >> beam.Reshuffle()
            | "Write files" >> beam.ParDo(_WriteFile(self._run, self._settings))
            | "Gather summaries" >> beam.combiners.ToList()
            | "Write statistics" >> beam.Map(write_statistics, run=self._run)
        )


class _Plan(beam.DoFn):
    """Run -> names of the bundle files."""

    def __init__(self, settings: BundleSettings) -> None:
        self._settings = settings

    def process(self, run: str) -> Iterator[str]:
        begin(STAGE, "planning files")
        files = write_index(run, self._settings.records_per_file)
        remove_leftovers(run, {file_name(number) for number in range(files)}, self._settings)
        begin(STAGE, "files written", files)
        yield from map(file_name, range(files))


class _WriteFile(beam.DoFn):
    """Name of a bundle file -> its summary."""

    def __init__(self, run: str, settings: BundleSettings) -> None:
        self._run, self._settings = run, settings

    def process(self, name: str) -> Iterator[FileSummary]:
        summary = write_file(self._run, name, self._settings)
        for state, count in (("kept", summary.images), ("failed", summary.failed)):
            Metrics.counter(COUNTERS, f"{STAGE}/{state}").inc(count)
        advance(STAGE)
        yield summary


def remove_leftovers(run: str, names: set[str], settings: BundleSettings) -> None:
    """Delete what an earlier plan, or other sinks, left in the folder of the bundle and in its tables."""
    for table in (KEYPOINTS, INDEX, ledger_table(STAGE)):
        remove_other_shards(run, table, names)
    keep = {FileSystems.join(run, FOLDER, STATISTICS), *(shard_path(run, KEYPOINTS, name) for name in names)}
    for name in names:
        keep.update(output_files(run, name, settings, read_shard(shard_path(run, INDEX, name), ["record", "identity"])))
    found = FileSystems.match([FileSystems.join(run, FOLDER, "**")])[0].metadata_list
    delete_files([one.path for one in found if one.path not in keep])


def mend_bundle(run: str, settings: BundleSettings) -> None:
    """Write those files anew that had more images than their plan still has; records keep their numbers."""
    mend_index(run)
    names = shard_names(run, INDEX)
    for name in names:
        if not _is_as_planned(run, name):
            write_file(run, name, settings)
    remove_leftovers(run, set(names), settings)
    footers = read_footers(run, KEYPOINTS, names)
    write_statistics([FileSummary.load(footer["summary"]) for _, footer in footers], run)


def _is_as_planned(run: str, name: str) -> bool:
    """Whether a bundle file has all that its plan has, and nothing else; footers only."""
    marker = shard_path(run, KEYPOINTS, name)
    if not exists(marker):
        return False
    summary = FileSummary.load(read_footer(marker)[1]["summary"])
    return summary.images + summary.failed == read_footer(shard_path(run, INDEX, name))[0]


def write_statistics(summaries: list[FileSummary], run: str) -> dict[str, Any]:
    """Write `<run>/bundle/statistics.json` from the files' summaries and the keypoints; returns its content."""
    tables = [read_shard(shard_path(run, KEYPOINTS, summary.name), _SIZES) for summary in summaries]
    empty = pa.schema([(name, pa.int64()) for name in _SIZES]).empty_table()
    statistics = bundle_statistics(summaries, pa.concat_tables(tables) if tables else empty)
    with commit_file(FileSystems.join(run, FOLDER, STATISTICS)) as out:
        out.write((json.dumps(statistics, indent=2) + "\n").encode())
    return statistics
