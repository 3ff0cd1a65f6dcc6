from collections.abc import Iterator

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from beam_pipelines.driver.pipelines import row_pipeline, table_pipeline
from beam_pipelines.driver.work import Work, pending
from tests.beam_pipelines.numbers_recipe import Number
from transforms.flow.chunks import Chunk, chunk_items
from transforms.flow.items import Item, Outcome, kept, passed
from transforms.flow.one_worker import on_one_worker
from transforms.flow.stages import Job, RowStage, TableStage
from transforms.tables.attempt import begin_attempt
from transforms.tables.ledger import tally
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import read_column, read_shard, shard_names, shard_path, to_table, write_shard

SCHEMA = arrow_schema(Number)


class Copy(beam.DoFn):
    """Item -> its own row again, 1 more."""

    def process(self, item: Item[Number]) -> Iterator[Outcome[Number]]:
        if item.row is None:
            yield passed(item)
        else:
            number = Number(item.row.number_id, item.row.value + 1)
            yield kept(item, number.number_id, (number,))


class FetchChunk(beam.DoFn):
    """Chunk -> outcomes, as a downloader gives them: all of a chunk, in any order."""

    def __init__(self, run: str) -> None:
        self._run = run

    def process(self, chunk: Chunk) -> Iterator[Outcome[Number]]:
        for item in reversed(list(chunk_items(self._run, chunk, Number))):
            yield from Copy().process(item)


def write(run: str, table: str, name: str, values: list[int]) -> None:
    rows = [Number(f"n{value}", value) for value in values]
    write_shard(shard_path(run, table, name), to_table(rows, SCHEMA))


def go(run: str, *stages: RowStage) -> list[Work]:
    works = pending(run, Job(1, stages))
    for work in works:
        with beam.Pipeline(runner=FnApiRunner(), options=PipelineOptions([])) as pipeline:
            row_pipeline(pipeline, run, work, begin_attempt(run))
    return works


def stage(name: str, reads: str, writes: str, **more) -> RowStage:
    given = {"transform": lambda run: beam.ParDo(Copy())} | more
    return RowStage(name=name, reads=reads, row_in=Number, writes=writes, row_out=Number, **given)


@pytest.mark.parametrize("values", [[[]], [[], [1]], [[3, 1, 2], [4], [], [5, 6]]])
def test_rows_go_through_a_chain_in_order(folder, values):
    for number, some in enumerate(values):
        write(folder, "manifest", f"{number:05d}", some)
    go(folder, stage("fetch", "manifest", "as"), stage("refine", "as", "bs"))
    for table, more in (("as", 1), ("bs", 2)):
        assert shard_names(folder, table) == [f"{number:05d}" for number in range(len(values))]
        found = [
            read_shard(shard_path(folder, table, name))["value"].to_pylist() for name in shard_names(folder, table)
        ]
        assert found == [[value + more for value in some] for some in values]
    assert tally(folder, "refine").items == sum(map(len, values))


def test_a_stage_may_take_whole_chunks(folder):
    write(folder, "manifest", "00000", [1, 2, 3])
    write(folder, "manifest", "00001", [])
    fetch = stage("fetch", "manifest", "as", transform=lambda run: beam.ParDo(FetchChunk(run)), whole_chunks=True)
    go(folder, fetch, stage("refine", "as", "bs"))
    assert read_column(folder, "bs", ["value"]).to_pydict() == {"value": [3, 4, 5]}


@pytest.mark.parametrize("left_out", [[], [2], [1, 2, 3]])
def test_rows_that_a_table_lists_are_left_out(folder, left_out):
    write(folder, "manifest", "00000", [1, 2, 3])
    write(folder, "duplicates", "00000", left_out)
    go(folder, stage("refine", "manifest", "as", without="duplicates"))
    stay = [value for value in (1, 2, 3) if value not in left_out]
    assert read_column(folder, "as", ["number_id"]).to_pydict() == {"number_id": [f"n{value}" for value in stay]}
    assert tally(folder, "refine").items == len(stay)


def test_table_stages_run_side_by_side(tmp_path):
    def touch(run, name):
        (tmp_path / name).touch()

    stages = tuple(
        TableStage(name=name, reads=(), writes=(name,), transform=on_one_worker(touch, name))
        for name in ("bundle", "splits")
    )
    with beam.Pipeline(runner=FnApiRunner(), options=PipelineOptions([])) as pipeline:
        table_pipeline(pipeline, str(tmp_path), stages)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle", "splits"]
