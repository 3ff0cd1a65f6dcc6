"""Files of lots in the work folder, by which workers know which tracks are meant: 8 bytes a track."""

import numpy as np
from apache_beam.io.filesystems import FileSystems

from transforms.curation.tracks.lots import U64
from transforms.tables.files import commit_file, open_binary

CHOSEN, LEFT_OUT = "chosen", "left_out"


def write_lots(work: str, name: str, lots: U64) -> None:
    """Keep the lots (N,) under a name, each once and ascending."""
    with commit_file(_path(work, name)) as file:
        np.lib.format.write_array(file, np.unique(lots), allow_pickle=False)


def read_lots(work: str, name: str) -> U64:
    """The lots (N,) that are kept under the name, ascending."""
    with open_binary(_path(work, name)) as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def _path(work: str, name: str) -> str:
    return str(FileSystems.join(work, f"{name}.npy"))
