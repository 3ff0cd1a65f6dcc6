"""Stage bundle: identities -> files for training, as a transform on a pipeline."""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa
from apache_beam.io.filesystems import FileSystems
from apache_beam.metrics import Metrics

from transforms.bundle.formats import load_format
from transforms.bundle.keypoints import KEYPOINTS
from transforms.bundle.outputs import FOLDER, output_files, outputs
from transforms.bundle.plan import INDEX, file_name, mend_index, write_index
from transforms.bundle.settings import BundleSettings
from transforms.bundle.sink import Splits
from transforms.bundle.statistics import FileSummary, bundle_statistics
from transforms.bundle.write import STAGE, write_file
from transforms.flow.commit import COUNTERS
from transforms.flow.stages import TableStage
from transforms.flow.table_steps import advance, begin
from transforms.tables.files import commit_file, delete_files, exists
from transforms.tables.ledger import ledger_table
from transforms.tables.shards import (
    read_column,
    read_footer,
    read_footers,
    read_shard,
    remove_other_shards,
    shard_names,
    shard_path,
)

STATISTICS = "statistics.json"
SPLITS = "splits"
_SIZES = ["identity", "crop_height", "crop_width", "face_height", "face_width"]


def write_bundle(settings: BundleSettings, with_splits: bool = False) -> TableStage:
    """The stage bundle: the clean identities as files for training.

    `with_splits`: an earlier job has written the table `splits`, and formats that write a set a split do so.
    """
    return TableStage(
        name=STAGE,
        reads=("identities", "faces", "bodies", *((SPLITS,) if with_splits else ())),
        writes=(INDEX,),
        transform=partial(WriteBundle, settings=settings, with_splits=with_splits),
        settings={"bundle": settings},
        files=(FOLDER,),
        follows="identity",
        mend=partial(mend_bundle, settings=settings, with_splits=with_splits),
    )


class WriteBundle(beam.PTransform):
    """Pipeline -> the bundle of the run; the result has one element, the content of `statistics.json`.

    Reads identities, faces and bodies, and splits if asked to. Writes the table `bundle_index`; below `<run>/bundle`
    a folder for bodies and one for faces, in each a folder for each sink, the table `bundle/keypoints` and
    `statistics.json`; and the ledger of the stage `bundle`, an entry for each kept face. One element is one file:
    pixels never leave the DoFn that read them.
    """

    def __init__(self, run: str, settings: BundleSettings, with_splits: bool = False) -> None:
        super().__init__()
        self._run, self._settings, self._with_splits = run, settings, with_splits

    def expand(self, start: Any) -> beam.PCollection:
        """Plan once, write the files in parallel, add them up."""
        return (
            start
            | "Run" >> beam.Create([self._run])
            | "Plan files" >> beam.ParDo(_Plan(self._settings, self._with_splits))
            | "Spread files" >> beam.Reshuffle()
            | "Write files" >> beam.ParDo(_WriteFile(self._run, self._settings))
            | "Gather summaries" >> beam.combiners.ToList()
            | "Finish" >> beam.Map(_finish, self._run, self._settings, self._with_splits)
        )


class _Plan(beam.DoFn):
    """Run -> names of the bundle files."""

    def __init__(self, settings: BundleSettings, with_splits: bool) -> None:
        self._settings, self._with_splits = settings, with_splits

    def process(self, run: str) -> Iterator[str]:
        begin(STAGE, "planning files")
        files = write_index(run, self._settings.records_per_file)
        names = [file_name(number) for number in range(files)]
        _check_formats(run, names, self._settings)
        remove_leftovers(run, set(names), self._settings, read_splits(run) if self._with_splits else {})
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


