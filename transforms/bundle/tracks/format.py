"""What every format of tracks is: something that writes the tracks of a video, and of all videos, to files."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import BinaryIO

from transforms.tables.track_rows import PlannedVideo, Track


@dataclass(frozen=True, slots=True, eq=False)
class VideoTracks:
    """A video with its tracks, which are read when they are asked for.

    seen(): the frames (T,) that were looked at, ascending, those without an object too.
    tracks(): by shot, and in a shot by their first frame. All of one video are in memory.
    """

    video: PlannedVideo
    seen: Callable[[], Sequence[int]]
    tracks: Callable[[], Sequence[Track]]


Open = Callable[[str], AbstractContextManager[BinaryIO]]


@dataclass(frozen=True, slots=True)
class TrackFormat:
    """A way to write tracks; paths are below the format's folder, `bundle/<name>`, with `/` between their parts.

    name: of its folder; no other format of a bundle has it.
    video_files(video_id): the files of one video; whatever else is in the folder is deleted.
    write_video(video, open): writes these; a file that `open` gives appears whole when its block ends without an error.
    bundle_files: the files of all videos.
    write_bundle(videos, open): writes these, on one worker after all others; the videos come one by one.
    The same tracks must give the same bytes.
    """

    name: str
    video_files: Callable[[str], Sequence[str]]
    write_video: Callable[[VideoTracks, Open], None]
    bundle_files: tuple[str, ...] = ()
    write_bundle: Callable[[Iterable[VideoTracks], Open], None] | None = None
