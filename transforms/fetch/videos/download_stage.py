"""Stage download: videos are looked at, fetched, probed, and kept in the media folder of the run."""

import importlib.util
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from functools import partial

import apache_beam as beam

from transforms.fetch.videos.downloads import fetch_videos
from transforms.fetch.videos.media_store import Stored
from transforms.fetch.videos.settings import VideoDownloadSettings
from transforms.flow.chunks import Chunk, chunk_items
from transforms.flow.items import Item, Outcome, kept, passed, rejected
from transforms.flow.stages import RowStage
from transforms.tables.reasons import Rejected
from transforms.tables.schemas import derived
from transforms.tables.video_rows import ListedVideo, Video


def download_videos(settings: VideoDownloadSettings) -> RowStage:
    """The stage download of a list of videos."""
    return RowStage(
        name="download",
        reads="manifest",
        row_in=ListedVideo,
        writes="videos",
        row_out=Video,
        transform=partial(DownloadVideos, settings=settings),
        settings={"fetch": settings},
        whole_chunks=True,
        files=("media",),
    )


def fetch_items(
    items: Sequence[Item[ListedVideo]], run: str, settings: VideoDownloadSettings
) -> Iterator[Outcome[Video]]:
    """One outcome for each item, in the order in which the downloads end."""
    wanted: list[tuple[Item[ListedVideo], ListedVideo]] = []
    for item in items:
        if item.row is None:
            yield passed(item)
        else:
            wanted.append((item, item.row))
    for number, result in fetch_videos([row for _, row in wanted], run, settings):
        item, row = wanted[number]
        if isinstance(result, Rejected):
            yield rejected(item, row.video_id, result)
        else:
            yield kept(item, row.video_id, (video_row(row, result),))


def video_row(source: ListedVideo, stored: Stored) -> Video:
    """The row of a video of the run."""
    return derived(
        Video,
        source,
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
        yield from fetch_items(list(chunk_items(self._run, chunk, ListedVideo)), self._run, self._settings)
