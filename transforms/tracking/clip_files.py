"""The clips of a track: its box, cut out of every frame from the first to the last, as MP4 files."""

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from model_handlers.geometry import sized
from model_handlers.interface import Array
from transforms.tables.digest import file_digest
from transforms.tables.item_ids import safe_id
from transforms.tables.reasons import Rejected
from transforms.tables.schemas import derived
from transforms.tables.track_rows import Track, TrackClip
from transforms.tables.trackverse import class_label, track_hash
from transforms.tracking.box_path import boxes_at
from transforms.tracking.clip_boxes import ClipBoxes, clip_boxes, parts, smooth
from transforms.tracking.clip_settings import TrackClipSettings, percent
from transforms.tracking.cut_box import cut_box
from transforms.videos.clip_writer import open_mp4
from transforms.videos.covering import Covering, Paint
from transforms.videos.frame_cache import frame_pixels, frame_times
from transforms.videos.library import add_file, video_folder

TABLE = "clips"
_LABEL = 80  # characters of a class's name in the name of a file


def cut_track(run: str, settings: TrackClipSettings, covering: Covering | None, track: Track) -> tuple[TrackClip, ...]:
    """Write the clips of a track; returns a row for each, by part, then by expansion.

    Frames are decoded and covered once for all expansions, one of them in memory at a time. Rejected `broken_frame` if
    the video has not all of the track's frames or one does not decode, or as the reader and `covering` say.
    """
    times, seconds = frame_times(run, track.media)
    if not 0 <= track.first_frame <= track.last_frame < len(times):
        raise Rejected("broken_frame", f"{track.last_frame} of {len(times)} frames")
    stops = np.append(times, seconds)[track.first_frame : track.last_frame + 2].tolist()
    own = np.array(stops[:-1])
    path = smooth(own, boxes_at(np.array(track.times), track.boxes, own), settings.smoothing)
    frame = track.width, track.height
    views = [clip_boxes(path, frame, expansion, settings) for expansion in settings.expansions]
    paint = None if covering is None else covering.paint(run, track.shot_id)
    rows: list[TrackClip] = []
    for number, part in enumerate(parts(stops[:-1], stops[-1], settings)):
        names = [_file(track, expansion, number, settings) for expansion in settings.expansions]
        files = _write_part(run, settings, track, paint, views, part, stops, names)
        for expansion, view, name, (size, sha256) in zip(settings.expansions, views, names, files, strict=True):
            rows.append(
                derived(
                    TrackClip,
                    track,
                    clip_id=_clip_id(track, expansion, number),
                    expansion=expansion,
                    file=name,
                    bytes=size,
                    sha256=sha256,
                    first_frame=track.first_frame + part.start,
                    end_frame=track.first_frame + part.stop,
                    start=stops[part.start],
                    end=stops[part.stop],
                    width=view.width,
                    height=view.height,
                    boxes=view.boxes[part.start : part.stop],
                    covered=paint is not None,
                )
            )
    return tuple(rows)


def _write_part(
    run: str,
    settings: TrackClipSettings,
    track: Track,
    paint: Paint | None,
    views: Sequence[ClipBoxes],
    part: range,
    stops: Sequence[float],
    names: Sequence[str],
) -> list[tuple[int, str]]:
    """Write a clip for each view of some frames of the track; returns their sizes and SHA-256.

    `stops` are the times of all its frames, and the last one's end.
    """
    with tempfile.TemporaryDirectory(prefix="manyfaces-clip-") as folder:
        paths = [f"{folder}/{number}.mp4" for number in range(len(views))]
        with ExitStack() as opened:
            when = (stops[part.start : part.stop], stops[part.stop], settings.encode)
            writers = [opened.enter_context(open_mp4(path, *when)) for path in paths]
            for place in part:
                number = track.first_frame + place
                pixels = frame_pixels(run, track.media, number)
                pixels = pixels if paint is None else paint(number, pixels)
                for write, view in zip(writers, views, strict=True):
                    write(cut_box(pixels, view.boxes[place], (view.width, view.height)))
        for path, name in zip(paths, names, strict=True):
            add_file(run, name, path)
        return [(Path(path).stat().st_size, file_digest(path)) for path in paths]


def _clip_id(track: Track, expansion: float, part: int) -> str:
    return f"{track.track_id}-x{percent(expansion)}{_part(part)}"


def _file(track: Track, expansion: float, part: int, settings: TrackClipSettings) -> str:
    if settings.layout == "ids":
        return f"{video_folder(TABLE, track.video_id)}/{_clip_id(track, expansion, part)}.mp4"
    name = trackverse_name(track.video_id, track.class_name, track.times, track.boxes)
    return f"{TABLE}/BoxExp{float(expansion)}/{name}{_part(part)}.mp4"


def _part(number: int) -> str:
    return f"-p{number}" if number else ""


def trackverse_name(video_id: str, class_name: str, times: Sequence[float], boxes: Array) -> str:
    """TrackVerse's name of a track's clip, without its suffix: `<two characters>/<video_id>-<class>-<hash>`.

    The hash is that of the track in the file of tracks. Characters that have no place in a file's name are replaced.
    """
    label = safe_id(class_label(class_name).replace(" ", "-"))[:_LABEL]
    return f"{video_id[:2]}/{video_id}-{label}-{track_hash(video_id, times, sized(boxes).tolist())}"
