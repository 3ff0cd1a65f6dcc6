"""Stage shots: videos -> their shots."""

from collections.abc import Mapping
from functools import lru_cache, partial

import apache_beam as beam
import numpy as np

from model_handlers.catalogue import Entry
from model_handlers.handlers import codec, handler
from model_handlers.interface import Pixels, Request
from transforms.media.cuts import WindowScores
from transforms.media.library import local_file
from transforms.media.sampling import Range
from transforms.media.shot_settings import ShotSettings
from transforms.media.shots import detect_shots, frame_edges, span_pieces
from transforms.media.video_reader import VideoReader
from transforms.tables.reasons import Rejected
from transforms.tables.steps import enter, leave, step
from transforms.tables.video_schemas import Shot, Video


class FindShots(beam.PTransform):
    """Item[Video] -> Outcome[Shot]; `models` has the entry of the role cuts if the detector is a network."""

    def __init__(self, run: str, settings: ShotSettings, models: Mapping[str, Entry], device: str = "cpu") -> None:
        super().__init__()
        self._run, self._settings, self._device = run, settings, device
        self._network = models["cuts"] if settings.detector == "transnetv2" else None

    def expand(self, items: beam.PCollection) -> beam.PCollection:
        """Walk over the frames of each video."""
        find = partial(find_shots, self._run, self._settings, self._network, self._device)
        return items | "Enter" >> enter() | "Find shots" >> step(find) | "Leave" >> leave(_video_id)


@lru_cache(maxsize=2)
def network(entry: Entry, device: str, threads: int) -> WindowScores:
    """The network of a catalogue entry of the task cuts, loaded once a process."""
    reader, runner = codec(entry), handler(entry, device=device, threads=threads)
    session = runner.load_model()

    def window_scores(windows: Pixels) -> np.ndarray:
        request = Request(tuple(reader.encode(window)[0] for window in windows), None)
        (answer,) = runner.run_inference([request], session)
        if answer.error is not None:
            raise Rejected("out_of_memory" if answer.out_of_memory else "model_error", answer.error)
        return np.stack([reader.decode(outputs, None) for outputs in answer.outputs])

    return window_scores


def find_shots(run: str, settings: ShotSettings, entry: Entry | None, device: str, video: Video) -> tuple[Shot, ...]:
    """The rows of a video's shots; Rejected `no_shot` when there are none, or as the video's reader says."""
    scores = None if entry is None else network(entry, device, settings.threads)
    with local_file(run, video.media) as path, VideoReader(path) as reader:
        edges = frame_edges(reader.times, reader.seconds)
        pieces = detect_shots(reader, edges, video.spans, settings, scores)
    if not pieces:
        inside = "" if span_pieces(edges, video.spans) else ", and no listed span has a frame"
        raise Rejected("no_shot", f"{edges[-1]:.2f} seconds of video{inside}")
    return tuple(_row(video, number, piece, edges) for number, piece in enumerate(pieces))


def _row(video: Video, number: int, piece: Range, edges: np.ndarray) -> Shot:
    first, end = piece
    return Shot(
        shot_id=f"{video.video_id}-s{number}",
        video_id=video.video_id,
        label=video.label,
        source=video.source,
        media=video.media,
        first_frame=first,
        end_frame=end,
        start=float(edges[first]),
        end=float(edges[end]),
        width=video.width,
        height=video.height,
    )


def _video_id(video: Video) -> str:
    return video.video_id
