"""What labels say of a run: a table for the terminal, figures as JSON, and the mistakes as CSV."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, BinaryIO

import pyarrow as pa
from rich.table import Table
from rich.text import Text

from beam_pipelines import __version__
from transforms.evaluation.agreement import Agreement
from transforms.evaluation.evaluation import Evaluation, Judged
from transforms.evaluation.labelled_faces import Counts
from transforms.evaluation.mistakes import MERGED, Mistake
from transforms.tables.csv_cells import csv_rows

MAX_PARTS, _NAME = 10, 200  # of a mistake in the CSV; characters of a name
_COLUMNS = ("mistake", "identity", "person", "faces", "parts", "largest_share", "wrong_pairs", "consists_of")
_LEFT_OUT = {
    "rows that cannot be read": "unreadable_rows",
    "rows without an item": "rows_without_item",
    "items without an identity": "without_identity",
    "items with several identities": "several_identities",
    "items that the run does not know": "not_in_run",
    "names that several items of the run have": "ambiguous",
    "items without a face": "without_face",
    "faces that items give several identities": "contradicted_faces",
}


def figures(judged: Judged) -> dict[str, float]:
    """All figures of one grouping by name, measures from 0 (ami, ari: less than chance is below 0) to 1."""
    counts = {
        "faces": judged.faces,
        "identities_true": judged.people,
        "identities_found": judged.identities,
        "coverage": judged.coverage,
        "coverage_of_several": judged.coverage_of_several,
    }
    return counts | _measures(judged.agreement)


def _measures(found: Agreement) -> dict[str, float]:
    told = found.information
    return {
        "nmi": told.nmi,
        "ami": told.ami,
        "ari": found.ari,
        "v_measure": told.v_measure,
        "homogeneity": told.homogeneity,
        "completeness": told.completeness,
        "pairwise_precision": found.pairwise.precision,
        "pairwise_recall": found.pairwise.recall,
        "pairwise_f": found.pairwise.f1,
        "bcubed_precision": found.bcubed.precision,
        "bcubed_recall": found.bcubed.recall,
        "bcubed_f": found.bcubed.f1,
        "purity": found.purity,
    }


def figures_table(evaluation: Evaluation, run: str, step: str) -> Table:
    """The figures before and after the step, `cleaning` or `merging`, and of the faces that were kept."""
    table = Table(title=Text(f"{run} by its labels"), title_justify="left")
    table.add_column("")
    for name in (f"before {step}", f"after {step}", "kept faces"):
        table.add_column(name, justify="right")
    columns = [figures(one) for one in (evaluation.before, evaluation.after, evaluation.kept)]
    for name in columns[0]:
        table.add_row(name.replace("_", " "), *(_number(column[name]) for column in columns))
    return table


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:.4f}"


def left_out(counts: Counts) -> Iterator[str]:
    """A sentence of what was counted, then one for each reason for which anything was not."""
    yield f"{counts.with_face:,} of {counts.items:,} items in {counts.rows:,} rows of labels were counted."
    for words, name in _LEFT_OUT.items():
        if number := getattr(counts, name):
            yield f"left out: {number:,} {words}."


def write_figures(out: BinaryIO, evaluation: Evaluation, labels: str, run: str, step: str) -> None:
    """Write everything but the single mistakes as JSON."""
    kinds = [mistake.kind for mistake in evaluation.mistakes]
    record: dict[str, Any] = {
        "version": __version__,
        "labels": labels,
        "run": run,
        "counts": asdict(evaluation.counts),
        "step": step,
        "before": figures(evaluation.before),
        "after": figures(evaluation.after),
        "kept": figures(evaluation.kept),
        "mistakes": {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)},
    }
    out.write((json.dumps(record, indent=2, ensure_ascii=False) + "\n").encode())


def write_mistakes(out: BinaryIO, mistakes: tuple[Mistake, ...], people: pa.Array) -> None:
    """Write every mistake as a row of CSV, of each kind the worst first; `people` are the names of persons."""
    write = csv_rows(out)
    write(_COLUMNS)
    for one in mistakes:
        merged = one.kind == MERGED
        largest = one.parts[0][1] / one.faces if one.parts else 0.0
        parts = [f"{_name(people, part) if merged else part}: {count}" for part, count in one.parts[:MAX_PARTS]]
        more = ["..."] if len(one.parts) > MAX_PARTS else []
        identity, person = (one.group, None) if merged else (None, _name(people, one.group))
        cells = [identity, person, one.faces, len(one.parts), f"{largest:.4f}", one.wrong_pairs]
        write([one.kind, *cells, "; ".join([*parts, *more])])


def _name(people: pa.Array, person: int) -> str:
    name: str = people[person].as_py()
    return name if len(name) <= _NAME else f"{name[:_NAME]}..."
