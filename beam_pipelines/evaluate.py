"""`manyfaces evaluate`, and `manyfaces.evaluate`: how well a run's identities agree with labels."""

import argparse
from functools import partial

from apache_beam.io.filesystems import FileSystems

from beam_pipelines.api import Run
from beam_pipelines.driver import storage
from beam_pipelines.errors import ConfigError
from beam_pipelines.reports.evaluation import figures_table, left_out, write_figures, write_mistakes
from beam_pipelines.reports.folders import EVALUATION
from beam_pipelines.reports.mistakes_sheet import write_mistakes_sheet
from beam_pipelines.reports.summary import console
from transforms.evaluation.evaluation import Evaluation, judge
from transforms.evaluation.item_names import item_column
from transforms.evaluation.labelled_faces import Counts, LabelledFaces, labelled_faces
from transforms.evaluation.labels import LabelColumns, Labels, read_labels
from transforms.tables.files import commit_file
from transforms.tables.shards import iter_tables, shard_names

FIGURES, MISTAKES, SHEET = "evaluation.json", "mistakes.csv", "mistakes.png"


def command(arguments: argparse.Namespace) -> None:
    """`manyfaces evaluate`."""
    output = arguments.output or str(FileSystems.join(arguments.run, EVALUATION))
    columns = {"item_column": arguments.item_column, "identity_column": arguments.identity_column}
    evaluation = evaluate(arguments.labels, arguments.run, output=output, **columns)
    out = console()
    out.print(figures_table(evaluation, arguments.run, step(arguments.run)))
    for sentence in left_out(evaluation.counts):
        out.print(sentence, markup=False, highlight=False, soft_wrap=True)
    print("\n".join(f"{output.rstrip('/')}/{name}" for name in (FIGURES, MISTAKES, SHEET)))


def evaluate(
    labels: str,
    run: str | Run,
    *,
    output: str | None = None,
    item_column: str | None = None,
    identity_column: str | None = None,
) -> Evaluation:
    """Judge a run's identities by labels.

    labels: CSV, TSV or parquet with a column of items (file names, URLs or ids) and one of identities.
    run: a run that `manyfaces.run` gave, or its folder, local, gs:// or s3://.
    output: a folder for evaluation.json, mistakes.csv and mistakes.png; by default nothing is written.
    item_column, identity_column: names of the columns, where they are not the usual ones.

    Raises ConfigError, a sentence, where there is nothing to compare.
    """
    folder = run.folder if isinstance(run, Run) else run
    storage.check_folder(folder, "run")
    if output is not None:
        storage.check_folder(output, "--output")
    if not shard_names(folder, "identities"):
        raise ConfigError(f"{folder}: the run has no identities yet; run it to the stage that finds them first.")
    given = _read(labels, LabelColumns(item_column, identity_column))
    faces = labelled_faces(folder, given)
    _check(labels, folder, given, faces.counts)
    evaluation = judge(faces)
    if output is not None:
        storage.make_folder(output, "--output")
        _write(output, labels, folder, faces, evaluation)
    return evaluation


def step(run: str) -> str:
    """What is between clusters and identities in this run."""
    return "merging" if shard_names(run, "persons") else "cleaning"


def _read(labels: str, columns: LabelColumns) -> Labels:
    storage.check_list(labels, "LABELS")
    try:
        return read_labels(labels, columns)
    except ValueError as error:
        raise ConfigError(f"LABELS {labels}: {error}") from error


def _check(labels: str, run: str, given: Labels, counts: Counts) -> None:
    """ConfigError if nothing is left to compare."""
    if not len(given.names):
        raise ConfigError(
            f"LABELS {labels}: none of its {counts.items:,} items has one identity ({counts.without_identity:,} have "
            f"none, {counts.several_identities:,} several); name the right columns with --item-column and "
            "--identity-column."
        )
    if not counts.in_run:
        raise ConfigError(
            f"LABELS {labels}: none of its {len(given.names):,} labelled items, such as {_shown(given.names[0])}, "
            f"names one item of {run}, such as {_example(run)}; items are ids, URLs or file names of the run, and "
            "--item-column says which column has them."
        )
    if not counts.with_face:
        raise ConfigError(f"LABELS {labels}: none of the {counts.in_run:,} labelled items of {run} has a face.")


def _example(run: str) -> str:
    """An item of the run as it may be named."""
    column = item_column(run)
    for part in iter_tables(run, "manifest", [column, "url"]):
        if len(part):
            return f"{_shown(part[column][0])} or {_shown(part['url'][0])}"
    return "none: its manifest is empty"


def _shown(name: object) -> str:
    text = str(name)
    return repr(text if len(text) <= 100 else f"{text[:100]}...")


def _write(output: str, labels: str, run: str, faces: LabelledFaces, evaluation: Evaluation) -> None:
    path = partial(FileSystems.join, output)
    with commit_file(path(MISTAKES)) as out:
        write_mistakes(out, evaluation.mistakes, faces.people)
    write_mistakes_sheet(run, faces, evaluation.mistakes, path(SHEET))
    with commit_file(path(FIGURES)) as out:
        write_figures(out, evaluation, labels, run, step(run))
