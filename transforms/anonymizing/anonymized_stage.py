"""Stage anonymized: videos -> each of them as a file in which faces and plates are covered.

A frame that no shot of the table `covers` has was examined by no one, and is never written: the video fails.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import apache_beam as beam
import numpy as np

from model_handlers.interface import Array, Pixels
from transforms.anonymizing.anonymized_settings import AnonymizedVideoSettings
from transforms.anonymizing.covers_settings import PaintSettings
from transforms.anonymizing.lookup import TABLE as COVERS
from transforms.anonymizing.lookup import Covers, covers_of_video
from transforms.anonymizing.paint import cover, whole_pixels
from transforms.flow.stages import RowStage
from transforms.flow.steps import enter, leave, step
from transforms.tables.cover_rows import AnonymizedVideo
from transforms.tables.csv_cells import csv_rows
from transforms.tables.digest import file_digest
from transforms.tables.reasons import Rejected
from transforms.tables.schemas import derived
from transforms.tables.video_rows import Video
from transforms.videos.clip_writer import write_mp4
from transforms.videos.library import add_file, local_file, video_folder
from transforms.videos.parts_stage import add_sound
from transforms.videos.reader import VideoReader
from transforms.videos.sampling import Range
from transforms.videos.shots import frame_edges, span_pieces

TABLE = "anonymized"
COLUMNS = ("frame", "time", "x1", "y1", "x2", "y2", "kind", "track", "found", "score")  # of a report


def write_anonymized(settings: AnonymizedVideoSettings, paint: PaintSettings) -> RowStage:
    """The stage anonymized: each video, or each of its listed spans, with all that is in `covers` painted over."""
    return RowStage(
        name=TABLE,
        reads="videos",
        row_in=Video,
        writes=TABLE,
        row_out=AnonymizedVideo,
        transform=partial(WriteAnonymized, settings=settings, paint=paint),
        settings={"anonymized": settings, "paint": paint},
        also=(COVERS,),
    )


class WriteAnonymized(beam.PTransform):
    """Item[Video] -> Outcome[AnonymizedVideo]: files `anonymized/<video_id>/<video_id>.mp4`, of spans `..._<n>.mp4`."""

    def __init__(self, run: str, settings: AnonymizedVideoSettings, paint: PaintSettings) -> None:
        super().__init__()
        self._run, self._settings, self._paint = run, settings, paint

    def expand(self, items: beam.PCollection) -> beam.PCollection:
        """Write each video by itself."""
        write = partial(anonymized_files, self._run, self._settings, self._paint)
        return items | "Enter" >> enter() | "Write" >> step(write) | "Leave" >> leave(Video)


def anonymized_files(
    run: str, settings: AnonymizedVideoSettings, paint: PaintSettings, video: Video
) -> tuple[AnonymizedVideo, ...]:
    """The rows of a video's files, once they are committed.

    Rejected `not_covered` if a frame that would be written is in no examined shot; `no_shot` if the listed spans have
    no frame; else as the reader says.
    """
    shots = covers_of_video(run, video.video_id)
    with local_file(run, video.media) as path:
        with VideoReader(path) as reader:
            edges = frame_edges(reader.times, reader.seconds)
        pieces = span_pieces(edges, video.spans)
        if not pieces:
            raise Rejected("no_shot", f"{edges[-1]:.2f} seconds of video, and no listed span has a frame")
        for piece in pieces:
            check_examined(piece, shots)
        opened = _Opened(run, video, path, edges, shots)
        return tuple(_write(opened, settings, paint, number, piece) for number, piece in enumerate(pieces))


def check_examined(piece: Range, shots: Sequence[Covers]) -> None:
    """Rejected `not_covered` unless every frame of the piece lies in one of the shots, which are by first frame."""
    reached = piece[0]
    for shot in shots:
        if shot.first_frame > reached:
            break
        reached = max(reached, shot.end_frame)
    if reached < piece[1]:
        known = f"{len(shots)} shots of the video were examined" if shots else "no shot of the video was examined"
        raise Rejected("not_covered", f"frame {reached} is in none; {known}")


def boxes_at(shots: Sequence[Covers], number: int) -> Array:
    """The boxes (K,4) of a frame in all shots that it is in; shots overlap where listed spans do."""
    found = [shot.at(number) for shot in shots if shot.first_frame <= number < shot.end_frame]
    if not found:
        raise Rejected("not_covered", f"frame {number} is in no examined shot")
    return np.concatenate(found)


@dataclass(slots=True, eq=False)
class _Painter:
    """Paints the frames of a video as they pass by, and counts what it does."""

    shots: Sequence[Covers]
    settings: PaintSettings
    frames: int = 0
    covered_frames: int = 0
    covers: int = 0
    shares: float = 0.0

    def __call__(self, number: int, image: Pixels) -> Pixels:
        boxes = boxes_at(self.shots, number)
        self.frames += 1
        self.covered_frames += bool(len(boxes))
        self.covers += len(boxes)
        self.shares += _covered_share(boxes, image.shape[1], image.shape[0])
        return cover(image, boxes, self.settings)


def _covered_share(boxes: Array, width: int, height: int) -> float:
    """The share of the image that the boxes cover together."""
    if not len(boxes):
        return 0.0
    mask = np.zeros((height, width), bool)
    for x1, y1, x2, y2 in whole_pixels(boxes, width, height).tolist():
        mask[y1:y2, x1:x2] = True
    return float(mask.mean())


@dataclass(frozen=True, slots=True, eq=False)
class _Opened:
    """A video of the run with its file on this machine, the `edges` of its frames in seconds, and its covers."""

    run: str
    video: Video
    path: str
    edges: Array
    shots: Sequence[Covers]


def _write(
    opened: _Opened, settings: AnonymizedVideoSettings, paint: PaintSettings, number: int, piece: Range
) -> AnonymizedVideo:
    """Write the files of a piece of the video, the `number`-th of those that are written."""
    video, path, edges, shots = opened.video, opened.path, opened.edges, opened.shots
    first, end = piece
    start, stop = float(edges[first]), float(edges[end])
    name = f"{video_folder(TABLE, video.video_id)}/{video.video_id}{'' if video.spans is None else f'_{number}'}"
    painter = _Painter(shots, paint)
    with tempfile.TemporaryDirectory(prefix="manyfaces-anonymized-") as folder:
        silent, whole, report = (Path(folder, one) for one in ("silent.mp4", "whole.mp4", "report.csv"))
        with VideoReader(path) as reader:
            frames = (painter(place, image) for place, image in reader.frames(range(first, end)))
            width, height = write_mp4(str(silent), frames, edges[first:end].tolist(), stop, settings.encode)
        if settings.audio:
            audio = add_sound(path, start, stop, silent, folder, whole)
        else:
            audio, whole = False, silent
        add_file(opened.run, f"{name}.mp4", str(whole))
        if settings.report:
            _write_report(report, shots, edges, piece)
            add_file(opened.run, f"{name}.csv", str(report))
        size, sha256 = whole.stat().st_size, file_digest(str(whole))
    return derived(
        AnonymizedVideo,
        video,
        anonymized_id=f"{video.video_id}-a{number}",
        file=f"{name}.mp4",
        bytes=size,
        sha256=sha256,
        report=f"{name}.csv" if settings.report else None,
        first_frame=first,
        end_frame=end,
        start=start,
        end=stop,
        width=width,
        height=height,
        audio=audio,
        covered_frames=painter.covered_frames,
        covers=painter.covers,
        covered_share=painter.shares / painter.frames,
    )


def _write_report(path: Path, shots: Sequence[Covers], edges: Array, piece: Range) -> None:
    """Write a line for every cover of every frame of the piece."""
    with path.open("wb") as out:
        write = csv_rows(out)
        write(COLUMNS)
        for shot in shots:
            for number in range(max(piece[0], shot.first_frame), min(piece[1], shot.end_frame)):
                for n in range(*shot.places(number).indices(len(shot.numbers))):
                    sides = [f"{side:.2f}" for side in shot.boxes[n].tolist()]
                    more = shot.kinds[n], shot.tracks[n], int(shot.found[n]), f"{shot.scores[n]:.3f}"
                    write([number, f"{edges[number]:.6f}", *sides, *more])
