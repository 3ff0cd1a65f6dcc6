"""WebDataset: tar shards in which a sample is `<key>.jpg`, `<key>.json` and `<key>.cls`.

The key is the record's number in 12 digits, so it is a safe name whatever the ids look like; the ids are in the JSON.
"""

import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from transforms.bundle.shard_list import shard_list
from transforms.bundle.sink import Format, Sample, beside
from transforms.tables.files import commit_file


class WebDatasetSink:
    """Writes the members of a tar one after another: a TarFile would remember them all.

    Owner, mode and time are constants, so that equal samples give equal bytes.
    """

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def add(self, sample: Sample) -> None:
        """Append the three files of one sample."""
        key = f"{sample.record:012d}"
        self._file(f"{key}.jpg", sample.image)
        self._file(f"{key}.json", sample.describe().encode())
        self._file(f"{key}.cls", str(sample.identity).encode())

    def finish(self) -> None:
        """Write the two empty blocks that end a tar."""
        self._out.write(bytes(2 * tarfile.BLOCKSIZE))

    def _file(self, name: str, content: bytes) -> None:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        member.mode = 0o444
        self._out.write(member.tobuf(tarfile.USTAR_FORMAT))
        self._out.write(content)
        self._out.write(bytes(-len(content) % tarfile.BLOCKSIZE))


@contextmanager
def open_webdataset(stem: str) -> Iterator[WebDatasetSink]:
    """Write `<stem>.tar`."""
    with commit_file(f"{stem}.tar") as out:
        sink = WebDatasetSink(out)
        yield sink
        sink.finish()


FORMAT = Format("webdataset", open_webdataset, beside(".tar"), cut=True, whole=shard_list(".tar"))
