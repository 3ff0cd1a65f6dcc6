"""The cells of an approximate search, found once for all processes and kept in the run until its edges are found."""

import io
from collections.abc import Callable
from dataclasses import fields

import numpy as np
from apache_beam.io.filesystems import FileSystems

from transforms.identity.cells import Cells
from transforms.tables.files import commit_file, delete_files, exists, open_binary

FOLDER = "cells"
_FILE, _KEY = "cells.npz", "made_from"


def kept_cells(run: str, made_from: str, find: Callable[[], tuple[Cells, ...]]) -> tuple[Cells, ...]:
    """The cells that are kept for what they are made from, a digest; they are found and kept, if none are."""
    if exists(_path(run)):
        with open_binary(_path(run)) as file:
            kept = np.load(io.BytesIO(file.read()), allow_pickle=False)
        if str(kept[_KEY]) == made_from:
            return tuple(_cells(kept, place) for place in range(int(kept["count"])))
    found = find()
    arrays = {_name(place, f.name): getattr(cells, f.name) for place, cells in enumerate(found) for f in fields(Cells)}
    with commit_file(_path(run)) as out:
        np.savez(out, count=len(found), made_from=made_from, **arrays)
    return found


def forget_cells(run: str) -> None:
    """Delete what is kept: a cell of one face is that face."""
    if exists(_path(run)):
        delete_files([_path(run)])


def _cells(kept: np.lib.npyio.NpzFile, place: int) -> Cells:
    low, high = (int(kept[_name(place, name)]) for name in ("low", "high"))
    return Cells(low, high, *(kept[_name(place, name)] for name in ("centres", "members", "starts")))


def _name(place: int, field: str) -> str:
    return f"{place}_{field}"


def _path(run: str) -> str:
    return str(FileSystems.join(run, FOLDER, _FILE))
