"""Committing: the outcomes of a stage become one shard of its table and one of its ledger for each chunk."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from threading import Lock
from typing import Any

import apache_beam as beam
import pyarrow as pa
from apache_beam.metrics import Metrics
from apache_beam.transforms.window import GlobalWindow
from apache_beam.typehints.decorators import no_annotations
from apache_beam.utils.timestamp import MIN_TIMESTAMP
from apache_beam.utils.windowed_value import WindowedValue

from transforms.flow.gather import each
from transforms.flow.items import Outcome
from transforms.tables.attempt import check_attempt
from transforms.tables.digest import digest
from transforms.tables.ledger import ledger_table, write_ledger
from transforms.tables.reasons import STATES
from transforms.tables.shards import read_footers, shard_names, shard_path, write_rows

PAIR = "verdicts"  # in the footers of a chunk's two shards
COUNTERS = "manyfaces"  # the metrics namespace; a counter is called `<stage>/<state>`
SEEN: Counter[tuple[str, str]] = Counter()  # the same counts in this process, for a progress bar beside a local runner
_COUNTING = Lock()  # that runner's threads count at once


@dataclass(frozen=True, slots=True)
class Output:
    """Where a stage's outcomes go: the run, the stage, its table and that table's schema."""

    run: str
    stage: str
    table: str
    schema: pa.Schema
    attempt: str  # the run's attempt that may commit


@dataclass(slots=True)
class _Waiting:
    """The outcomes of a chunk that have arrived, and the share of the chunk that they make up."""

    outcomes: list[Outcome[Any]] = field(default_factory=list)
    share: Fraction = Fraction(0)

    def add(self, outcome: Outcome[Any]) -> bool:
        self.outcomes.append(outcome)
        self.share += outcome.share
        return self.share == 1


def commit_chunk(output: Output, chunk: str, outcomes: Iterable[Outcome[Any]]) -> None:
    """Write a whole chunk: first the rows, then the ledger shard, which says that the chunk is done.

    Both carry the digest of the verdicts: see `unpaired`. Raises Superseded if the run was started again meanwhile.
    """
    ordered = sorted(outcomes, key=lambda outcome: outcome.order)
    rows = [row for outcome in ordered for row in outcome.rows]
    verdicts = [(outcome.verdict, len(outcome.rows)) for outcome in ordered if outcome.verdict is not None]
    pair = {PAIR: digest([(verdict.item_id, verdict.state, verdict.reason, n) for verdict, n in verdicts])}
    check_attempt(output.run, output.attempt)
    write_rows(shard_path(output.run, output.table, chunk), rows, output.schema, pair)
    check_attempt(output.run, output.attempt)
    write_ledger(output.run, output.stage, chunk, verdicts, pair)


def unpaired(run: str, stage: str, table: str, chunks: Collection[str]) -> list[str]:
    """Those of the chunks whose two shards were written by two workers that saw different things; footers only.

    A worker that a cluster took for dead may commit a chunk between the two writes of its successor.
    """
    names = [name for name in shard_names(run, ledger_table(stage)) if name in chunks]
    ledger = read_footers(run, ledger_table(stage), names)
    rows = read_footers(run, table, names)
    return [
        name for name, (_, one), (_, other) in zip(names, ledger, rows, strict=True) if one.get(PAIR) != other.get(PAIR)
    ]


class _CommitWhole(beam.DoFn):
    """Outcome -> nothing; commits a chunk when its shares add up to 1.

    The outcomes of a chunk arrive in one bundle as long as the runner keeps the chain fused. What is incomplete at the
    end of a bundle goes out, by chunk, to be put together behind a shuffle.
    """

    def __init__(self, output: Output) -> None:
        self._output = output
        self._waiting: dict[str, _Waiting] = {}
        self._counters = {state: Metrics.counter(COUNTERS, f"{output.stage}/{state}") for state in STATES}

    def start_bundle(self) -> None:
        self._waiting = {}

    @no_annotations
    def process(self, outcome: Outcome[Any]) -> None:
        if outcome.verdict is not None:
            self._counters[outcome.verdict.state].inc()
            with _COUNTING:
                SEEN[self._output.stage, outcome.verdict.state] += 1
        if self._waiting.setdefault(outcome.chunk, _Waiting()).add(outcome):
            commit_chunk(self._output, outcome.chunk, self._waiting.pop(outcome.chunk).outcomes)

    def finish_bundle(self) -> Iterator[WindowedValue]:
        for chunk, waiting in self._waiting.items():
            yield WindowedValue((chunk, waiting.outcomes), MIN_TIMESTAMP, [GlobalWindow()])


class _CommitGathered(beam.DoFn):
    """(chunk, lists of outcomes) -> nothing; commits chunks that arrived in several bundles."""

    def __init__(self, output: Output) -> None:
        self._output = output

    @no_annotations
    def process(self, gathered: tuple[str, Iterable[list[Outcome[Any]]]]) -> None:
        chunk, lists = gathered
        outcomes = [outcome for some in lists for outcome in some]
        share = sum((outcome.share for outcome in outcomes), Fraction(0))
        if share != 1:
            raise RuntimeError(
                f"stage {self._output.stage}: {float(share):.3f} of chunk {chunk} arrived; the runner lost or repeated "
                "items of a chunk. Start the run again: it goes on from the committed shards."
            )
        commit_chunk(self._output, chunk, outcomes)


class CommitShards(beam.PTransform):
    """Outcomes of one stage, in one or several branches -> its table and ledger, a shard of each for every chunk."""

    def __init__(self, output: Output) -> None:
        super().__init__()
        self._output = output

    def expand(self, outcomes: Any) -> beam.PCollection:
        """Only chunks that a runner tore apart pass the shuffle; locally there are none."""
        incomplete = each(outcomes, "Commit chunks", beam.ParDo(_CommitWhole(self._output)))
        torn = incomplete[0] if len(incomplete) == 1 else incomplete | "All branches" >> beam.Flatten()
        return (
            torn
            | "Gather torn chunks" >> beam.GroupByKey()
            | "Commit torn chunks" >> beam.ParDo(_CommitGathered(self._output))
        )
