"""A small recipe for tests of the driver: a manifest of numbers -> doubled -> halves -> their sum.

double drops multiples of 10 and fails multiples of 7; below 100 that is transient. halve makes two rows of a number,
and fails at multiples of 11. What fails stops failing when the file `mended` lies beside the run.
"""

import os
import time
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass

import apache_beam as beam
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from beam_pipelines.recipes.recipe import Limit, Recipe, RecipeConfig
from model_handlers.models.roles import KnownModels
from transforms.flow.items import Item, Outcome, kept, passed, rejected
from transforms.flow.one_worker import on_one_worker
from transforms.flow.stages import RowStage, Stage, TableStage
from transforms.settings import How, Settings
from transforms.tables.files import exists, open_binary
from transforms.tables.ledger import read_ledger, write_ledger
from transforms.tables.reasons import Rejected
from transforms.tables.schemas import arrow_schema, column
from transforms.tables.shards import (
    iter_tables,
    read_column,
    read_footers,
    shard_names,
    shard_path,
    to_table,
    write_shard,
)
from transforms.tables.verdicts import Verdict

CALLS: Counter[tuple[str, str]] = Counter()  # (stage, item id): how often the stage worked on it in this process
NUMBERS = [*range(1, 31), 707]  # 10 20 30: dropped; 7 14 21 28: timeout; 707: http_404; 11 22: fail in halve
CUTS = [
    [["double", "halve"], ["sum"]],
    [["double"], ["halve"], ["sum"]],
]


@dataclass(frozen=True, slots=True, eq=False)
class Number:
    """A row of every table."""

    number_id: str = column(pa.string(), "key")
    value: int = column(pa.int64(), "the number")


class HalveSettings(Settings):
    parts: int = Field(2, ge=1, le=9, description="rows of a number")


class NumbersList(Settings):
    first_rows: How[int | None] = None
    rows_per_shard: int = Field(5, ge=1, description="numbers of a shard")

    def shard_rows(self, rows: int) -> int:
        return self.rows_per_shard


class NumbersConfig(RecipeConfig):
    """The configuration of the recipe numbers."""

    recipe: str = "numbers"
    jobs: list[list[str]] = Field([["double", "halve"], ["sum"]])
    manifest: NumbersList = NumbersList()
    factor: int = 2
    pause: float = Field(0, ge=0, description="seconds that a number takes in double")
    halve: HalveSettings = HalveSettings()
    lose: bool = Field(False, description="lose an item in halve, as a defect would")
    explode: bool = Field(False, description="raise in halve")
    scale: int = Field(1, description="of the sum")
    forget: bool = Field(False, description="declare a table in sum that is never written")
    most: int | None = Field(None, description="rows of halves at which no more numbers are taken")


class Double(beam.DoFn):
    """Number -> the number times the factor."""

    def __init__(self, run: str, factor: int, pause: float) -> None:
        self._mended, self._factor, self._pause = run + ".mended", factor, pause

    def process(self, item: Item[Number]) -> Iterator[Outcome[Number]]:
        if item.row is None:
            yield passed(item)
            return
        number = item.row
        CALLS["double", number.number_id] += 1
        time.sleep(self._pause)
        if number.value % 10 == 0:
            yield rejected(item, number.number_id, Rejected("too_small_image"))
        elif number.value % 7 == 0 and not exists(self._mended):
            yield rejected(item, number.number_id, Rejected("timeout" if number.value < 100 else "http_404"))
        else:
            yield kept(item, number.number_id, (Number(number.number_id, number.value * self._factor),))


class Halve(beam.DoFn):
    """Number -> so many rows of it."""

    def __init__(self, run: str, config: NumbersConfig) -> None:
        self._mended, self._config = run + ".mended", config

    def process(self, item: Item[Number]) -> Iterator[Outcome[Number]]:
        if item.row is None:
            yield passed(item)
            return
        number = item.row
        CALLS["halve", number.number_id] += 1
        if self._config.explode:
            raise ValueError("halve is broken")
        if self._config.lose and number.number_id == "n1":
            yield passed(item)
        elif number.value % 11 == 0 and not exists(self._mended):
            yield rejected(item, number.number_id, Rejected("model_error", "eleven"))
        else:
            parts = range(self._config.halve.parts)
            yield kept(item, number.number_id, tuple(Number(f"{number.number_id}-p{i}", number.value) for i in parts))


