"""Finding what must not be seen in a picture: faces and licence plates, each kind by its own model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from model_handlers.interface import Array, Detections, Plates
from model_handlers.models.roles import KnownModels, Models
from transforms.anonymizing.covers_settings import FindSettings

KINDS = ("face", "plate")  # also the roles of their models


@dataclass(frozen=True, slots=True, eq=False)
class Hits:
    """What was found of one kind in one picture: boxes (N,4) float32 in its pixels, scores (N,) float32."""

    boxes: Array
    scores: Array


NONE = Hits(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))
Found = Mapping[str, Hits]  # by kind


def find_models(settings: FindSettings, models: KnownModels) -> Models:
    """The models that look, by the kind of what they find."""
    return models.of({"face": settings.detector_side}, face=settings.face_model, plate=settings.plate_model)


def hits(kind: str, settings: FindSettings, results: list[Any]) -> Hits:
    """What the model of a kind found in one picture, above the score and with an area."""
    found: Detections | Plates = results[0]
    least = settings.min_face_score if kind == "face" else settings.min_plate_score
    sizes = found.boxes[:, 2:] - found.boxes[:, :2]
    good = (found.scores >= least) & (sizes > 0).all(axis=1)
    return Hits(found.boxes[good].astype(np.float32), found.scores[good].astype(np.float32))


def with_margin(boxes: Array, margin: float, width: int, height: int) -> Array:
    """The boxes (N,4) with so much more on each side, its share of their width and height, within the picture."""
    added = np.tile(boxes[:, 2:] - boxes[:, :2], 2) * (-margin, -margin, margin, margin)
    return np.clip(boxes + added, 0, (width, height, width, height)).astype(np.float32)
