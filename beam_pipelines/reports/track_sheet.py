"""A picture of a run's tracks: a row for each, with the object cut out of frames from first to last."""

from collections.abc import Iterator
from itertools import chain, islice

import cv2
import numpy as np

from beam_pipelines.reports.contact_sheet import CELL, stack, strip
from model_handlers.interface import Array
from transforms.tables.shards import iter_rows, iter_tables, shard_names, shard_path
from transforms.tables.track_rows import Track
from transforms.tracking.clip_boxes import clip_boxes
from transforms.tracking.clip_settings import TrackClipSettings
from transforms.tracking.cut_box import cut_box
from transforms.videos.covering import Covering
from transforms.videos.frame_cache import frame_pixels

MAX_TRACKS = 16
FRAMES = 8
_MARGIN = 0.2  # around the object, share of its size


def write_track_sheet(run: str, path: str, covering: Covering | None = None) -> int:
    """Write the first tracks that are not left out; returns the number of tracks on it.

    Frames are covered where `covering` is given, before anything is shown of them.
    """
    return stack([_strip(run, track, covering) for track in tracks(run, MAX_TRACKS)], "no track was kept", path)


def tracks(run: str, most: int) -> list[Track]:
    """The first tracks that are not left out."""
    out = set(chain.from_iterable(table["track_id"].to_pylist() for table in iter_tables(run, "left_out")))
    shards = (iter_rows(shard_path(run, "tracks", name), Track) for name in shard_names(run, "tracks"))
    kept = (track for track in chain.from_iterable(shards) if track.track_id not in out)
    return list(islice(kept, most))


def _strip(run: str, track: Track, covering: Covering | None) -> Array:
    sure, seconds = f"{track.class_name} {track.class_score:.2f}", track.end - track.start
    title = f"{track.track_id}: {sure}, {len(track.numbers)} frames, {seconds:.1f} s"
    return strip(title, list(pictures(run, track, covering)))


def pictures(run: str, track: Track, covering: Covering | None) -> Iterator[Array]:
    """The object of a track in some frames from first to last, (CELL,W,3) BGR, covered where `covering` says how."""
    places = np.unique(np.linspace(0, len(track.numbers) - 1, FRAMES).astype(np.int64))
    view = clip_boxes(track.boxes[places], (track.width, track.height), _MARGIN, TrackClipSettings())
    size = round(CELL * view.width / view.height), CELL
    paint = None if covering is None else covering.paint(run, track.shot_id)
    for place, box in zip(places.tolist(), view.boxes, strict=True):
        number = track.numbers[place]
        pixels = frame_pixels(run, track.media, number)
        pixels = pixels if paint is None else paint(number, pixels)
        yield cv2.cvtColor(cut_box(pixels, box, size), cv2.COLOR_RGB2BGR)
