"""Marks: a table stage that no process waits for says itself, as its last step, that it is done and from what."""

import apache_beam as beam
from apache_beam.io.filesystems import FileSystems

from transforms.tables.files import commit_file, exists, open_binary


def mark_done(results: beam.PCollection, run: str, stage: str, mark: str) -> None:
    """Write the mark once all results of the stage are there."""
    total = results | f"Await {stage}" >> beam.combiners.Count.Globally()
    _ = total | f"Mark {stage}" >> beam.Map(_write, run, stage, mark)


def read_mark(run: str, stage: str) -> str | None:
    """What the stage was made from when it last ended with a mark; None if it never did."""
    path = _path(run, stage)
    if not exists(path):
        return None
    with open_binary(path) as file:
        return file.read().decode()


def write_mark(run: str, stage: str, mark: str) -> None:
    """Say that the stage is done, and from what."""
    with commit_file(_path(run, stage)) as out:
        out.write(mark.encode())


def _write(_: int, run: str, stage: str, mark: str) -> None:
    write_mark(run, stage, mark)


def _path(run: str, stage: str) -> str:
    return str(FileSystems.join(run, "marks", stage))
