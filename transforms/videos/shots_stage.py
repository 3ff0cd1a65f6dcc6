"""Stage shots: videos -> their shots."""

from functools import lru_cache, partial

import apache_beam as beam
import numpy as np

from model_handlers.interface import Pixels, Request
from model_handlers.models.catalogue import Entry
from model_handlers.models.codecs import codec
from model_handlers.models.handlers import Placement, handler
from model_handlers.models.roles import KnownModels, Models
from transforms.flow.stages import RowStage
from transforms.flow.steps import enter, leave, step
from transforms.tables.reasons import Rejected
from transforms.tables.schemas import derived
from transforms.tables.video_rows import Shot, Video
from transforms.videos.cuts import WindowScores
from transforms.videos.library import local_file
from transforms.videos.reader import VideoReader
from transforms.videos.sampling import Range
from transforms.videos.shot_settings import ShotSettings
from transforms.videos.shots import detect_shots, frame_edges, span_pieces


def find_shots(settings: ShotSettings, models: KnownModels) -> RowStage:
    """The stage shots: where the shots of each video begin and end."""
    used = cut_models(settings, models)
    return RowStage(
        name="shots",
        reads="videos",
        row_in=Video,
        writes="shots",
        row_out=Shot,
        transform=partial(FindShots, settings=settings, models=used),
        settings={"shots": settings},
        models=used,
    )


def cut_models(settings: ShotSettings, models: KnownModels) -> Models:
    """The models that find cuts: one of the role cuts if the detector is a network, else none."""
    return models.of(cuts=settings.model if settings.detector == "transnetv2" else None)


class FindShots(beam.PTransform):
    """Item[Video] -> Outcome[Shot]; `models` has the role cuts if the detector is a network."""

    def __init__(self, run: str, settings: ShotSettings, models: Models) -> None:
        super().__init__()
        self._run, self._settings, self._models = run, settings, models

    def expand(self, items: beam.PCollection) -> beam.PCollection:
        """Walk over the frames of each video."""
        find = partial(shots_of, self._run, self._settings, self._models)
        return items | "Enter" >> enter() | "Find shots" >> step(find) | "Leave" >> leave(Video)


def network(models: Models, threads: int) -> WindowScores | None:
    """The network of the role cuts, loaded once a process; None where there is none."""
    return _loaded(models["cuts"], models.placement, threads) if "cuts" in models else None


@lru_cache(maxsize=2)
def _loaded(entry: Entry, placement: Placement, threads: int) -> WindowScores:
    reader, runner = codec(entry), handler(entry, placement, threads=threads)
    loaded = runner.load_model()

    def window_scores(windows: Pixels) -> np.ndarray:
        request = Request(tuple(reader.encode(window)[0] for window in windows), None)
        (answer,) = runner.run_inference([request], loaded)
        if answer.error is not None:
            raise Rejected("out_of_memory" if answer.out_of_memory else "model_error", answer.error)
        return np.stack([reader.decode(outputs, None) for outputs in answer.outputs])

    return window_scores


def shots_of(run: str, settings: ShotSettings, models: Models, video: Video) -> tuple[Shot, ...]:
    """The rows of a video's shots; Rejected `no_shot` when there are none, or as the video's reader says."""
    scores = network(models, settings.threads)
    with local_file(run, video.media) as path, VideoReader(path) as reader:
        edges = frame_edges(reader.times, reader.seconds)
        pieces = detect_shots(reader, edges, video.spans, settings, scores)
    if not pieces:
        inside = "" if span_pieces(edges, video.spans) else ", and no listed span has a frame"
        raise Rejected("no_shot", f"{edges[-1]:.2f} seconds of video{inside}")
    return tuple(_row(video, number, piece, edges) for number, piece in enumerate(pieces))


def _row(video: Video, number: int, piece: Range, edges: np.ndarray) -> Shot:
    first, end = piece
    return derived(
        Shot,
        video,
        shot_id=f"{video.video_id}-s{number}",
        first_frame=first,
        end_frame=end,
        start=float(edges[first]),
        end=float(edges[end]),
    )
