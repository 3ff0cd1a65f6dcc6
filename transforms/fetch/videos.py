"""Rows of the manifest become rows of `videos`: looked at, fetched, probed, and kept in the run's media folder."""

import importlib.util
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict

import apache_beam as beam

from transforms.fetch.media_store import Stored
from transforms.fetch.video_downloads import download_videos
from transforms.fetch.video_settings import VideoDownloadSettings
from transforms.tables.chunks import Chunk, chunk_items
from transforms.tables.flow import Item, Outcome, kept, passed, rejected
from transforms.tables.reasons import Rejected
from transforms.tables.video_schemas import Video, VideoSource


def fetch_items(
    items: Sequence[Item[VideoSource]], run: str, settings: VideoDownloadSettings
) -> Iterator[Outcome[Video]]:
    """One outcome for each item, in the order in which the downloads end."""
    wanted: list[tuple[Item[VideoSource], VideoSource]] = []
    for item in items:
        if item.row is None:
            yield passed(item)
        else:
            wanted.append((item, item.row))
    for number, result in download_videos([row for _, row in wanted], run, settings):
        item, row = wanted[number]
        if isinstance(result, Rejected):
            yield rejected(item, row.video_id, result)
        else:
            yield kept(item, row.video_id, (video_row(row, result),))


def video_row(source: VideoSource, stored: Stored) -> Video:
    """The row of a video of the run."""
    return Video(
        video_id=source.video_id,
        url=source.url,
        label=source.label,
        source=source.source,
        spans=source.spans,
        media=stored.media,
        bytes=stored.bytes,
        sha256=stored.sha256,
        origin=json.dumps(stored.origin, ensure_ascii=False, sort_keys=True),
        **asdict(stored.info),
    )


class DownloadVideos(beam.PTransform):
    """PCollection[Chunk] of `manifest` -> PCollection[Outcome[Video]]; a chunk is fetched whole, many at once."""

    def __init__(self, run: str, settings: VideoDownloadSettings) -> None:
        super().__init__()
        self._run, self._settings = run, settings

    def expand(self, chunks: beam.PCollection) -> beam.PCollection:
        """Fetch the chunks."""
        return chunks | "Fetch videos" >> beam.ParDo(_FetchChunk(self._run, self._settings))


class _FetchChunk(beam.DoFn):
    def __init__(self, run: str, settings: VideoDownloadSettings) -> None:
        self._run, self._settings = run, settings

    def setup(self) -> None:
        if importlib.util.find_spec("yt_dlp") is None:
            raise ModuleNotFoundError(
                "Downloading videos needs yt-dlp, which is not installed: pip install 'manyfaces[video]'."
            )
        if self._settings.cookies and not os.path.isfile(self._settings.cookies):
            raise FileNotFoundError(
                f"fetch.cookies: the worker has no file {self._settings.cookies}; put it there, or leave cookies out."
            )

    def process(self, chunk: Chunk) -> Iterator[Outcome[Video]]:
        yield from fetch_items(list(chunk_items(self._run, chunk, VideoSource)), self._run, self._settings)
