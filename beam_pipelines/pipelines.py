"""The Beam pipelines of jobs: how chunks, stages and commits are joined."""

from typing import Any

import apache_beam as beam

from beam_pipelines.stages import RowStage, TableStage
from beam_pipelines.work import Work
from transforms.tables.chunks import ReadChunks
from transforms.tables.commit import CommitShards, Target
from transforms.tables.flow import expand


def row_pipeline(pipeline: beam.Pipeline, run: str, work: Work) -> None:
    """Read the chunks, send their items through the stages, commit each stage's outcomes.

    Only chunk descriptions meet the shuffle that spreads them over the workers; all that has pixels is fused behind it.
    """
    chunks = pipeline | "List chunks" >> beam.Create(work.chunks) | "Spread chunks" >> beam.Reshuffle()
    first = work.stages[0]
    items = (
        chunks
        if first.whole_chunks
        else chunks | "Read chunks" >> beam.ParDo(ReadChunks(run, first.row_in, first.without))
    )
    for stage in work.stages:
        items = _stage(items, run, stage)


def _stage(items: beam.PCollection, run: str, stage: RowStage) -> beam.PCollection:
    outcomes = items | stage.name.capitalize() >> stage.transform
    target = Target(run, stage.name, stage.writes, stage.schema)
    _ = outcomes | f"Commit {stage.writes}" >> CommitShards(target)
    return outcomes | f"Take {stage.writes}" >> beam.FlatMap(expand).with_input_types(Any).with_output_types(Any)


def table_pipeline(pipeline: beam.Pipeline, stages: tuple[TableStage, ...]) -> None:
    """Apply table stages side by side; none reads what another of them writes."""
    for stage in stages:
        _ = pipeline | stage.name.capitalize() >> stage.transform
