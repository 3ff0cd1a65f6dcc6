"""A sink that writes a file for each image, as torchvision's ImageFolder reads them: a folder for each identity.

A configuration names it as `bundle: {sinks: [examples.image_folder:FORMAT]}`. The bodies are then in
`<run>/bundle/bodies/imagefolder`, the faces in `<run>/bundle/faces/imagefolder`; ImageFolder numbers the folders by
their names, so that its classes are the identities. On an object store each image is a request of its own.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from apache_beam.io.filesystems import FileSystems

from transforms.bundle.sink import Format, Numbers, Sample
from transforms.tables.files import commit_file

MOST_IDENTITIES = 10**6  # six digits: with more, the order of the folders' names would not be that of the numbers


class ImageFolderSink:
    """Writes `<folder>/<identity>/<record>.jpg`, each file whole or not at all."""

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def add(self, sample: Sample) -> None:
        """Write one image; ValueError for an identity whose number has more than six digits."""
        if sample.identity >= MOST_IDENTITIES:
            raise ValueError(f"identity {sample.identity}: an image folder holds {MOST_IDENTITIES} of them")
        with commit_file(image_path(self._folder, sample.identity, sample.record)) as out:
            out.write(sample.image)


def image_path(folder: str, identity: int, record: int) -> str:
    """Where an image lies: 6 digits for its identity, 12 for its number in the bundle."""
    return str(FileSystems.join(folder, f"{identity:06d}", f"{record:012d}.jpg"))


@contextmanager
def open_image_folder(stem: str) -> Iterator[ImageFolderSink]:
    """The sink of one bundle file, whose samples go into folders beside `<folder>/<name>`, its stem."""
    yield ImageFolderSink(FileSystems.split(stem)[0])


def image_files(stem: str, records: Numbers, identities: Numbers) -> Iterator[str]:
    """The paths of a bundle file's images; a file that is none of these is deleted from the folder."""
    folder = FileSystems.split(stem)[0]
    for record, identity in zip(records.tolist(), identities.tolist(), strict=True):
        yield image_path(folder, identity, record)


FORMAT = Format("imagefolder", open_image_folder, image_files)
