"""Files of this machine that a list may name: those in the folders that the configuration allows, and no others."""

import os
import re
import stat
from collections.abc import Sequence
from typing import BinaryIO
from urllib.parse import unquote

from transforms.tables.reasons import Rejected

_FILE_URL = re.compile(r"file:(//(localhost)?)?(?=/(?!/))", re.IGNORECASE)  # RFC 8089
_BELOW = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK  # a pipe would be waited for


def path_of(url: str) -> str | None:
    """The path that a row names, as `/path` or `file:///path`; None for others. Rejected `bad_url` for odd ones."""
    if (found := _FILE_URL.match(url)) is not None:
        path = unquote(url[found.end() :], errors="surrogateescape")
    elif url.startswith("/") and not url.startswith("//"):
        path = url
    else:
        return None
    if "\0" in path or ".." in path.split("/"):
        raise Rejected("bad_url", "a path with .. or a zero byte")
    return path


def open_allowed(path: str, folders: Sequence[str]) -> BinaryIO:
    """The file at a path from the root, to read; Rejected `blocked_path` or `no_file`.

    Links are resolved first, and what they lead to must be a file in one of the folders. It is then opened from that
    folder down, name by name, without following a link: whoever swaps one in meanwhile gets nothing read elsewhere.
    """
    place = os.path.realpath(path)
    folder = next((known for known in map(os.path.realpath, folders) if _is_below(place, known)), None)
    if folder is None:
        raise Rejected("blocked_path", "in none of the folders of allow_paths")
    try:
        if not stat.S_ISREG(os.lstat(place).st_mode):  # a device may do something when it is opened
            raise Rejected("no_file", f"{path} is no file")
        opened = _open_below(folder, os.path.relpath(place, folder).split(os.sep))
    except OSError as error:
        raise Rejected("no_file", str(error)) from None
    if not stat.S_ISREG(os.fstat(opened).st_mode):
        os.close(opened)
        raise Rejected("no_file", f"{path} is no file")
    return open(opened, "rb")


def _is_below(place: str, folder: str) -> bool:
    return place.startswith(folder.rstrip("/") + "/")


def _open_below(folder: str, names: Sequence[str]) -> int:
    """The descriptor of what is below the folder by these names; OSError if one of them is a link."""
    at = os.open(folder, _BELOW | os.O_DIRECTORY)
    for place, name in enumerate(names, 1):
        more = os.O_DIRECTORY if place < len(names) else 0
        try:
            below = os.open(name, _BELOW | more, dir_fd=at)
        finally:
            os.close(at)
        at = below
    return at


def read_allowed(path: str, folders: Sequence[str], most: int) -> bytes:
    """The content of the file, as of `open_allowed`; Rejected `too_large` if it has more bytes than `most`."""
    with open_allowed(path, folders) as file:
        try:
            content = file.read(most + 1)
        except OSError as error:
            raise Rejected("no_file", str(error)) from None
    if len(content) > most:
        raise Rejected("too_large", f"more than {most} bytes")
    return content
