"""The bundle formats by name."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from transforms.bundle import recordio, tfrecord, webdataset
from transforms.bundle.settings import SinkName
from transforms.bundle.sink import Sink


@dataclass(frozen=True, slots=True)
class Format:
    """A way to write samples: `open` takes a path stem, `suffixes` are of the files that it leaves."""

    open: Callable[[str], AbstractContextManager[Sink]]
    suffixes: tuple[str, ...]


FORMATS: dict[SinkName, Format] = {
    "recordio": Format(recordio.open_recordio, recordio.SUFFIXES),
    "webdataset": Format(webdataset.open_webdataset, webdataset.SUFFIXES),
    "tfrecord": Format(tfrecord.open_tfrecord, tfrecord.SUFFIXES),
}
