"""`manyfaces export`: the pictures of a run in the format of another program."""

import argparse
import os
from collections.abc import Callable, Mapping
from typing import Any

from apache_beam.io.filesystems import FileSystems

from beam_pipelines import config as configuration
from beam_pipelines.cards.contents import describe, main_table
from beam_pipelines.driver import storage
from beam_pipelines.driver.folder import check_whole
from beam_pipelines.driver.record import read_record
from beam_pipelines.errors import ConfigError
from beam_pipelines.exporting.coco import write_coco
from beam_pipelines.exporting.folders import write_imagefolder, write_jsonl
from beam_pipelines.exporting.huggingface import write_huggingface
from beam_pipelines.exporting.push import check_place, push
from beam_pipelines.exporting.source import Source
from transforms.tables.files import is_local
from transforms.tables.reasons import Rejected

Record = Mapping[str, Any]

FORMATS: dict[str, Callable[[Source, str, Record], int]] = {
    "hf": write_huggingface,
    "coco": lambda source, folder, record: write_coco(source, folder),
    "imagefolder": lambda source, folder, record: write_imagefolder(source, folder),
    "jsonl": lambda source, folder, record: write_jsonl(source, folder),
}
_KEYS = ("face_id", "body_id", "image_id")  # by which pictures have identities


def command(arguments: argparse.Namespace) -> None:
    """`manyfaces export`."""
    given, folder = arguments, arguments.to
    repository = check_place(given.push, folder) if given.push else None
    count = export(given.run, given.format, folder, given.table, tuple(dict.fromkeys(given.split)), given.all)
    print(f"{count} pictures -> {folder}")
    if repository:
        print(f"sent to {push(folder, repository)}")


def export(
    run: str, form: str, folder: str, table: str | None = None, splits: tuple[str, ...] = (), everything: bool = False
) -> int:
    """Write pictures of the run to a new folder; returns how many. ConfigError says what cannot be exported.

    form: hf, coco, imagefolder or jsonl. table, splits, everything: as of Source.
    """
    if form not in FORMATS:
        raise ConfigError(f"--as {form}: there is no such format; there are {', '.join(FORMATS)}.")
    if splits and everything:
        raise ConfigError("--all: a split is of chosen faces; leave out one of --all and --split.")
    storage.check_folder(run, "run")
    record = read_record(run)
    if not record:
        raise ConfigError(f"{run}: there is no run here (no run.json).")
    check_whole(run)
    _check_new(run, folder)
    source = _source(run, record, table or ("images" if form == "coco" else None), splits, everything)
    _check_any(source)
    try:
        return FORMATS[form](source, folder, record)
    except Rejected as why:
        raise ConfigError(f"{run}: a picture in the table {source.table} is none ({why.detail}).") from why


def _check_any(source: Source) -> None:
    """ConfigError if no row is chosen, before anything is written."""
    some = [source.chosen(split) for split in source.parts()]
    if not source.everything and all(one is not None and not len(one.keys) for one in some):
        raise ConfigError(
            f"{source.run}: no face was kept; `manyfaces inspect {source.run}` shows what was dropped, --all takes it."
        )


def _check_new(run: str, folder: str) -> None:
    """ConfigError for a folder in the run, where no removal would find it, or one with files of something else."""
    storage.check_folder(folder, "--to")
    inner, outer = (os.path.abspath(path) if is_local(path) else path.rstrip("/") for path in (folder, run))
    if f"{inner}/".startswith(f"{outer}/"):
        raise ConfigError(
            f"--to {folder}: this is in the run, whose removals do not look there; name a folder outside it."
        )
    if FileSystems.match([f"{folder.rstrip('/')}/**"], limits=[1])[0].metadata_list:
        raise ConfigError(f"--to {folder}: there are files already; name a new folder, or delete this one.")


def _source(run: str, record: Record, table: str | None, splits: tuple[str, ...], everything: bool) -> Source:
    recipe, settings = configuration.from_record(dict(record), [])
    tables = describe(run, recipe.stages_of(settings))
    usable = {one.name: one for one in tables if one.pictures and one.schema.names[0] in _KEYS}
    if not usable:
        raise ConfigError(f"{run}: no table of this run has pictures that may be given away.")
    name = table or main_table(list(usable.values()))
    if name not in usable:
        raise ConfigError(f"--table {name}: the run has no pictures there; it has them in {', '.join(usable)}.")
    return Source(run, name, usable[name].schema.names[0], usable[name].pictures[0], splits, everything)
