"""What a recipe is made of: row stages, which work item by item in a fused chain, and table stages on whole tables."""

from dataclasses import dataclass, field
from typing import Any

import apache_beam as beam
import pyarrow as pa

from transforms.tables.digest import digest


@dataclass(frozen=True, slots=True)
class RowStage:
    """A stage from rows of one table to rows of another.

    `transform` takes a PCollection of Items of `row_in` (of Chunks, if `whole_chunks`) and gives Outcomes.
    `made_from` is plain data: all that its results depend on.
    """

    name: str
    reads: str
    row_in: type[Any]
    writes: str
    schema: pa.Schema
    transform: beam.PTransform
    made_from: Any
    whole_chunks: bool = False

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables it writes, beside its ledger."""
        return (self.writes,)


@dataclass(frozen=True, slots=True)
class TableStage:
    """A stage from whole tables to whole tables; `transform` is applied to the pipeline itself.

    `files` are folders of the run that it writes beside tables.
    """

    name: str
    reads: tuple[str, ...]
    tables: tuple[str, ...]
    transform: beam.PTransform
    made_from: Any
    files: tuple[str, ...] = field(default=())


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


class ConfigError(ValueError):
    """The configuration cannot be used; the message says what, where, and how to mend it."""


def cut(stages: list[Stage], cuts: list[list[str]]) -> list[Job]:
    """The jobs that the configuration cuts the stages into; ConfigError where it cannot be so."""
    names = [stage.name for stage in stages]
    wanted = [name for job in cuts for name in job]
    if wanted != names:
        raise ConfigError(
            f"jobs: the cuts name the stages {wanted}, but the recipe's stages are {names}; "
            "name each of them once, in this order."
        )
    by_name = {stage.name: stage for stage in stages}
    jobs = [Job(number, tuple(by_name[name] for name in job)) for number, job in enumerate(cuts, 1) if job]
    for job in jobs:
        _check(job)
    return jobs


def _check(job: Job) -> None:
    kinds = {isinstance(stage, RowStage) for stage in job.stages}
    if len(kinds) > 1:
        raise ConfigError(f"jobs: {job.name} mixes stages on rows with stages on whole tables; cut between them.")
    for stage in job.stages[1:]:
        if isinstance(stage, RowStage) and stage.whole_chunks:
            raise ConfigError(
                f"jobs: {stage.name} fetches whole chunks and can only stand first in a job; cut before it."
            )
        if isinstance(stage, TableStage):
            own = {table for other in job.stages for table in other.tables}
            needed = own.intersection(stage.reads)
            if needed:
                raise ConfigError(
                    f"jobs: {stage.name} reads {', '.join(sorted(needed))}, which the same job writes; cut before it."
                )


def fingerprints(stages: list[Stage], manifest: str) -> dict[str, str]:
    """For each stage the digest of all that its rows depend on: its own settings and models, and those before it."""
    made_by = {"manifest": manifest}
    prints = {"manifest": manifest}
    for stage in stages:
        reads = (stage.reads,) if isinstance(stage, RowStage) else stage.reads
        prints[stage.name] = digest([stage.name, stage.made_from, sorted(made_by[table] for table in reads)])
        made_by.update(dict.fromkeys(stage.tables, prints[stage.name]))
    return prints