def _check_formats(run: str, names: list[str], settings: BundleSettings) -> None:
    """ValueError if the bundle has more images than a format can hold, before one is written."""
    images = sum(read_footer(shard_path(run, INDEX, name))[0] for name in names)
    for form in map(load_format, settings.sinks):
        if form.most is not None and images > form.most:
            raise ValueError(
                f"{form.name}: the bundle has {images} images, and this format holds {form.most} at most; take "
                f"`{form.name}` out of bundle.sinks."
            )


def read_splits(run: str) -> Splits:
    """The identities of each split, by its name; faces that are nobody's are in none."""
    table = read_column(run, SPLITS, ["split", "identity"])
    known = table.filter(table["identity"].is_valid())
    split, identity = (known[name].to_numpy() for name in ("split", "identity"))
    return {name: np.unique(identity[split == name]) for name in dict.fromkeys(split.tolist())}


def remove_leftovers(run: str, names: set[str], settings: BundleSettings, splits: Splits) -> None:
    """Delete what an earlier plan, or other sinks, left in the folder of the bundle and in its tables."""
    for table in (KEYPOINTS, INDEX, ledger_table(STAGE)):
        remove_other_shards(run, table, names)
    keep = {FileSystems.join(run, FOLDER, STATISTICS), *(shard_path(run, KEYPOINTS, name) for name in names)}
    for name in names:
        keep.update(output_files(run, name, settings, read_shard(shard_path(run, INDEX, name), ["record", "identity"])))
    for output in outputs(run, settings):
        made = output.form.whole.files(splits) if output.form.whole else ()
        keep.update(str(FileSystems.join(output.folder, *file.split("/"))) for file in made)
    found = FileSystems.match([FileSystems.join(run, FOLDER, "**")])[0].metadata_list
    delete_files([one.path for one in found if one.path not in keep])


def mend_bundle(run: str, settings: BundleSettings, with_splits: bool = False) -> None:
    """Write those files anew that had more images than their plan still has; records keep their numbers."""
    mend_index(run)
    names = shard_names(run, INDEX)
    for name in names:
        if not _is_as_planned(run, name):
            write_file(run, name, settings)
    remove_leftovers(run, set(names), settings, read_splits(run) if with_splits else {})
    footers = read_footers(run, KEYPOINTS, names)
    _finish([FileSummary.load(footer["summary"]) for _, footer in footers], run, settings, with_splits)


def _is_as_planned(run: str, name: str) -> bool:
    """Whether a bundle file has all that its plan has, and nothing else; footers only."""
    marker = shard_path(run, KEYPOINTS, name)
    if not exists(marker):
        return False
    summary = FileSummary.load(read_footer(marker)[1]["summary"])
    return summary.images + summary.failed == read_footer(shard_path(run, INDEX, name))[0]


def _finish(summaries: list[FileSummary], run: str, settings: BundleSettings, with_splits: bool) -> dict[str, Any]:
    """Have each format write what it makes of all its parts, and then the statistics; returns their content."""
    names = sorted(summary.name for summary in summaries)
    splits = read_splits(run) if with_splits else {}
    written = [(name, read_shard(shard_path(run, KEYPOINTS, name), ["record", "identity"])) for name in names]
    for output in outputs(run, settings):
        if output.form.whole is not None:
            parts = [part for name, entries in written for part in output.parts(name, entries)]
            output.form.whole.write(output.folder, parts, splits)
    return write_statistics(summaries, run)


def write_statistics(summaries: list[FileSummary], run: str) -> dict[str, Any]:
    """Write `<run>/bundle/statistics.json` from the files' summaries and the keypoints; returns its content."""
    tables = [read_shard(shard_path(run, KEYPOINTS, summary.name), _SIZES) for summary in summaries]
    empty = pa.schema([(name, pa.int64()) for name in _SIZES]).empty_table()
    statistics = bundle_statistics(summaries, pa.concat_tables(tables) if tables else empty)
    with commit_file(FileSystems.join(run, FOLDER, STATISTICS)) as out:
        out.write((json.dumps(statistics, indent=2) + "\n").encode())
    return statistics
