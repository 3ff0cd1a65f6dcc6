"""Rows of the manifest become rows of `images`: fetched, checked, resized."""

import hashlib
from collections.abc import Iterator, Sequence

import apache_beam as beam
import cv2

from transforms.fetch.download import Fetched, download
from transforms.fetch.settings import DownloadSettings
from transforms.media.store import store_image
from transforms.tables.chunks import Chunk, chunk_items
from transforms.tables.flow import Item, Outcome, kept, passed, rejected
from transforms.tables.reasons import Rejected
from transforms.tables.schemas import Image, Source


def fetch_items(items: Sequence[Item[Source]], settings: DownloadSettings) -> Iterator[Outcome[Image]]:
    """One outcome for each item, in the order in which the transfers end."""
    wanted: list[tuple[Item[Source], Source]] = []
    for item in items:
        if item.row is None:
            yield passed(item)
        else:
            wanted.append((item, item.row))
    for fetched in download([row.url for _, row in wanted], settings):
        item, row = wanted[fetched.number]
        try:
            yield kept(item, row.image_id, (image_row(row, fetched, settings),))
        except Rejected as why:
            yield rejected(item, row.image_id, why)


def image_row(source: Source, fetched: Fetched, settings: DownloadSettings) -> Image:
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
    return Image(
        image_id=source.image_id,
        url=source.url,
        label=source.label,
        source=source.source,
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
        yield from fetch_items(list(chunk_items(self._run, chunk, Source)), self._settings)
