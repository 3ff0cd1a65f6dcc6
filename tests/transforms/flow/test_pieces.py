"""Stages whose items go through in parts, in whole pipelines, on bundles that hold together and that do not."""

from dataclasses import dataclass
from functools import partial

import apache_beam as beam
import pyarrow as pa
import pytest
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from beam_pipelines.driver.pipelines import row_pipeline
from beam_pipelines.driver.work import pending
from tests.integration.runs import table_content
from transforms.flow.gather import each
from transforms.flow.pieces import InPieces, succeeded
from transforms.flow.stages import Job, RowStage
from transforms.flow.steps import enter, leave, step
from transforms.tables.attempt import begin_attempt
from transforms.tables.reasons import Rejected
from transforms.tables.schemas import arrow_schema, column
from transforms.tables.shards import to_table, write_shard


@dataclass(frozen=True)
class Count:
    """A row that goes into as many parts as its value."""

    name: str = column(pa.string(), "key")
    value: int = column(pa.int64(), "a number")


SCHEMA = arrow_schema(Count)


def into(row: Count) -> range:
    if row.value == 13:
        raise Rejected("no_shot", "unlucky")
    return range(row.value)


def square(number: int) -> int:
    if number == 5:
        raise Rejected("broken_image", "five")
    return number * number


def tally(row: Count, squares: list) -> Count:
    failed = [one.code for one in squares if isinstance(one, Rejected)]
    if len(failed) == len(squares) and squares:
        raise Rejected(failed[0])
    return Count(f"{row.name}+", sum(one for one in squares if not isinstance(one, Rejected)))


class Squares(beam.PTransform):
    """Item[Count] -> Outcome[Count]: the sum of the squares below the value; `torn` spreads the parts over bundles."""

    def __init__(self, torn: bool = False) -> None:
        super().__init__()
        self._torn = torn

    def expand(self, items):
        steps = step(square)
        if self._torn:
            steps = Chained(("apart", beam.Reshuffle()), ("square", steps), ("further apart", beam.Reshuffle()))
        works = items | "Enter" >> enter() | "In parts" >> InPieces(into, steps, tally)
        rows = each(works, "Rows", step(lambda row: (row,)))
        return each(rows, "Leave", leave(Count))


class Chained(beam.PTransform):
    def __init__(self, *steps) -> None:
        super().__init__()
        self._steps = steps

    def expand(self, works):
        for label, transform in self._steps:
            works = works | label >> transform
        return works


def run(folder: str, torn: bool) -> dict[str, object]:
    """A job of two such stages; all tables and ledgers."""
    chunks = [[], [3], [13], [0, 2, 13, 6, 1, 7], [4, 4]]
    for number, values in enumerate(chunks):
        rows = [Count(f"c{number}-{i}", value) for i, value in enumerate(values)]
        write_shard(f"{folder}/manifest/part-{number:05d}.parquet", to_table(rows, SCHEMA))
    stage = partial(RowStage, row_in=Count, row_out=Count, transform=lambda run: Squares(torn))
    first = stage(name="first", reads="manifest", writes="as")
    second = stage(name="second", reads="as", writes="bs")
    options = PipelineOptions(["--direct_running_mode=multi_threading", "--direct_num_workers=3"] if torn else [])
    for work in pending(folder, Job(1, (first, second))):
        with beam.Pipeline(runner=FnApiRunner(), options=options) as pipeline:
            row_pipeline(pipeline, folder, work, begin_attempt(folder))
    tables = ("as", "bs", "ledger/first", "ledger/second")
    return {table: table_content(folder, table) for table in tables}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return run(str(tmp_path_factory.mktemp("whole")), torn=False)


def test_parts_come_together_and_failures_stay_with_their_part(whole):
    rows = {row["name"]: row["value"] for shard in whole["as"].values() for row in shard}
    assert rows == {"c1-0+": 5, "c3-0+": 0, "c3-1+": 1, "c3-3+": 30, "c3-4+": 0, "c3-5+": 66, "c4-0+": 14, "c4-1+": 14}
    ledger = {row["item_id"]: row["reason"] for shard in whole["ledger/first"].values() for row in shard}
    assert ledger == {"c2-0": "no_shot", "c3-2": "no_shot"} | dict.fromkeys((name[:-1] for name in rows), "")
    assert len(whole["bs"]) == 5


def test_a_runner_that_breaks_fusion_gives_the_same_tables(whole, tmp_path):
    assert run(str(tmp_path), torn=True) == whole


LATE, LOST = Rejected("timeout", "late"), Rejected("broken_frame", "lost")


@pytest.mark.parametrize(
    ("results", "most", "expected"),
    [
        ([], 0, []),
        ([1, 2], 0, [1, 2]),
        ([1, LOST, 3, 4], 0.25, [1, 3, 4]),
        ([1, LOST, LATE, 4], 0.25, "2 of 4 frames; the first: lost"),
        ([LATE, 2], 0, "1 of 2 frames; the first: late"),
        ([LATE, LOST], 1, "2 of 2 frames; the first: late"),  # nothing is left
    ],
)
def test_a_whole_fails_with_too_many_of_its_pieces(results, most, expected):
    if isinstance(expected, list):
        assert succeeded(results, most) == expected
        return
    with pytest.raises(Rejected) as why:
        succeeded(results, most)
    assert (why.value.code, why.value.detail) == (results[[*map(type, results)].index(Rejected)].code, expected)
