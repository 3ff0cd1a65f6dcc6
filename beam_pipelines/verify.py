"""`manyfaces verify`, and `manyfaces.verify`: how well a run's vectors tell the same person from different ones."""

import argparse
import json
from typing import Any

from apache_beam.io.filesystems import FileSystems

from beam_pipelines.driver import storage
from beam_pipelines.errors import ConfigError
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

FOLDER = "verification"  # in the run's
RECORD, PLOT, LIST, PICTURES = "verification.json", "roc.png", "hardest.csv", "hardest.png"


def command(arguments: argparse.Namespace, beam: list[str]) -> None:
    """`manyfaces verify`."""
    output = arguments.output or str(FileSystems.join(arguments.run, FOLDER))
    columns = {name: getattr(arguments, name) for name in ("first", "second", "same")}
    record = verify(arguments.pairs, arguments.run, output=output, **columns)
    out = console()
    out.print(pairs_told(record))
    out.print(figures(record))
    for sentence in record["notes"]:
        out.print(sentence, markup=False, highlight=False, soft_wrap=True)
    print("\n".join(str(FileSystems.join(output, name)) for name in (RECORD, PLOT, LIST, PICTURES)))


def verify(
    pairs: str,
    run: str,
    *,
    output: str | None = None,
    first: str | None = None,
    second: str | None = None,
    same: str | None = None,
) -> dict[str, Any]:
    """Compare pairs of items by the vectors of a run; returns what verification.json says.

    pairs: a file of CSV, TSV or parquet with two columns of items (file name, URL or id) and one of same or different,
    whose names are guessed, or are `first`, `second` and `same`; or a file in the form of LFW's pairs.txt.
    run: the run's folder. output: the folder for the record, the ROC curve and the hardest pairs; None: not written.

    Raises ConfigError for what cannot be compared, in a sentence.
    """
    if output is not None:
        storage.check_folder(output, "--output")
    compared = _compared(pairs, run, PairColumns(first, second, same))
    try:
        found = verification(compared.similarity, compared.same)
    except ValueError as error:
        raise ConfigError(f"PAIRS {pairs}: among the pairs that can be compared {error}{_why(compared)}") from error
    record = record_of(compared, found)
    if output is not None:
        _write(output, run, compared, found, record)
    return record


def _compared(pairs: str, run: str, columns: PairColumns) -> Compared:
    storage.check_folder(run, "RUN")
    for table in ("faces", TABLE):
        if not shard_names(run, table):
            raise ConfigError(
                f"RUN {run}: it has no table {table}; name a run of a recipe that embeds faces, when it has."
            )
    if not storage.is_file(pairs, "PAIRS"):
        raise ConfigError(f"PAIRS {pairs}: there is no such file.")
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
