"""`manyfaces verify`, and `manyfaces.verify`: how well a run's vectors tell the same person from different ones."""

import argparse
import json
from typing import Any

from apache_beam.io.filesystems import FileSystems

from beam_pipelines.api import Run
from beam_pipelines.driver import storage
from beam_pipelines.errors import ConfigError
from beam_pipelines.reports.folders import VERIFICATION
from beam_pipelines.reports.hardest_pairs import hardest, write_list, write_pictures
from beam_pipelines.reports.summary import console
from beam_pipelines.reports.verification import figures, pairs_told, record_of
from beam_pipelines.reports.verification_plot import write_plot
from transforms.evaluation.compared import MEANINGS, Compared, compare
from transforms.evaluation.item_vectors import TABLE
from transforms.evaluation.pair_columns import PairColumns
from transforms.evaluation.pairs import read_pairs
from transforms.evaluation.verification import Verification, verification
from transforms.tables.files import commit_file
from transforms.tables.shards import shard_names

RECORD, PLOT, LIST, PICTURES = "verification.json", "roc.png", "hardest.csv", "hardest.png"


def command(arguments: argparse.Namespace) -> None:
    """`manyfaces verify`."""
    output = arguments.output or str(FileSystems.join(arguments.run, VERIFICATION))
    columns = {name: getattr(arguments, name) for name in ("first_column", "second_column", "same_column")}
    record = verify(arguments.pairs, arguments.run, output=output, **columns)
    out = console()
    out.print(pairs_told(record))
    out.print(figures(record))
    for sentence in record["notes"]:
        out.print(sentence, markup=False, highlight=False, soft_wrap=True)
    print("\n".join(f"{output.rstrip('/')}/{name}" for name in (RECORD, PLOT, LIST, PICTURES)))


def verify(
    pairs: str,
    run: str | Run,
    *,
    output: str | None = None,
    first_column: str | None = None,
    second_column: str | None = None,
    same_column: str | None = None,
) -> dict[str, Any]:
    """Compare pairs of items by the vectors of a run; returns what verification.json says.

    pairs: CSV, TSV or parquet with two columns of items (file names, URLs or ids) and one of same or different (1, true
    or same; 0, false or different), or a file in the form of LFW's pairs.txt.
    run: a run that `manyfaces.run` gave, or its folder, local, gs:// or s3://.
    output: a folder for verification.json, roc.png, hardest.csv and hardest.png; by default nothing is written.
    first_column, second_column, same_column: names of the columns, where they cannot be told.

    Raises ConfigError, a sentence, where there is nothing to compare.
    """
    folder = run.folder if isinstance(run, Run) else run
    storage.check_folder(folder, "run")
    if output is not None:
        storage.check_folder(output, "--output")
    for table in ("faces", TABLE):
        if not shard_names(folder, table):
            raise ConfigError(
                f"{folder}: the run has no table {table} yet; run it to the stage that embeds faces first."
            )
    compared = _compared(pairs, folder, PairColumns(first_column, second_column, same_column))
    try:
        found = verification(compared.similarity, compared.same)
    except ValueError as error:
        raise ConfigError(f"PAIRS {pairs}: among the pairs that can be compared {error}{_why(compared)}") from error
    record = record_of(compared, found)
    if output is not None:
        _write(output, folder, compared, found, record)
    return record


def _compared(pairs: str, run: str, columns: PairColumns) -> Compared:
    storage.check_list(pairs, "PAIRS")
    try:
        return compare(run, read_pairs(pairs, columns))
    except ValueError as error:
        raise ConfigError(f"PAIRS {pairs}: {error}") from error


def _why(compared: Compared) -> str:
    """Which pairs were left out, if any were."""
    told = [f"{MEANINGS[reason]}: {count:,}" for reason, count in compared.left_out.items() if count]
    return f" Left out are {'; '.join(told)}." if told else ""


def _write(output: str, run: str, compared: Compared, found: Verification, record: dict[str, Any]) -> None:
    storage.make_folder(output, "--output")
    pairs = hardest(compared, found.best.threshold)
    write_list(str(FileSystems.join(output, LIST)), pairs)
    write_pictures(str(FileSystems.join(output, PICTURES)), run, pairs)
    write_plot(str(FileSystems.join(output, PLOT)), found, compared.similarity, compared.same)
    with commit_file(str(FileSystems.join(output, RECORD))) as file:
        file.write(json.dumps(record, indent=1).encode() + b"\n")
