"""Where the samples of a bundle go: for each format its folder, the stems of its parts, one sink for all of them."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count

import pyarrow as pa
from apache_beam.io.filesystems import FileSystems

from transforms.bundle.formats import load_format
from transforms.bundle.settings import BundleSettings
from transforms.bundle.sink import Format, Part, Picture, Sample, Sink

FOLDER = "bundle"


@dataclass(frozen=True, slots=True)
class Output:
    """One kind of picture in one format; `kind` is how its files' names begin, `size` how many samples a part has."""

    picture: Picture
    form: Format
    folder: str
    kind: str
    size: int
    parts_a_file: int

    def stem(self, name: str, place: int) -> str:
        """The stem of the part at this place, from 0, of the bundle file `name`."""
        number = int(name) * self.parts_a_file + place
        return str(FileSystems.join(self.folder, f"{self.kind}-{number:06d}"))

    def parts(self, name: str, entries: pa.Table) -> list[Part]:
        """The parts of a bundle file, one at least; `entries` has record and identity of its samples, in order."""
        records, identities = (entries[column].to_numpy() for column in ("record", "identity"))
        starts = range(0, max(1, len(records)), self.size)
        return [
            Part(self.stem(name, place), records[start : start + self.size], identities[start : start + self.size])
            for place, start in enumerate(starts)
        ]

    def open(self, name: str) -> AbstractContextManager[Sink]:
        """A sink for the samples of a bundle file, in order."""
        return _cut(self.form, (self.stem(name, place) for place in count()), self.size)


def outputs(run: str, settings: BundleSettings) -> list[Output]:
    """Every kind of picture in every format that writes it."""
    kinds: dict[Picture, str] = {"body": settings.bodies, "face": settings.faces, "aligned": settings.faces}
    found, most = [], settings.records_per_file
    for picture, kind in kinds.items():
        for form in map(load_format, settings.sinks):
            if picture in form.pictures:
                folder = str(FileSystems.join(run, FOLDER, kind, form.name))
                size = min(settings.samples_per_file, most) if form.cut else most
                found.append(Output(picture, form, folder, kind, size, -(-most // size)))
    return found


def output_files(run: str, name: str, settings: BundleSettings, entries: pa.Table) -> Iterator[str]:
    """The paths of all files that the formats make of a bundle file; `entries` has the columns record and identity."""
    for output in outputs(run, settings):
        for part in output.parts(name, entries):
            yield from output.form.files(part.stem, part.records, part.identities)


class _CutSink:
    """Hands so many samples to each sink; a sink is closed, and its file there, before the next is opened."""

    def __init__(self, form: Format, stems: Iterator[str], size: int, opened: ExitStack) -> None:
        self._form, self._stems, self._size, self._opened = form, stems, size, opened
        self._next()

    def _next(self) -> None:
        self._opened.close()
        self._sink, self._left = self._opened.enter_context(self._form.open(next(self._stems))), self._size

    def add(self, sample: Sample) -> None:
        """Append one sample."""
        if not self._left:
            self._next()
        self._left -= 1
        self._sink.add(sample)


@contextmanager
def _cut(form: Format, stems: Iterator[str], size: int) -> Iterator[Sink]:
    with ExitStack() as opened:
        yield _CutSink(form, stems, size, opened)
