"""Stage bodies: images -> the people in them, with keypoints and crops."""

from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import apache_beam as beam
import numpy as np

from model_handlers.errors import ModelError
from model_handlers.geometry import cut_out
from model_handlers.interface import Array, Detections, Pixels
from model_handlers.models.roles import KnownModels, Models
from transforms.flow.stages import RowStage
from transforms.flow.steps import ask, enter, leave, step
from transforms.images.pixels import open_image, to_jpeg
from transforms.tables.reasons import Rejected
from transforms.tables.rows import Body, Image
from transforms.tables.schemas import derived
from transforms.vision.crops import padded_box
from transforms.vision.settings import BodySettings


@dataclass(frozen=True, slots=True, eq=False)
class _Scene:
    """An image on its way through the stage; boxes (N,4), scores (N,), keypoints N x (17,3)."""

    image: Image
    pixels: Pixels
    boxes: Array = field(default_factory=lambda: np.empty((0, 4), np.float32))
    scores: Array = field(default_factory=lambda: np.empty(0, np.float32))
    keypoints: tuple[Array, ...] = ()


def find_bodies(settings: BodySettings, models: KnownModels, without: str | None = None) -> RowStage:
    """The stage bodies: the people of each image; images whose ids the table `without` lists are left out."""
    used = models.of(person=settings.person_model, keypoints=settings.keypoint_model)
    if (used["person"].task == "pose") == ("keypoints" in used):
        wrong = (
            ("must be null, because", "finds keypoints too")
            if "keypoints" in used
            else ("is null, but", "finds no keypoints; name one that does")
        )
        raise ModelError(f"bodies.keypoint_model {wrong[0]} person model {settings.person_model!r} {wrong[1]}")
    return RowStage(
        name="bodies",
        reads="images",
        row_in=Image,
        writes="bodies",
        row_out=Body,
        transform=lambda run: FindBodies(settings, used),
        settings={"bodies": settings},
        models=used,
        without=without,
    )


class FindBodies(beam.PTransform):
    """Item[Image] -> Outcome[Body]; `models` has the roles person and, unless its model finds them too, keypoints."""

    def __init__(self, settings: BodySettings, models: Models) -> None:
        super().__init__()
        self._settings, self._models = settings, models

    def expand(self, items: beam.PCollection) -> beam.PCollection:
        """Decode, detect people, find their keypoints, cut them out."""
        settings, models = self._settings, self._models
        detect = ask(models, "person", settings.inference, _whole_image, partial(_choose, settings))
        scenes = items | "Enter" >> enter() | "Decode" >> step(_decode) | "Detect people" >> detect
        if "keypoints" in models:
            scenes |= "Find keypoints" >> ask(models, "keypoints", settings.inference, _each_body, _with_keypoints)
        return scenes | "Cut out" >> step(partial(_bodies, settings)) | "Leave" >> leave(Image)


def _decode(image: Image) -> _Scene:
    return _Scene(image, open_image(image.image))


def _whole_image(scene: _Scene) -> list[tuple[Any, ...]]:
    return [(scene.pixels,)]


def _choose(settings: BodySettings, scene: _Scene, results: list[Detections]) -> _Scene:
    """The people above the threshold, best first."""
    (found,) = results
    good = np.nonzero(found.scores >= settings.min_score)[0][: settings.max_bodies]
    if not good.size:
        best = found.scores.max(initial=0)
        raise Rejected("no_body", f"best score {best:.2f}, less than {settings.min_score}")
    keypoints = () if found.keypoints is None else tuple(found.keypoints[good])
    return replace(scene, boxes=found.boxes[good], scores=found.scores[good], keypoints=keypoints)


def _each_body(scene: _Scene) -> list[tuple[Any, ...]]:
    return [(scene.pixels, box) for box in scene.boxes]


def _with_keypoints(scene: _Scene, results: list[Array]) -> _Scene:
    return replace(scene, keypoints=tuple(results))


def _bodies(settings: BodySettings, scene: _Scene) -> tuple[Body, ...]:
    return tuple(_body(settings, scene, n) for n in range(len(scene.boxes)))


def _body(settings: BodySettings, scene: _Scene, n: int) -> Body:
    image, box = scene.image, scene.boxes[n]
    height, width = scene.pixels.shape[:2]
    x1, y1, x2, y2 = (int(value) for value in padded_box(box, settings.padding, width, height))
    return derived(
        Body,
        image,
        body_id=f"{image.image_id}-b{n}",
        box=box,
        crop_box=np.array([x1, y1, x2, y2], dtype=np.float32),
        score=float(scene.scores[n]),
        keypoints=scene.keypoints[n],
        crop=to_jpeg(cut_out(scene.pixels, x1, y1, x2, y2), settings.jpeg_quality),
    )
