"""Stage download: images are fetched, checked, resized."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

import apache_beam as beam
import cv2

from transforms.fetch.http.download import Fetched, download
from transforms.fetch.http.settings import DownloadSettings
from transforms.fetch.lists.local import path_of, read_allowed
from transforms.flow.chunks import Chunk, chunk_items
from transforms.flow.items import Item, Outcome, kept, passed, rejected
from transforms.flow.stages import RowStage
from transforms.images.store import store_image
from transforms.tables.reasons import Rejected
from transforms.tables.rows import Image, ListedImage
from transforms.tables.schemas import derived


def download_images(settings: DownloadSettings) -> RowStage:
    """The stage download of a list of images."""
    return RowStage(
        name="download",
        reads="manifest",
        row_in=ListedImage,
        writes="images",
        row_out=Image,
        transform=partial(DownloadImages, settings=settings),
        settings={"fetch": settings},
        whole_chunks=True,
        much_python=True,
    )


def fetch_items(items: Sequence[Item[ListedImage]], settings: DownloadSettings) -> Iterator[Outcome[Image]]:
    """One outcome for each item, in the order in which the transfers end."""
    wanted: list[tuple[Item[ListedImage], ListedImage]] = []
    for item in items:
        if item.row is None:
            yield passed(item)
        else:
            wanted.append((item, item.row))
    for fetched in fetch_all([row.url for _, row in wanted], settings):
        item, row = wanted[fetched.number]
        try:
            yield kept(item, row.image_id, (image_row(row, fetched, settings),))
        except Rejected as why:
            yield rejected(item, row.image_id, why)


def fetch_all(urls: Sequence[str], settings: DownloadSettings) -> Iterator[Fetched]:
    """One result for each URL: first those that name files of this machine, then what comes from servers."""
    web: list[int] = []
    for number, url in enumerate(urls):
        try:
            path = path_of(url)
            if path is None:
                web.append(number)
            else:
                yield Fetched(number, read_allowed(path, settings.allow_paths, settings.max_bytes), None)
        except Rejected as why:
            yield Fetched(number, b"", why)
    for fetched in download([urls[number] for number in web], settings):
        yield replace(fetched, number=web[fetched.number])


def image_row(source: ListedImage, fetched: Fetched, settings: DownloadSettings) -> Image:
    """The row of a fetched file; Rejected says why there is none."""
    if fetched.error is not None:
        raise fetched.error
    try:
        stored = store_image(fetched.body, settings.accept, settings.store)
    except Rejected:
        raise
    except Exception as defect:  # whatever a decoder does with a hostile file, it costs this item only
        raise Rejected("internal_error", repr(defect)) from defect
    if len(stored.file) > settings.max_bytes:  # a JPEG as PNG has many times its bytes, and a shard a thousand of them
        raise Rejected("too_large_result", f"{len(stored.file)} bytes to store, more than {settings.max_bytes}")
    return derived(
        Image,
        source,
        image=stored.file,
        width=stored.width,
        height=stored.height,
        original_width=stored.original_width,
        original_height=stored.original_height,
        original_bytes=len(fetched.body),
        original_format=stored.original_format,
        sha256=hashlib.sha256(fetched.body).hexdigest(),
    )


class DownloadImages(beam.PTransform):
    """PCollection[Chunk] of `manifest` -> PCollection[Outcome[Image]]; a chunk is fetched whole, many URLs at once."""

    def __init__(self, run: str, settings: DownloadSettings) -> None:
        super().__init__()
        self._run, self._settings = run, settings

    def expand(self, chunks: beam.PCollection) -> beam.PCollection:
        """Fetch the chunks."""
        return chunks | "Fetch" >> beam.ParDo(_FetchChunk(self._run, self._settings))


class _FetchChunk(beam.DoFn):
    def __init__(self, run: str, settings: DownloadSettings) -> None:
        self._run, self._settings = run, settings

    def setup(self) -> None:
        cv2.setNumThreads(1)  # the runner's workers are the parallelism

    def process(self, chunk: Chunk) -> Iterator[Outcome[Image]]:
        yield from fetch_items(list(chunk_items(self._run, chunk, ListedImage)), self._settings)
