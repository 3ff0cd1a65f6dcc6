"""Stage objects: shots -> everything that a detector finds in some of their frames."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import apache_beam as beam
import numpy as np

from model_handlers.errors import ModelError
from model_handlers.geometry import cut_out, suppress
from model_handlers.interface import Array, Objects, Pixels
from model_handlers.models.roles import KnownModels, Models
from model_handlers.named import nearest
from transforms.flow.gather import Branches, each
from transforms.flow.pieces import InPieces, succeeded
from transforms.flow.stages import RowStage
from transforms.flow.steps import ask, enter, leave, step
from transforms.tables.reasons import Rejected
from transforms.tables.schemas import derived
from transforms.tables.track_rows import SHOTS, PassedShot, ShotObjects
from transforms.tables.video_rows import Shot
from transforms.tracking.object_settings import ObjectSettings
from transforms.videos.frame_cache import frame_pixels, frame_times
from transforms.videos.sampling import every_seconds
from transforms.vision.crops import padded_box


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The N objects of a frame, as they travel: of each, `class_counts` of the M class probabilities."""

    boxes: Array
    scores: Array
    objectness: Array | None
    class_counts: Array
    classes: Array
    probabilities: Array
    features: Array | None


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A frame that is looked at: its number, its time in seconds, and what was found in it."""

    media: str
    number: int
    time: float
    pixels: Pixels | None = None
    found: Found | None = None


def find_objects(settings: ObjectSettings, models: KnownModels, reads: str = "passed_shots") -> RowStage:
    """The stage objects: what is in the shots of the table that it `reads`, one of SHOTS.

    ModelError for a class that the detector's vocabulary has not.
    """
    named = models.of({"objects": settings.detector_side}, objects=settings.model, appearance=settings.appearance_model)
    used = named.speaking("objects", settings.vocabulary)
    wanted = class_numbers(settings.classes, used["objects"].classes)
    return RowStage(
        name="objects",
        reads=reads,
        row_in=SHOTS[reads],
        writes="objects",
        row_out=ShotObjects,
        transform=partial(FindObjects, settings=settings, wanted=wanted, models=used, row_in=SHOTS[reads]),
        settings={"objects": settings},
        models=used,
    )


def class_numbers(names: tuple[str, ...], vocabulary: tuple[str, ...]) -> Array | None:
    """(C,) the numbers of these classes in the vocabulary, None for no names; ModelError names the nearest."""
    for name in names:
        if name not in vocabulary:
            raise ModelError(f"objects.classes: the vocabulary has no {name!r}; {nearest(name, vocabulary)}")
    return np.array([vocabulary.index(name) for name in names]) if names else None


class FindObjects(beam.PTransform):
    """Item[PassedShot] -> branches of Outcome[ShotObjects]; `models` has the role objects, and may have appearance."""

    def __init__(
        self, run: str, settings: ObjectSettings, wanted: Array | None, models: Models, row_in: type[Any]
    ) -> None:
        super().__init__()
        self._run, self._settings, self._row_in = run, settings, row_in
        self._look = _Look(run, settings, wanted, models)

    def expand(self, items: beam.PCollection) -> Branches:
        """Each shot goes through the models frame by frame."""
        shots = items | "Enter" >> enter()
        found = shots | "In frames" >> InPieces(
            partial(samples_of, self._run, self._settings), self._look, partial(objects_row, self._settings)
        )
        return each(found, "Leave", leave(self._row_in))


class _Look(beam.PTransform):
    """Visits of samples: decode, detect, describe what was found, forget the pixels."""

    def __init__(self, run: str, settings: ObjectSettings, wanted: Array | None, models: Models) -> None:
        super().__init__()
        self._run, self._settings, self._wanted, self._models = run, settings, wanted, models

    def expand(self, samples: beam.PCollection) -> beam.PCollection:
        inference, found = self._settings.inference, partial(with_objects, self._settings, self._wanted)
        seen = (
            samples
            | "Decode" >> step(partial(_decode, self._run))
            | "Detect" >> ask(self._models, "objects", inference, _frame, found)
        )
        if "appearance" in self._models:
            least = self._settings.appearance_min_score
            described = ask(
                self._models, "appearance", inference, partial(_crops, least), partial(with_features, least)
            )
            seen = seen | "Describe" >> described
        return seen | "Forget pixels" >> step(_slim)


def samples_of(run: str, settings: ObjectSettings, shot: Shot | PassedShot) -> list[Sample]:
    """The frames of a shot that are looked at, in order."""
    times, _ = frame_times(run, shot.media)
    numbers = every_seconds(times, (shot.first_frame, shot.end_frame), 1 / settings.frame_rate)
    return [Sample(shot.media, number, float(times[number])) for number in numbers]


def _decode(run: str, sample: Sample) -> Sample:
    return replace(sample, pixels=frame_pixels(run, sample.media, sample.number))


def _frame(sample: Sample) -> list[tuple[Any, ...]]:
    return [(sample.pixels,)]


def with_objects(settings: ObjectSettings, wanted: Array | None, sample: Sample, results: list[Objects]) -> Sample:
    """With the objects of the frame that are good enough, best first: above the score, of the `wanted` classes (C,),
    none much covered by a better one, no more than the limit.
    """
    (found,) = results
    good = found.scores >= settings.min_score
    if wanted is not None:
        good &= np.isin(found.classes, wanted)
    places = np.flatnonzero(good)
    places = places[suppress(found.boxes[places], found.scores[places], settings.max_overlap)][: settings.max_objects]
    counts, classes, probabilities = likely_classes(found, places, settings.min_probability)
    kept = Found(
        boxes=found.boxes[places].astype(np.float32),
        scores=found.scores[places].astype(np.float32),
        objectness=None if found.objectness is None else found.objectness[places].astype(np.float32),
        class_counts=counts,
        classes=classes,
        probabilities=probabilities,
        features=None if found.features is None else unit(found.features[places]),
    )
    return replace(sample, found=kept)


def likely_classes(found: Objects, places: Array, floor: float) -> tuple[Array, Array, Array]:
    """Of the objects at these places (N,) how many classes are likely enough, those classes and their probabilities.

    int32 (N,), int32 (M,), float32 (M,). The class of an object is always there; where the model tells no
    probabilities, with the object's score.
    """
    best = found.classes[places]
    if found.probabilities is None:
        return np.ones(len(places), np.int32), best.astype(np.int32), found.scores[places].astype(np.float32)
    table = found.probabilities[places]
    likely = table >= floor
    likely[np.arange(len(places)), best] = True
    rows, classes = np.nonzero(likely)
    return likely.sum(axis=1, dtype=np.int32), classes.astype(np.int32), table[rows, classes].astype(np.float32)


def unit(vectors: Array) -> Array:
    """(N,D) float16 of unit length; a zero vector stays zero."""
    lengths = np.linalg.norm(vectors.astype(np.float32), axis=1, keepdims=True)
    scaled: Array = vectors / np.maximum(lengths, np.finfo(np.float32).tiny)
    return scaled.astype(np.float16)


def _crops(least: float, sample: Sample) -> list[tuple[Any, ...]]:
    assert sample.pixels is not None  # _decode ends samples without
    assert sample.found is not None
    height, width = sample.pixels.shape[:2]
    clear = sample.found.boxes[sample.found.scores >= least]
    return [(cut_out(sample.pixels, *padded_box(box, 0, width, height)),) for box in clear]


def with_features(least: float, sample: Sample, results: list[Array]) -> Sample:
    """With the appearance model's vectors, of objects of at least this score, in place of any of the detector's."""
    assert sample.found is not None
    if not results:
        return replace(sample, found=replace(sample.found, features=None))
    features = np.zeros((len(sample.found.scores), len(results[0])), np.float16)
    features[sample.found.scores >= least] = unit(np.stack(results))
    return replace(sample, found=replace(sample.found, features=features))


def _slim(sample: Sample) -> Sample:
    return replace(sample, pixels=None)


def objects_row(
    settings: ObjectSettings, shot: Shot | PassedShot, samples: list[Sample | Rejected]
) -> tuple[ShotObjects, ...]:
    """The row of the shot; frames that failed are left out, unless they are too many.

    Rejected `no_object` if there is nothing in any frame.
    """
    seen: list[Sample] = succeeded(samples, settings.max_failed_share)
    frames = [sample.found for sample in seen if sample.found is not None]
    counts = np.array([len(found.scores) for found in frames], np.int32)
    if not counts.any():
        raise Rejected("no_object", f"in none of {len(seen)} frames, of the score and classes that are asked for")
    row = derived(
        ShotObjects,
        shot,
        numbers=[sample.number for sample in seen],
        times=[sample.time for sample in seen],
        counts=counts,
        boxes=np.concatenate([found.boxes for found in frames]),
        scores=np.concatenate([found.scores for found in frames]),
        objectness=_joined([found.objectness for found in frames]),
        class_counts=np.concatenate([found.class_counts for found in frames]),
        classes=np.concatenate([found.classes for found in frames]),
        probabilities=np.concatenate([found.probabilities for found in frames]),
        features=_features([found for found in frames if len(found.scores)]),
    )
    return (row,)


def _joined(parts: list[Array | None]) -> Array | None:
    known = [part for part in parts if part is not None]
    return np.concatenate(known) if known and len(known) == len(parts) else None


def _features(frames: list[Found]) -> Array | None:
    """The features of all objects, zero where nothing was told of a frame's; None if nothing was told of any."""
    length = next((found.features.shape[1] for found in frames if found.features is not None), None)
    if length is None:
        return None
    none = np.zeros((1, length), np.float16)
    return np.concatenate(
        [none.repeat(len(one.scores), axis=0) if one.features is None else one.features for one in frames]
    )
