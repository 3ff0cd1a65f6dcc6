"""Runs from Python: what `import manyfaces` gives, and what the command line runs on."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds

from beam_pipelines import config as configuration
from beam_pipelines.driver import models, storage
from beam_pipelines.driver.order import Order
from beam_pipelines.driver.record import read_record
from beam_pipelines.driver.run import check
from beam_pipelines.driver.run import run as do_run
from beam_pipelines.errors import ConfigError
from beam_pipelines.recipes.recipe import RecipeConfig
from beam_pipelines.reports import inspection, summary
from transforms.fetch.http.settings import DownloadSettings
from transforms.fetch.lists.files import is_media_folder
from transforms.fetch.videos.settings import VideoDownloadSettings
from transforms.tables.arrow_files import reading
from transforms.tables.files import is_local
from transforms.tables.ledger import read_ledger
from transforms.tables.shards import shard_path


@dataclass(frozen=True, slots=True)
class Run:
    """A run's folder, local, gs:// or s3://, and what is in it."""

    folder: str

    @property
    def record(self) -> dict[str, Any]:
        """What run.json says: configuration, versions, models, and the counts of every stage that is done."""
        return read_record(self.folder)

    def tables(self) -> list[str]:
        """The names of the tables that the run has so far, those of the ledger too (`ledger/<stage>`)."""
        return list(inspection.tables(self.folder))

    def table(self, name: str) -> ds.Dataset:
        """A table as a dataset of its committed shards, for pyarrow, pandas, polars or duckdb.

        `run.table("faces").to_table(columns=["face_id", "score"]).to_pandas()`. ConfigError if there is no such table.
        """
        paths = [shard_path(self.folder, name, shard) for shard in inspection.shards_of(self.folder, name)]
        return ds.dataset(paths, format="parquet", filesystem=None if is_local(self.folder) else reading())

    def ledger(self, *stages: str) -> pa.Table:
        """What became of every item in these stages, or in all: stage, item_id, state, reason, transient, detail, rows.

        Of an item that was tried again, the last try. It is held in memory: about 100 bytes an item and stage.
        """
        wanted = stages or tuple(self.record.get("stages", {}))
        tables = [
            table.add_column(0, "stage", pa.array([stage] * len(table), pa.string()))
            for stage in wanted
            for _, table in read_ledger(self.folder, stage)
        ]
        if not tables:
            raise ConfigError(f"{self.folder}: there is no ledger of {', '.join(wanted) or 'any stage'}.")
        return pa.concat_tables(tables)

    def show(self) -> None:
        """Print the stages with their counts and reasons, as the command line does at the end of a run."""
        summary.show(self.folder)


def run(
    recipe: str,
    *,
    input: str,
    output: str,
    set: Mapping[str, Any] | None = None,
    beam: Sequence[str] = (),
    recompute: bool = False,
) -> Run:
    """Run a recipe on a list, or go on with a run that was interrupted; returns when it is done.

    recipe: a YAML file, or the name of a shipped one such as `webbody`.
    input: the list; output: the run's folder, local, gs:// or s3://.
    set: keys of the configuration with their values: `{"bodies.min_score": 0.5}`.
    beam: options for Beam, as on the command line: `["--runner=FlinkRunner"]`.
    recompute: delete and redo what another configuration has made.

    Raises ConfigError for what cannot be run, ModelError for a model, RunFailed or PipelineFailed for a run that
    failed; each is a sentence that says how to mend it. What is committed stays, and the same call goes on from there.
    """
    storage.use_options(list(beam))
    return start(order(recipe, input, output, list(overrides(set or {})), beam, recompute))


def order(
    recipe: str,
    manifest: str,
    output: str,
    given: Sequence[str] = (),
    beam: Sequence[str] = (),
    recompute: bool = False,
    submit: str | None = None,
) -> Order:
    """What is asked for, as the driver takes it; `given` are overrides `key=value`, all else as of an Order."""
    chosen, settings = configuration.load(recipe, list(given))
    if is_media_folder(manifest):  # named by the user, and not by a row of a list: its files may be read
        settings = _allowing(settings, os.path.realpath(manifest))
    return Order(chosen, settings, manifest, output, tuple(beam), recompute, submit)


def _allowing(settings: RecipeConfig, folder: str) -> RecipeConfig:
    fetch = getattr(settings, "fetch", None)
    if not isinstance(fetch, DownloadSettings | VideoDownloadSettings):  # a recipe of one's own
        return settings
    allowed = fetch.model_copy(update={"allow_paths": (*fetch.allow_paths, folder)})
    return settings.model_copy(update={"fetch": allowed})


def start(wanted: Order) -> Run:
    """Do what is left of a run, with all checks before it."""
    check(wanted)
    models.make_ready(wanted)
    do_run(wanted)
    return Run(wanted.run)


def overrides(values: Mapping[str, Any]) -> Iterator[str]:
    """Keys and values as the command line's `--set` has them: JSON is YAML."""
    for key, value in values.items():
        yield f"{key}={json.dumps(value)}"
