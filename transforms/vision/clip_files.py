"""The files of a clip: frames of a span, cut out, as MP4, in LMDB, and their sound."""

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model_handlers.geometry import cut_out, resize
from model_handlers.interface import Array, Pixels
from transforms.tables.digest import file_digest
from transforms.tables.reasons import Rejected
from transforms.tables.video_rows import FaceSpan
from transforms.videos.audio import cut_audio
from transforms.videos.clip_writer import write_mp4
from transforms.videos.covering import Covering, Paint
from transforms.videos.frame_cache import frame_pixels, frame_times
from transforms.videos.library import add_file, local_file, video_folder
from transforms.videos.lmdb_frames import DATA, lmdb_frames
from transforms.vision.clip_settings import ClipSettings
from transforms.vision.crops import union_square
from transforms.vision.quality import sharpness

TABLE = "clips"
MAX_SIDE = 8192  # pixels, of a clip's frames; the face of an 8K film that fills it has 6,048 with the default margin
SIDE = 224  # pixels, of the frames that are scored
_FIRST = 5  # frames that are compared
_DRAWN = 2  # frames whose quality is scored


@dataclass(frozen=True, slots=True, eq=False)
class ClipFiles:
    """What was written of a span, below the run's folder, and the frames that are scored."""

    span: FaceSpan
    crop_box: Array
    start: float
    end: float
    file: str
    bytes: int
    sha256: str
    lmdb: str | None
    lmdb_frames: int | None
    audio: str | None
    sharpness: float
    first: tuple[Pixels, ...]  # the first frames
    drawn: tuple[Pixels, ...]  # the frames that were drawn, SIDE pixels


def write_clip(run: str, settings: ClipSettings, span: FaceSpan, covering: Covering | None = None) -> ClipFiles:
    """Write the clip's files; what `covering` covers is seen in none of them.

    Rejected `too_large_result` if its frames would be larger than MAX_SIDE, `broken_frame` if one of the video's does
    not decode, or as the reader says.
    """
    box = union_square(span.boxes, settings.margin)
    if (side := int(box[2] - box[0])) > MAX_SIDE:
        raise Rejected("too_large_result", f"a clip of {side} x {side}, more than {MAX_SIDE}")
    paint = None if covering is None else covering.paint(run, span.shot_id)
    times, seconds = frame_times(run, span.media)
    starts = np.append(times, seconds)[span.first_frame : span.end_frame + 1].tolist()
    name = f"{video_folder(TABLE, span.video_id)}/{span.span_id}"
    with tempfile.TemporaryDirectory(prefix="manyfaces-clip-") as folder:
        with _store(settings, f"{folder}/lmdb", span, box) as store:
            seen = _Seen(span, settings.lmdb_every, store)
            frames = _frames(run, span, box, seen, paint)
            write_mp4(f"{folder}/mp4", frames, starts[:-1], starts[-1], settings.encode)
        add_file(run, f"{name}.mp4", f"{folder}/mp4")
        if settings.lmdb:
            add_file(run, f"{name}.lmdb/{DATA}", f"{folder}/lmdb/{DATA}")
        has_sound = settings.audio and _cut_sound(run, span.media, starts, settings.mono, f"{folder}/wav")
        if has_sound:
            add_file(run, f"{name}.wav", f"{folder}/wav")
        size, sha256 = Path(folder, "mp4").stat().st_size, file_digest(f"{folder}/mp4")
    return ClipFiles(
        span=span,
        crop_box=box,
        start=starts[0],
        end=starts[-1],
        file=f"{name}.mp4",
        bytes=size,
        sha256=sha256,
        lmdb=f"{name}.lmdb" if settings.lmdb else None,
        lmdb_frames=seen.stored if settings.lmdb else None,
        audio=f"{name}.wav" if has_sound else None,
        sharpness=float(np.mean(seen.sharpness)),
        first=tuple(seen.first),
        drawn=tuple(seen.drawn),
    )


class _Seen:
    """What is kept of the frames of a clip as they pass by; one in `every` goes to `store`, if that is given."""

    def __init__(self, span: FaceSpan, every: int, store: Callable[[Pixels], None] | None) -> None:
        self._every, self._store = every, store
        self._samples = {number - span.first_frame for number in span.numbers}
        self._wanted = set(draw(span.span_id, span.end_frame - span.first_frame, _DRAWN))
        self.first: list[Pixels] = []
        self.drawn: list[Pixels] = []
        self.sharpness: list[float] = []
        self.stored = 0

    def look(self, number: int, image: Pixels) -> None:
        """Frame `number` of the clip."""
        if number < _FIRST:
            self.first.append(image)
        if number in self._samples:
            self.sharpness.append(sharpness(resize(image, SIDE, SIDE)))
        if number in self._wanted:
            self.drawn.append(resize(image, SIDE, SIDE))
        if self._store is not None and number % self._every == 0:
            self._store(image)
            self.stored += 1


def _store(
    settings: ClipSettings, folder: str, span: FaceSpan, box: Array
) -> AbstractContextManager[Callable[[Pixels], None] | None]:
    count = -(-(span.end_frame - span.first_frame) // settings.lmdb_every)
    return lmdb_frames(folder, count, int(box[2] - box[0])) if settings.lmdb else nullcontext()


def draw(clip_id: str, frames: int, count: int) -> list[int]:
    """`count` frames of a clip, ascending; as if by chance, but always the same for one clip."""
    lots = sorted(range(frames), key=lambda number: hashlib.sha256(f"{clip_id}/{number}".encode()).digest())
    return sorted(lots[:count])


def _frames(run: str, span: FaceSpan, box: Array, seen: _Seen, paint: Paint | None) -> Iterator[Pixels]:
    corners = [int(value) for value in box]
    for number in range(span.first_frame, span.end_frame):
        whole = frame_pixels(run, span.media, number)
        image = cut_out(whole if paint is None else paint(number, whole), *corners)
        seen.look(number - span.first_frame, image)
        yield image


def _cut_sound(run: str, media: str, starts: list[float], mono: bool, path: str) -> bool:
    with local_file(run, media) as video, open(path, "wb") as out:
        return cut_audio(video, starts[0], starts[-1], out, mono)
