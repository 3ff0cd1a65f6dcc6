"""Files in the model cache: they appear whole or not at all, one process at a time makes each."""

import fcntl
import hashlib
import os
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from model_handlers.errors import ModelError

_CHUNK = 1 << 20


class Readable(Protocol):
    """A binary file, as far as copying needs one."""

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes, none at the end."""


def root() -> Path:
    """The cache's folder: $MANYFACES_CACHE, or ~/.cache/manyfaces."""
    configured = os.environ.get("MANYFACES_CACHE")
    return Path(configured).expanduser() if configured else Path.home() / ".cache" / "manyfaces"


def safe_name(text: str) -> str:
    """A file name made of the end of a text: letters, digits, dot, dash and underscore only, never hidden."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text)[-80:].lstrip(".-") or "file"


def sha256_of(path: Path) -> str:
    """The file's SHA-256, in lower-case hexadecimal; 25 MB take about 15 ms."""
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
        return digest.hexdigest()


def copy_capped(source: Readable, target: Path, limit: int, what: str) -> None:
    """Write what the source holds into the target; ModelError as soon as that is more than `limit` bytes."""
    copied = 0
    with target.open("wb") as out:
        while chunk := source.read(_CHUNK):
            copied += len(chunk)
            if copied > limit:
                raise ModelError(f"{what} is larger than the limit of {limit} bytes; nothing of it was kept")
            out.write(chunk)


@contextmanager
def unfinished(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`, deleted at the end if it is still there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Only one process at a time is inside for this path; the others wait. The lock dies with its process."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        opened = path.with_name(f".{path.name}.lock").open("w")
    except OSError as error:
        raise ModelError(
            f"the model cache cannot be written: {error}; set MANYFACES_CACHE to another folder"
        ) from error
    with opened as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
