"""Taking one member out of a zip or a gzipped tar: nothing else is written, and no path of the archive is used."""

import gzip
import stat
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO, cast

from model_handlers.errors import ModelError
from model_handlers.weights.cache import Readable, copy_capped

MAX_MEMBER = 2**30
MAX_UNPACKED = 2**30  # of a whole tar, which must be unpacked up to the member
_ZIP, _TAR = (".whl", ".zip"), (".tar.gz", ".tgz")
_BROKEN = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError)


class MemberAbsent(ModelError):
    """The archive has no such member."""


class _Capped:
    """A reader that refuses to give more than `limit` bytes in all."""

    def __init__(self, file: Readable, limit: int, what: str) -> None:
        self.file, self.left, self.what = file, limit, what

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes."""
        data = self.file.read(size)
        self.left -= len(data)
        if self.left < 0:
            raise ModelError(f"{self.what} unpacks to more than the limit; nothing of it was kept")
        return data


def extract_member(
    archive: Path, member: str, target: Path, *, max_member: int = MAX_MEMBER, max_unpacked: int = MAX_UNPACKED
) -> None:
    """Write the regular file `member` of the archive to `target`.

    A member `*/path` is the file `path` in whatever one folder a tar has at its top. MemberAbsent when there is no such
    file, ModelError when it is no file, larger than allowed, or the archive is broken.
    """
    what = f"{member} in {archive}"
    try:
        if archive.name.endswith(_ZIP):
            _from_zip(archive, member, target, max_member, what)
        elif archive.name.endswith(_TAR):
            _from_tar(archive, member, target, max_member, max_unpacked, what)
        else:
            raise ModelError(f"{archive} is neither {' nor '.join(_ZIP + _TAR)}")
    except _BROKEN as error:
        raise ModelError(f"{what} cannot be read: {error}; delete the archive to have it fetched again") from error


def _from_zip(archive: Path, member: str, target: Path, limit: int, what: str) -> None:
    with zipfile.ZipFile(archive) as opened:
        try:
            found = opened.getinfo(member)
        except KeyError:
            raise _absent(what, opened.namelist()) from None
        mode = found.external_attr >> 16
        if found.is_dir() or (stat.S_IFMT(mode) and not stat.S_ISREG(mode)):
            raise ModelError(f"{what} is a link or folder, not a file")
        with opened.open(found) as source:
            copy_capped(source, target, limit, what)


def _from_tar(archive: Path, member: str, target: Path, limit: int, unpacked: int, what: str) -> None:
    names = []
    with gzip.open(archive) as plain:
        capped = cast(BinaryIO, _Capped(cast(Readable, plain), unpacked, str(archive)))
        with tarfile.open(fileobj=capped, mode="r|") as opened:
            for found in opened:
                names.append(found.name)
                name = "*/" + found.name.partition("/")[2] if member.startswith("*/") else found.name
                if name != member:
                    continue
                source = opened.extractfile(found) if found.isreg() else None
                if source is None:
                    raise ModelError(f"{what} is a link or folder, not a file")
                copy_capped(cast(Readable, source), target, limit, what)
                return
    raise _absent(what, names)


def _absent(what: str, names: list[str]) -> MemberAbsent:
    tail = what.split(" in ", 1)[0].rpartition("/")[2]
    alike = [name for name in names if name.rpartition("/")[2] == tail][:3]
    hint = f"; it has {', '.join(alike)}" if alike else f"; it has {len(names)} others"
    return MemberAbsent(f"there is no {what}{hint}")