def add_up(run: str, scale: int) -> None:
    """The whole table `halves` -> one row of `sums`."""
    CALLS["sum", ""] += 1
    total, verdicts = 0, []
    for table in iter_tables(run, "halves"):
        total += pc.sum(table["value"]).as_py() or 0
        verdicts += [(Verdict(name, "kept"), 0) for name in table["number_id"].to_pylist()]
    write_shard(shard_path(run, "sums", "00000"), to_table([Number("sum", total * scale)], arrow_schema(Number)))
    write_ledger(run, "sum", "00000", verdicts)


def stages(config: NumbersConfig, models: KnownModels | None = None) -> list[Stage]:
    """The stages of the recipe."""
    double = RowStage(
        name="double",
        reads="manifest",
        row_in=Number,
        writes="doubles",
        row_out=Number,
        transform=lambda run: beam.ParDo(Double(run, config.factor, config.pause)),
        settings={"factor": config.factor},
    )
    halve = RowStage(
        name="halve",
        reads="doubles",
        row_in=Number,
        writes="halves",
        row_out=Number,
        transform=lambda run: beam.ParDo(Halve(run, config)),
        settings={"halve": {"parts": config.halve.parts}, "lose": config.lose},
    )
    summing = TableStage(
        name="sum",
        reads=("halves",),
        writes=("sums", "never") if config.forget else ("sums",),
        transform=on_one_worker(add_up, config.scale),
        settings={"scale": config.scale},
    )
    return [double, halve, summing]


def split_manifest(manifest: str, run: str, settings: NumbersList) -> None:
    """A number a line; what is no number fails."""
    with open_binary(manifest) as file:
        lines = file.read().decode().split()[: settings.first_rows]
    for shard, start in enumerate(range(0, len(lines), settings.rows_per_shard)):
        rows, verdicts = [], []
        for line in lines[start : start + settings.rows_per_shard]:
            if line.isdigit():
                rows.append(Number(f"n{line}", int(line)))
                verdicts.append((Verdict(f"n{line}", "kept"), 1))
            else:
                verdicts.append((Verdict(f"n{line}", "failed", "bad_row"), 0))
        write_shard(shard_path(run, "manifest", f"{shard:05d}"), to_table(rows, arrow_schema(Number)))
        write_ledger(run, "manifest", f"{shard:05d}", verdicts)


def limit(config: NumbersConfig) -> Limit | None:
    """Two chunks a wave, until there are so many halves."""

    def reached(run: str, chunks: Collection[str]) -> str | None:
        there = [name for name in shard_names(run, "halves") if name in chunks]
        rows = sum(rows for rows, _ in read_footers(run, "halves", there))
        return f"there are {rows} halves" if rows >= (config.most or 0) else None

    return None if config.most is None else Limit("halve", 2, reached, "over_size_limit")


RECIPE = Recipe("numbers", NumbersConfig, stages, split_manifest, check=lambda manifest, settings: None, limit=limit)


def mend(run: str) -> None:
    """From now on nothing fails."""
    with open(run + ".mended", "w"):
        os.utime(run + ".mended")


def contents(folder: str) -> dict[str, list]:
    """The rows of all tables and the entries of all ledgers, whatever the shards."""
    found = {table: sorted_rows(iter_tables(folder, table)) for table in ("manifest", "doubles", "halves", "sums")}
    for stage in ("manifest", "double", "halve", "sum"):
        found[f"ledger/{stage}"] = sorted_rows(table for _, table in read_ledger(folder, stage))
    return found


def sorted_rows(tables) -> list:
    rows = (row for table in tables for row in table.to_pylist())
    return sorted(rows, key=lambda row: next(iter(row.values())))


def total(folder: str) -> int:
    return read_column(folder, "sums", ["value"])["value"][0].as_py()


def expected_total(without_failures: bool = False) -> int:
    numbers = [n for n in NUMBERS if n % 10]
    if not without_failures:
        numbers = [n for n in numbers if n % 7 and n % 11]
    return sum(4 * n for n in numbers)
