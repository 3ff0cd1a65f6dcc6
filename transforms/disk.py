"""A full disk is nobody's fault but this machine's: it ends the job, and no item is blamed for it."""

import errno

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class DiskFull(OSError):
    """This machine has no room for what the run writes; the message says where."""


def is_full(error: BaseException) -> bool:
    """Whether the error, or one that led to it, says that a disk or a quota of this machine is full."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        if isinstance(link, DiskFull) or (isinstance(link, OSError) and link.errno in FULL):
            return True
        seen.add(id(link))
        link = link.__cause__ or link.__context__
    return False


def full(folder: str) -> DiskFull:
    """The error for a folder of this machine."""
    return DiskFull(
        f"the disk of {folder} is full; make room, and give the same command again: it goes on from what is committed."
    )
