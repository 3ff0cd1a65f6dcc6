"""Stage spans: shots -> the spans in which one face stays in place."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import apache_beam as beam
import numpy as np

from model_handlers.catalogue import Entry
from model_handlers.handlers import codec, handler
from model_handlers.interface import Array, Detections, Pixels
from transforms.media.frame_cache import frame_pixels
from transforms.tables.gather import Branches, each
from transforms.tables.parts import InParts
from transforms.tables.reasons import Rejected
from transforms.tables.steps import AskModel, Question, enter, leave, step
from transforms.tables.video_schemas import FaceSpan, Shot
from transforms.vision.identity_changes import largest_distance
from transforms.vision.span_settings import SpanSettings
from transforms.vision.spans import FaceTrack, Span, find_spans

_COMPARED = 5  # embeddings, from the first one of a span on


@dataclass(frozen=True, slots=True, eq=False)
class _Sample:
    """A frame that is looked at: the number of the frame, its place among the shot's samples, and the face in it."""

    media: str
    number: int
    place: int
    pixels: Pixels | None = None
    box: Array | None = None
    score: float = 0.0
    landmarks: Array | None = None
    vector: Array | None = None


class FindSpans(beam.PTransform):
    """Item[Shot] -> branches of Outcome[FaceSpan].

    `models` has the entries of the role face, and of embedding if settings name a model.
    """

    def __init__(self, run: str, settings: SpanSettings, models: Mapping[str, Entry], device: str = "cpu") -> None:
        super().__init__()
        self._settings = settings
        self._look = _Look(run, settings, models, device)

    def expand(self, items: beam.PCollection) -> Branches:
        """Each shot goes through the models frame by frame."""
        shots = items | "Enter" >> enter()
        spans = shots | "In samples" >> InParts(
            partial(_samples, self._settings), self._look, partial(_spans, self._settings)
        )
        return each(spans, "Leave", leave(_shot_id))


class _Look(beam.PTransform):
    """Work on samples: decode, find the largest face, embed it."""

    def __init__(self, run: str, settings: SpanSettings, models: Mapping[str, Entry], device: str) -> None:
        super().__init__()
        self._run, self._settings, self._device = run, settings, device
        self._face, self._embedding = models["face"], models["embedding"] if settings.embedding_model else None

    def expand(self, samples: beam.PCollection) -> beam.PCollection:
        settings = self._settings
        run = {"device": self._device, **settings.inference.model_dump()}
        faces = Question(codec(self._face, settings.detector_side), _frame, partial(_largest, settings))
        seen = (
            samples
            | "Decode" >> step(partial(_decode, self._run))
            | "Detect face" >> AskModel(handler(self._face, **run), faces)
        )
        if self._embedding is not None:
            vectors = Question(codec(self._embedding), partial(_face, settings), _with_vector)
            seen = seen | "Embed face" >> AskModel(handler(self._embedding, **run), vectors)
        return seen | "Forget pixels" >> step(_slim)


def _shot_id(shot: Shot) -> str:
    return shot.shot_id


def _samples(settings: SpanSettings, shot: Shot) -> list[_Sample]:
    numbers = range(shot.first_frame, shot.end_frame, settings.every_frames)
    return [_Sample(shot.media, number, place) for place, number in enumerate(numbers)]


def _decode(run: str, sample: _Sample) -> _Sample:
    return replace(sample, pixels=frame_pixels(run, sample.media, sample.number))


def _frame(sample: _Sample) -> list[tuple[Any, ...]]:
    return [(sample.pixels,)]


def _largest(settings: SpanSettings, sample: _Sample, results: list[Detections]) -> _Sample:
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


def _face(settings: SpanSettings, sample: _Sample) -> list[tuple[Any, ...]]:
    wanted = sample.box is not None and sample.place % settings.embed_every == 0
    return [(sample.pixels, sample.landmarks, None)] if wanted else []


def _with_vector(sample: _Sample, results: list[Array]) -> _Sample:
    return replace(sample, vector=results[0]) if results else sample


def _slim(sample: _Sample) -> _Sample:
    return replace(sample, pixels=None)


def _spans(settings: SpanSettings, shot: Shot, samples: list[_Sample | Rejected]) -> tuple[FaceSpan, ...]:
    """The rows of the shot's spans; samples that failed count as such without a face, unless they are too many."""
    failed = [sample for sample in samples if isinstance(sample, Rejected)]
    if len(failed) > settings.max_failed_share * len(samples):
        raise Rejected(failed[0].code, f"{len(failed)} of {len(samples)} frames; the first: {failed[0].detail}")
    seen = [sample for sample in samples if isinstance(sample, _Sample) and sample.box is not None]
    if not seen:
        raise Rejected("no_face", f"in none of {len(samples)} frames, of the size and score that are asked for")
    found = find_spans(_track(shot, seen), settings)
    if not found.spans:
        detail = f"{len(seen)} of {len(samples)} frames have a face; {found.short} stretches are too short"
        raise Rejected("no_span", f"{detail}, in {found.restless} it moves too much")
    return tuple(_row(shot, span, seen[span.start : span.stop]) for span in found.spans)


def _track(shot: Shot, seen: list[_Sample]) -> FaceTrack:
    length = next((len(sample.vector) for sample in seen if sample.vector is not None), 1)
    none = np.full(length, np.nan)
    return FaceTrack(
        np.array([sample.number for sample in seen]),
        np.array([sample.box for sample in seen]) / (shot.width, shot.height, shot.width, shot.height),
        np.array([none if sample.vector is None else sample.vector for sample in seen]),
    )


def _row(shot: Shot, span: Span, seen: list[_Sample]) -> FaceSpan:
    vectors = [sample.vector for sample in seen if sample.vector is not None][:_COMPARED]
    return FaceSpan(
        span_id=f"{shot.shot_id}-{span.first}",
        shot_id=shot.shot_id,
        video_id=shot.video_id,
        label=shot.label,
        source=shot.source,
        media=shot.media,
        first_frame=span.first,
        end_frame=span.end,
        width=shot.width,
        height=shot.height,
        numbers=[sample.number for sample in seen],
        boxes=np.array([sample.box for sample in seen], np.float32),
        scores=np.array([sample.score for sample in seen], np.float32),
        landmarks=np.array([sample.landmarks for sample in seen], np.float32),
        face_consistency=largest_distance(np.array(vectors)) if vectors else None,
    )
