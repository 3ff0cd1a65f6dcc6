"""What a recipe is made of: row stages, which work item by item in a fused chain, and table stages on whole tables.

A stage is declared once, beside the transform that does its work: what it reads and writes, its settings, its models.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import apache_beam as beam
import pyarrow as pa

from model_handlers.models.roles import Models
from transforms.settings import Settings, what
from transforms.tables.schemas import arrow_schema

Transform = Callable[[str], beam.PTransform]  # of a run's folder


@dataclass(frozen=True, slots=True, kw_only=True)
class RowStage:
    """A stage from rows of one table to rows of another.

    `transform` makes for a run what takes a PCollection of Items of `row_in` (of Chunks, if `whole_chunks`) and gives
    Outcomes with rows of `row_out`. `settings` are blocks, or values, of the configuration by key: all that its rows
    depend on, beside its `models`. `column_types` are Arrow types of columns of `row_out` that depend on the models,
    such as a vector's length. Rows whose ids the table `without` lists are left out; `also` are further tables of
    earlier jobs, in which its transform looks rows up.
    `much_python`: its work holds the interpreter's lock, so that on one machine processes do it faster than threads.
    `files` are folders of the run that it writes beside tables.
    """

    name: str
    reads: str
    row_in: type[Any]
    writes: str
    row_out: type[Any]
    transform: Transform
    settings: Mapping[str, Any] = field(default_factory=dict)
    models: Models = field(default_factory=Models)
    column_types: Mapping[str, pa.DataType] = field(default_factory=dict)
    whole_chunks: bool = False
    much_python: bool = False
    without: str | None = None
    also: tuple[str, ...] = ()
    files: tuple[str, ...] = ()

    @property
    def schema(self) -> pa.Schema:
        """The columns of the table that it writes."""
        return arrow_schema(self.row_out, **self.column_types)

    @property
    def inputs(self) -> tuple[str, ...]:
        """All tables that it reads."""
        left_out = () if self.without is None else (self.without,)
        return (self.reads, *self.also, *left_out)

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables it writes, beside its ledger."""
        return (self.writes,)


@dataclass(frozen=True, slots=True, kw_only=True)
class TableStage:
    """A stage from whole tables to whole tables; `transform` makes for a run what is applied to the pipeline itself.

    Its items are the rows of the first table that it `reads`, or those that the stage `follows` kept. If there are any,
    it leaves at least one shard, which may be empty, of every table that it `writes`, and a ledger. `settings` and
    `models` as of a RowStage; `files` are folders of the run that it writes beside tables. `tells` gives, of a run in
    which it is done, what run.json says of it beside its counts, as plain data.
    `mend` brings what it made of whole tables (files beside them, names and places of rows in other rows) up to date
    after rows were removed from the tables that it reads and writes; what held nothing of them it leaves as it is, and
    it may be called again. A stage with `files` and without `mend` is made anew by the run's next start.
    """

    name: str
    reads: tuple[str, ...]
    writes: tuple[str, ...]
    transform: Transform
    settings: Mapping[str, Any] = field(default_factory=dict)
    models: Models = field(default_factory=Models)
    files: tuple[str, ...] = ()
    follows: str | None = None
    tells: Callable[[str], Mapping[str, Any]] = lambda run: {}
    mend: Callable[[str], object] | None = None

    @property
    def inputs(self) -> tuple[str, ...]:
        """All tables that it reads."""
        return self.reads

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables it writes, beside its ledger."""
        return self.writes


Stage = RowStage | TableStage


def made_from(stage: Stage) -> dict[str, Any]:
    """All that the rows of a stage depend on, as plain data: its settings by key, and its models with their device."""
    settings = {key: what(one) if isinstance(one, Settings) else one for key, one in stage.settings.items()}
    return settings | ({"models": stage.models.describe()} if stage.models else {})


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
        """Whether it runs models for each row: a job for a GPU, where there is one."""
        return any(isinstance(stage, RowStage) and bool(stage.models) for stage in self.stages)
