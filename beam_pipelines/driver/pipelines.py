"""The Beam pipelines of jobs: how chunks, stages and commits are joined."""

import zlib
from collections.abc import Mapping
from typing import Any

import apache_beam as beam

from beam_pipelines.driver.marks import mark_done
from beam_pipelines.driver.work import Work
from transforms.flow.chunks import Chunk, ReadChunks
from transforms.flow.commit import CommitShards, Output
from transforms.flow.gather import Branches, branches, each
from transforms.flow.items import expand
from transforms.flow.stages import RowStage, TableStage
from transforms.tables.files import exists
from transforms.tables.ledger import ledger_table
from transforms.tables.shards import shard_path


def row_pipeline(pipeline: beam.Pipeline, run: str, work: Work, attempt: str) -> None:
    """Read the chunks, send their items through the stages, commit each stage's outcomes.

    Only chunk descriptions meet the shuffle that spreads them over the workers; all that has pixels is fused behind it.
    They come in no order of the list: what is done is a sample of it then, and no host is asked for all it has at once.
    """
    chunks = (
        pipeline
        | "List chunks" >> beam.Create(sorted(work.chunks, key=lambda chunk: zlib.crc32(chunk.name.encode())))
        | "Spread chunks" >> beam.Reshuffle()
        | "Skip finished chunks" >> beam.Filter(unfinished, run=run, stages=[stage.name for stage in work.stages])
    )
    first = work.stages[0]
    items = (
        chunks
        if first.whole_chunks
        else chunks | "Read chunks" >> beam.ParDo(ReadChunks(run, first.row_in, first.without))
    )
    flow = branches(items)
    for stage in work.stages:
        flow = _stage(flow, run, stage, attempt)


def unfinished(chunk: Chunk, run: str, stages: list[str]) -> bool:
    """Whether the chunk is still to be done: a runner that lost a worker gives all that it had to another one."""
    return not all(exists(shard_path(run, ledger_table(stage), chunk.name)) for stage in stages)


def _stage(items: Branches, run: str, stage: RowStage, attempt: str) -> Branches:
    outcomes = each(items, stage.name.capitalize(), stage.transform(run))
    output = Output(run, stage.name, stage.writes, stage.schema, attempt)
    _ = outcomes | f"Commit {stage.writes}" >> CommitShards(output)
    take = beam.FlatMap(expand).with_input_types(Any).with_output_types(Any)
    return each(outcomes, f"Take {stage.writes}", take)


def table_pipeline(
    pipeline: beam.Pipeline, run: str, stages: tuple[TableStage, ...], marks: Mapping[str, str] | None = None
) -> None:
    """Apply table stages side by side; none reads what another of them writes.

    `marks` has, for stages of the run that shall say themselves when they are done, what they are made from.
    """
    for stage in stages:
        results = pipeline | stage.name.capitalize() >> stage.transform(run)
        if marks and stage.name in marks:
            mark_done(results, run, stage.name, marks[stage.name])
