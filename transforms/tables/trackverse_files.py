"""Reading files of tracks in the form of TrackVerse, a track a line, with one line in memory.

Such files are packed by gzip, a member a shot, since its writer appends: all members are read. Plain text is read too.
"""

import gzip
import zlib
from collections.abc import Iterator
from typing import BinaryIO, cast

from apache_beam.io.filesystems import FileSystems

from transforms.tables.files import exists, is_folder, open_binary
from transforms.tables.track_rows import Track
from transforms.tables.trackverse import from_line

MAX_LINE = 16 * 2**20  # bytes of a line, unpacked; a track of ten minutes has 2 MB
_SUFFIXES = (".jsonl", ".jsonl.gz", ".jsonl.gzip")
_GZIP = b"\x1f\x8b"


def track_files(path: str) -> list[str]:
    """The files at a path, below a folder or of a pattern with `*`, sorted; FileNotFoundError if there are none."""
    if not is_folder(path) and exists(path):
        return [path]
    whole = is_folder(path)
    found = FileSystems.match([f"{path.rstrip('/')}/**" if whole else path])[0].metadata_list
    files = sorted(one.path for one in found if not whole or one.path.endswith(_SUFFIXES))
    if not files:
        raise FileNotFoundError(f"{path}: there is no file of tracks ({', '.join(_SUFFIXES)}).")
    return files


def read_tracks(path: str) -> Iterator[Track]:
    """The rows of one file; ValueError, with the file and the line, for what is no track in this form."""
    for number, line in read_lines(path):
        try:
            yield from_line(line, path)
        except ValueError as error:
            raise ValueError(f"{path}: line {number}: {_one_line(error)}.") from error


def read_lines(path: str) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, with their numbers from 1; ValueError for one too long or a broken file."""
    with open_binary(path) as file:
        packed = file.read(len(_GZIP)) == _GZIP
        file.seek(0)
        content = cast(BinaryIO, gzip.GzipFile(fileobj=file)) if packed else file
        number = 0
        while True:
            number += 1
            try:
                line = content.readline(MAX_LINE + 1)
            except (EOFError, OSError, zlib.error) as error:
                if packed and isinstance(error, EOFError | gzip.BadGzipFile | zlib.error):
                    raise ValueError(f"{path}: line {number}: the gzip file is cut or broken there.") from error
                raise
            if len(line) > MAX_LINE:
                raise ValueError(f"{path}: line {number}: it has more than {MAX_LINE} bytes.")
            if not line:
                return
            if line.strip():
                yield number, line


def _one_line(error: ValueError) -> str:
    return " ".join(str(error).encode(errors="replace").decode().split())[:300].rstrip(".")
