"""Where the videos of a run lie, and a path on this machine for each.

On a local run that is the file itself. From an object store a copy is fetched once for all processes of the machine,
into a folder whose size is bounded: what was not used for longest goes first, never what is in use.
"""

import fcntl
import hashlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from apache_beam.io.filesystem import BeamIOError
from apache_beam.io.filesystems import FileSystems

from transforms.tables.files import commit_file, exists, is_local, open_binary

MEDIA = "media"
FOLDER, BYTES = "MANYFACES_MEDIA_CACHE", "MANYFACES_MEDIA_CACHE_BYTES"  # environment variables
_DEFAULT_BYTES = 20 * 2**30
_OURS = re.compile(r"(\.?)[0-9a-f]{64}(?![0-9a-f])")  # names of copies, with a dot those of unfinished ones
_ABANDONED = 86_400  # seconds since the last byte of a copy was written by a process that must be gone


def media_name(video_id: str, suffix: str) -> str:
    """The path of a video's file below the run; `suffix` with its dot. The id must be fit to name a file."""
    digest = hashlib.sha256(video_id.encode()).hexdigest()
    return f"{MEDIA}/{digest[:2]}/{video_id}{suffix}"


def video_folder(table: str, video_id: str) -> str:
    """The folder, below the run, of files that a table's rows name; it lies beside the table's shards."""
    return f"{table}/{video_id}{'~' if video_id.endswith('.parquet') else ''}"  # an id may be called like a shard


def file_path(run: str, name: str) -> str:
    """The path of a file of the run, by its name below it; ValueError for a name that leads out of the run.

    Names come from tables, and a run may come from elsewhere.
    """
    parts = name.split("/")
    if "\0" in name or any(part in ("", ".", "..") for part in parts):
        raise ValueError(f"{name[:200]!r} is no name of a file below the run")
    return str(FileSystems.join(run, *parts))


def add_file(run: str, name: str, path: str) -> None:
    """Copy a file of this machine into the run, under its name below it, at once and whole."""
    with commit_file(file_path(run, name)) as out, open(path, "rb") as file:
        shutil.copyfileobj(file, out, 2**20)


@contextmanager
def local_file(run: str, media: str, folder: str | None = None, max_bytes: int | None = None) -> Iterator[str]:
    """A path on this machine of a file of the run, valid within the block. FileNotFoundError if there is none.

    ValueError as `file_path` says.
    `folder` and `max_bytes` of the copies are those of the environment, or a folder for temporary files and 20 GiB.
    """
    path = file_path(run, media)
    if is_local(run):
        yield path
        return
    copies = Path(folder or os.environ.get(FOLDER) or Path(tempfile.gettempdir(), f"manyfaces-media-{os.getuid()}"))
    copies.mkdir(mode=0o700, parents=True, exist_ok=True)
    limit = max_bytes if max_bytes is not None else int(os.environ.get(BYTES) or _DEFAULT_BYTES)
    copy = copies / f"{hashlib.sha256(_version(path).encode()).hexdigest()}{Path(media).suffix}"
    while True:
        with _locked(copy, fcntl.LOCK_SH):
            if copy.exists():
                now = time.time_ns()
                os.utime(copy, ns=(now, now))  # not the file system's clock, which may have milliseconds only
                yield str(copy)
                return
        with _locked(copy, fcntl.LOCK_EX):
            if not copy.exists():
                _fetch(path, copy)
        _trim(copies, limit, copy)


@contextmanager
def _locked(copy: Path, kind: int) -> Iterator[None]:
    """Hold the lock of a copy; BlockingIOError with LOCK_NB if another has it."""
    name = copy.with_name(f"{copy.name}.lock")
    while True:
        lock = os.open(name, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(lock, kind)
            if _is(lock, name):
                yield
                return
        finally:
            os.close(lock)


def _is(descriptor: int, name: Path) -> bool:
    """Whether the open file still has its name: a copy's lock goes with the copy."""
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(name))
    except FileNotFoundError:
        return False


def _version(path: str) -> str:
    """What names these bytes: a run of the same name may have been before this one."""
    try:
        return f"{path} {FileSystems.checksum(path)}"
    except BeamIOError as error:
        if exists(path):
            raise
        raise FileNotFoundError(f"there is no file {path}") from error


def _fetch(path: str, copy: Path) -> None:
    handle, temporary = tempfile.mkstemp(dir=copy.parent, prefix=f".{copy.name}.")
    try:
        with open(handle, "wb") as out, open_binary(path) as source:
            shutil.copyfileobj(source, out, 2**20)
        os.replace(temporary, copy)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(temporary)


def _trim(copies: Path, limit: int, wanted: Path) -> None:
    """Remove copies that no one uses, oldest use first, until the rest is within the limit, and what was abandoned."""
    found = []
    for copy in copies.iterdir():
        ours = _OURS.match(copy.name)  # the folder may have other files too
        if ours is None or copy.suffix == ".lock":
            continue
        with suppress(FileNotFoundError):
            state = copy.stat()
            if not ours[1]:
                found.append((state.st_mtime_ns, state.st_size, copy))
            elif time.time() - state.st_mtime > _ABANDONED:
                copy.unlink()
    total = sum(size for _, size, _ in found)
    for _, size, copy in sorted(found):
        if total <= limit:
            return
        if copy == wanted:
            continue
        with suppress(BlockingIOError, FileNotFoundError), _locked(copy, fcntl.LOCK_EX | fcntl.LOCK_NB):
            copy.unlink()
            copy.with_name(f"{copy.name}.lock").unlink()
            total -= size
