"""Files and folders, local or in an object store, through Beam's file systems: a file appears whole or not at all.

Writing goes to a temporary name and is moved into place by one rename (a local path) or is one object write (an object
store).
"""

import errno
import os
import re
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import BinaryIO

from apache_beam.io.filesystem import CompressionTypes
from apache_beam.io.filesystems import FileSystems

from transforms.disk import full, is_full
from transforms.tables.s3 import share_client
from transforms.tables.upload import http_status, upload

# what the systems say where a disk, or one file of it, can have no more links
_NO_LINKS = {errno.EXDEV, errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
_IN_MEMORY = 32 * 2**20  # bytes of an upload; more wait on the worker's disk

# else Google's client asks for the bucket's own record, for traces, beside every request that Beam makes
os.environ.setdefault("DISABLE_GCS_PYTHON_CLIENT_OTEL_BUCKET_METADATA", "true")
share_client()


def exists(path: str) -> bool:
    """Whether the file is there."""
    return bool(FileSystems.exists(path))


def is_local(path: str) -> bool:
    """Whether the path is on this machine's own file system."""
    return FileSystems.get_scheme(path) is None


def make_folder(path: str) -> None:
    """The folder is there afterwards; object stores need none."""
    if is_local(path):
        os.makedirs(path, exist_ok=True)


def is_folder(path: str) -> bool:
    """Whether there is a folder, or an object under that name as if it were one."""
    if is_local(path):
        return os.path.isdir(path)
    return exists(path) or bool(FileSystems.match([f"{path}/**"], limits=[1])[0].metadata_list)


def delete_folder(path: str) -> None:
    """The folder and all in it are gone afterwards; an object store has only the objects in it."""
    if is_local(path):
        if os.path.isdir(path):
            shutil.rmtree(path)
    elif FileSystems.exists(path):
        FileSystems.delete([path])
    else:
        FileSystems.delete([f"{path}/"])  # many objects a request, instead of three requests an object
        if is_folder(path):
            raise OSError(f"{path} cannot be deleted: some of its objects are still there; see the log for the reason.")


def delete_files(paths: Sequence[str]) -> None:
    """Delete files, and local folders that are empty then."""
    if not paths:
        return
    FileSystems.delete(list(paths))
    for folder in {os.path.dirname(path) for path in paths if is_local(path)}:
        with suppress(OSError):  # it is not empty
            os.removedirs(folder)


def open_binary(path: str) -> BinaryIO:
    """The file, to read; never decompressed on the way. FileNotFoundError if there is none, on any storage."""
    try:
        return FileSystems.open(path, compression_type=CompressionTypes.UNCOMPRESSED)  # type: ignore[no-any-return]
    except Exception as error:
        if http_status(error) == 404:
            raise FileNotFoundError(f"there is no file {path}") from error
        raise


@contextmanager
def commit_file(path: str) -> Iterator[BinaryIO]:
    """A file to write that takes its name only when the block ends without an error; DiskFull if there is no room."""
    if not is_local(path):
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as spool:
            yield spool  # type: ignore[misc]
            upload(spool, path)
        return
    folder, name = os.path.split(path)
    os.makedirs(folder or ".", exist_ok=True)
    temporary = os.path.join(folder, temporary_name(name))
    try:
        with open(temporary, "wb") as out:
            yield out
        _sync(temporary)
        os.replace(temporary, path)
    except OSError as error:
        if is_full(error):
            raise full(folder or ".") from error
        raise
    finally:
        if os.path.exists(temporary):
            os.unlink(temporary)


def commit_finished(source: str, path: str) -> None:
    """Give a finished file of this machine its name: moved there (from the same disk), or uploaded."""
    if not is_local(path):
        with open(source, "rb") as content:
            upload(content, path)
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    _sync(source)
    os.replace(source, path)


def link_file(source: str, path: str) -> None:
    """Have a file stand under a second name too: as a hard link where the disk has them, else as a copy."""
    if not is_local(path):
        FileSystems.copy([source], [path])
        return
    folder, name = os.path.split(path)
    os.makedirs(folder, exist_ok=True)
    if os.path.exists(path) and os.path.samefile(source, path):  # renaming one name of a file to another does nothing
        return
    temporary = os.path.join(folder, temporary_name(name))
    try:
        os.link(source, temporary)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        with open(source, "rb") as content, commit_file(path) as out:
            shutil.copyfileobj(content, out, 2**20)
    else:
        os.replace(temporary, path)


def _sync(path: str) -> None:
    """Have the file on the disk itself: else a power cut after the rename may leave an empty file of the name."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def temporary_name(name: str) -> str:
    """A new name beside `name` for what is not finished."""
    return f".{name}.{uuid.uuid4().hex}"


def is_temporary(name: str) -> bool:
    """Whether it is a name for what is not finished, as of `commit_file`, so that it may go when no one is writing."""
    return re.fullmatch(r"\..+\.[0-9a-f]{32}", name) is not None
