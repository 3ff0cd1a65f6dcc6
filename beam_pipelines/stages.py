"""What a recipe is made of: row stages, which work item by item in a fused chain, and table stages on whole tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import apache_beam as beam
import pyarrow as pa

from beam_pipelines.errors import ConfigError
from transforms.tables.digest import digest


@dataclass(frozen=True, slots=True)
class RowStage:
    """A stage from rows of one table to rows of another.

    `transform` takes a PCollection of Items of `row_in` (of Chunks, if `whole_chunks`) and gives Outcomes.
    `made_from` is plain data, by key of the configuration: all that its results depend on. Rows whose ids the table
    `without` lists are left out.
    `much_python`: its work holds the interpreter's lock, so that on one machine processes do it faster than threads.
    `inference`: it runs models, on the configured device. `files` are folders of the run that it writes beside tables.
    """

    name: str
    reads: str
    row_in: type[Any]
    writes: str
    schema: pa.Schema
    transform: beam.PTransform
    made_from: Mapping[str, Any]
    whole_chunks: bool = False
    much_python: bool = False
    inference: bool = False
    without: str | None = None
    files: tuple[str, ...] = ()

    @property
    def inputs(self) -> tuple[str, ...]:
        """All tables that it reads."""
        return (self.reads,) if self.without is None else (self.reads, self.without)

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables it writes, beside its ledger."""
        return (self.writes,)


@dataclass(frozen=True, slots=True)
class TableStage:
    """A stage from whole tables to whole tables; `transform` is applied to the pipeline itself.

    Its items are the rows of the first table that it reads, or those that the stage `follows` kept. `files` are folders
    of the run that it writes beside tables.
    """

    name: str
    reads: tuple[str, ...]
    tables: tuple[str, ...]
    transform: beam.PTransform
    made_from: Mapping[str, Any]
    files: tuple[str, ...] = ()
    follows: str | None = None

    @property
    def inputs(self) -> tuple[str, ...]:
        """All tables that it reads."""
        return self.reads


Stage = RowStage | TableStage


@dataclass(frozen=True, slots=True)
class Job:
    """One Beam pipeline: consecutive stages of one kind."""

    number: int
    stages: tuple[Stage, ...]

    @property
    def name(self) -> str:
        """The stages' names, joined."""
        return "+".join(stage.name for stage in self.stages)

    @property
    def by_rows(self) -> bool:
        """Whether its stages are row stages."""
        return isinstance(self.stages[0], RowStage)

    @property
    def inference(self) -> bool:
        """Whether one of its stages runs models."""
        return any(isinstance(stage, RowStage) and stage.inference for stage in self.stages)


def cut(stages: list[Stage], cuts: list[list[str]], start: str = "manifest") -> list[Job]:
    """The jobs that the configuration makes of the stages; ConfigError where it cannot be so.

    The cuts may leave stages out, as long as what the others read is still written; `start` is there from the outset.
    """
    by_name = {stage.name: stage for stage in stages}
    wanted = [name for names in cuts for name in names]
    for name in wanted:
        if name not in by_name:
            raise ConfigError(f"jobs: the recipe has no stage {name!r}; its stages are {', '.join(by_name)}.")
    if wanted != [name for name in by_name if name in wanted]:
        raise ConfigError(f"jobs: name each stage once, in the recipe's order: {', '.join(by_name)}.")
    jobs = [Job(number, tuple(by_name[name] for name in names)) for number, names in enumerate(cuts, 1) if names]
    written = {start}
    for job in jobs:
        _check(job, written)
        written.update(table for stage in job.stages for table in stage.tables)
    return jobs


def _check(job: Job, written: set[str]) -> None:
    """`written` are the tables that the jobs before this one write."""
    if len({type(stage) for stage in job.stages}) > 1:
        raise ConfigError(f"jobs: {job.name} mixes stages on rows with stages on whole tables; cut between them.")
    chained = None  # the table that the stage before hands over inside the job
    for stage in job.stages:
        if isinstance(stage, RowStage) and stage.whole_chunks and stage is not job.stages[0]:
            raise ConfigError(f"jobs: {stage.name} fetches whole chunks and must stand first in a job; cut before it.")
        for table in stage.inputs:
            if table not in written and table != chained:
                raise ConfigError(f"jobs: {stage.name} reads the table {table}, which no job before its own writes.")
        chained = stage.tables[0] if job.by_rows else None


def fingerprints(stages: list[Stage], manifest: str) -> dict[str, str]:
    """For each stage the digest of all that its rows depend on: its own settings and models, and those before it."""
    made_by = {"manifest": manifest}
    prints = {"manifest": manifest}
    for stage in stages:
        prints[stage.name] = digest([stage.name, stage.made_from, [made_by[table] for table in stage.inputs]])
        made_by.update(dict.fromkeys(stage.tables, prints[stage.name]))
    return prints
