"""Stage spans: shots -> the spans in which one face stays in place."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import apache_beam as beam
import numpy as np

from model_handlers.interface import Array, Detections, Pixels
from model_handlers.models.roles import KnownModels, Models
from transforms.flow.gather import Branches, each
from transforms.flow.pieces import InPieces, succeeded
from transforms.flow.stages import RowStage
from transforms.flow.steps import ask, enter, leave, step
from transforms.tables.reasons import Rejected
from transforms.tables.schemas import derived
from transforms.tables.video_rows import FaceSpan, Shot
from transforms.videos.frame_cache import frame_pixels
from transforms.vision.identity_changes import largest_distance
from transforms.vision.span_settings import SpanSettings
from transforms.vision.spans import FaceTrack, Span, find_spans

_COMPARED = 5  # embeddings, from the first one of a span on


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A frame that is looked at: the number of the frame, its place among the shot's samples, and the face in it."""

    media: str
    number: int
    place: int
    pixels: Pixels | None = None
    box: Array | None = None
    score: float = 0.0
    landmarks: Array | None = None
    vector: Array | None = None


def find_face_spans(settings: SpanSettings, models: KnownModels) -> RowStage:
    """The stage spans: the stretches of each shot in which one face stays in place."""
    used = models.of({"face": settings.detector_side}, face=settings.face_model, embedding=settings.embedding_model)
    return RowStage(
        name="spans",
        reads="shots",
        row_in=Shot,
        writes="spans",
        row_out=FaceSpan,
        transform=partial(FindSpans, settings=settings, models=used),
        settings={"spans": settings},
        models=used,
    )


class FindSpans(beam.PTransform):
    """Item[Shot] -> branches of Outcome[FaceSpan]; `models` has the role face, and may have embedding."""

    def __init__(self, run: str, settings: SpanSettings, models: Models) -> None:
        super().__init__()
        self._settings = settings
        self._look = _Look(run, settings, models)

    def expand(self, items: beam.PCollection) -> Branches:
        """Each shot goes through the models frame by frame."""
        shots = items | "Enter" >> enter()
        spans = shots | "In samples" >> InPieces(
            partial(samples_of, self._settings), self._look, partial(span_rows, self._settings)
        )
        return each(spans, "Leave", leave(Shot))


class _Look(beam.PTransform):
    """Visits of samples: decode, find the largest face, embed it."""

    def __init__(self, run: str, settings: SpanSettings, models: Models) -> None:
        super().__init__()
        self._run, self._settings, self._models = run, settings, models

    def expand(self, samples: beam.PCollection) -> beam.PCollection:
        settings, models = self._settings, self._models
        seen = (
            samples
            | "Decode" >> step(partial(_decode, self._run))
            | "Detect face" >> ask(models, "face", settings.inference, _frame, partial(with_largest_face, settings))
        )
        if "embedding" in models:
            embed = ask(models, "embedding", settings.inference, partial(_face, settings), _with_vector)
            seen = seen | "Embed face" >> embed
        return seen | "Forget pixels" >> step(_slim)


def samples_of(settings: SpanSettings, shot: Shot) -> list[Sample]:
    """The frames of a shot that are looked at, in order."""
    numbers = range(shot.first_frame, shot.end_frame, settings.every_frames)
    return [Sample(shot.media, number, place) for place, number in enumerate(numbers)]


def _decode(run: str, sample: Sample) -> Sample:
    return replace(sample, pixels=frame_pixels(run, sample.media, sample.number))


def _frame(sample: Sample) -> list[tuple[Any, ...]]:
    return [(sample.pixels,)]


def with_largest_face(settings: SpanSettings, sample: Sample, results: list[Detections]) -> Sample:
    """With the largest face of those above the score, if it is large enough in the frame."""
    (found,) = results
    good = np.flatnonzero(found.scores >= settings.min_score)
    if not good.size or found.landmarks is None:
        return sample
    assert sample.pixels is not None  # _decode ends samples without
    height, width = sample.pixels.shape[:2]
    sizes = (found.boxes[good, 2:] - found.boxes[good, :2]) / (width, height)
    largest = int(sizes.prod(axis=1).argmax())
    if sizes[largest].min() <= settings.min_size:
        return sample
    n = good[largest]
    return replace(sample, box=found.boxes[n], score=float(found.scores[n]), landmarks=found.landmarks[n])


def _face(settings: SpanSettings, sample: Sample) -> list[tuple[Any, ...]]:
    wanted = sample.box is not None and sample.place % settings.embed_every == 0
    return [(sample.pixels, sample.landmarks, None)] if wanted else []


def _with_vector(sample: Sample, results: list[Array]) -> Sample:
    return replace(sample, vector=results[0]) if results else sample


def _slim(sample: Sample) -> Sample:
    return replace(sample, pixels=None)


def span_rows(settings: SpanSettings, shot: Shot, samples: list[Sample | Rejected]) -> tuple[FaceSpan, ...]:
    """The rows of the shot's spans; samples that failed count as such without a face, unless they are too many."""
    looked_at: list[Sample] = succeeded(samples, settings.max_failed_share)
    seen = [sample for sample in looked_at if sample.box is not None]
    if not seen:
        raise Rejected("no_face", f"in none of {len(samples)} frames, of the size and score that are asked for")
    found = find_spans(_track(shot, seen), settings)
    if not found.spans:
        detail = f"{len(seen)} of {len(samples)} frames have a face; {found.short} stretches are too short"
        raise Rejected("no_span", f"{detail}, in {found.restless} it moves too much")
    return tuple(_row(shot, span, seen[span.start : span.stop]) for span in found.spans)


def _track(shot: Shot, seen: list[Sample]) -> FaceTrack:
    length = next((len(sample.vector) for sample in seen if sample.vector is not None), 1)
    none = np.full(length, np.nan)
    return FaceTrack(
        np.array([sample.number for sample in seen]),
        np.array([sample.box for sample in seen]) / (shot.width, shot.height, shot.width, shot.height),
        np.array([none if sample.vector is None else sample.vector for sample in seen]),
    )


def _row(shot: Shot, span: Span, seen: list[Sample]) -> FaceSpan:
    vectors = [sample.vector for sample in seen if sample.vector is not None][:_COMPARED]
    return derived(
        FaceSpan,
        shot,
        span_id=f"{shot.shot_id}-{span.first}",
        first_frame=span.first,
        end_frame=span.end,
        numbers=[sample.number for sample in seen],
        boxes=np.array([sample.box for sample in seen], np.float32),
        scores=np.array([sample.score for sample in seen], np.float32),
        landmarks=np.array([sample.landmarks for sample in seen], np.float32),
        face_consistency=largest_distance(np.array(vectors)) if vectors else None,
    )
