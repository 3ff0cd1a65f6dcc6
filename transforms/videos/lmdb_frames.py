"""Frames in LMDB: one small database a clip, PNG images under counted keys."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from model_handlers.interface import Pixels
from transforms.disk import full
from transforms.images.encode import encode

DATA = "data.mdb"  # the file of a database's folder that has all that is in it
_AT_ONCE = 32  # images of a transaction, which are in memory until it ends
_PAGE = 4096  # bytes
_MISSING = 'LMDB files need the package lmdb, which is not installed: pip install "manyfaces[video]".'


def key(number: int) -> bytes:
    """The key of an image: ten ASCII digits."""
    return b"%010d" % number


@contextmanager
def lmdb_frames(folder: str, count: int, side: int) -> Iterator[Callable[[Pixels], None]]:
    """A function that adds the next image (side, side, 3) to a new database in the folder, `count` of them at most.

    The values are PNG files of the RGB images, under the keys 0 to count - 1. The same images give the same bytes.
    """
    try:
        import lmdb
    except ImportError:
        raise ModuleNotFoundError(_MISSING) from None
    largest = 3 * side * side + side * side // 8 + 16 * _PAGE  # of a PNG and its pages; what is not used is not on disk
    with lmdb.open(folder, map_size=(count + 16) * -(-largest // _PAGE) * _PAGE, lock=False, sync=False) as database:
        waiting: list[bytes] = []
        written = 0

        def flush() -> None:
            nonlocal written
            try:
                with database.begin(write=True) as transaction:
                    for image in waiting:
                        transaction.put(key(written), image, append=True)
                        written += 1
            except lmdb.Error as error:  # its map has room for all: so it is the disk, which LMDB calls input/output
                raise full(folder) from error
            waiting.clear()

        def add(image: Pixels) -> None:
            waiting.append(encode(image, "png", 0))
            if len(waiting) == _AT_ONCE:
                flush()

        yield add
        flush()
