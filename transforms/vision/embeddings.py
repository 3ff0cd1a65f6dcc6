"""Stage embeddings: faces -> the vector of each."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa

from model_handlers.catalogue import Entry
from model_handlers.handlers import codec, handler
from model_handlers.interface import Array, Pixels
from model_handlers.trial import wrong_dimension
from transforms.tables.reasons import Rejected
from transforms.tables.schemas import Embedding, Face, arrow_schema
from transforms.tables.steps import AskModel, Question, enter, leave, step
from transforms.tables.video_schemas import VideoFace
from transforms.vision.pixels import open_image
from transforms.vision.settings import EmbeddingSettings


def embedding_schema(entry: Entry) -> pa.Schema:
    """The schema of the table embeddings for this model: vectors of its dimension."""
    return arrow_schema(Embedding, vector=pa.list_(pa.float16(), entry.dimension))


@dataclass(frozen=True, slots=True, eq=False)
class _Crop:
    """A face on its way through the stage."""

    face: Face | VideoFace
    pixels: Pixels


class EmbedFaces(beam.PTransform):
    """Item[Face], or Item[VideoFace], -> Outcome[Embedding]; `models` has the entry of the role embedding."""

    def __init__(self, settings: EmbeddingSettings, models: Mapping[str, Entry], device: str = "cpu") -> None:
        super().__init__()
        self._settings, self._entry, self._device = settings, models["embedding"], device

    def expand(self, items: beam.PCollection) -> beam.PCollection:
        """Decode the aligned crop, embed it."""
        run = {"device": self._device, **self._settings.inference.model_dump()}
        vectors = Question(codec(self._entry), _aligned, partial(_embedding, self._entry))
        return (
            items
            | "Enter" >> enter()
            | "Decode" >> step(_decode)
            | "Embed" >> AskModel(handler(self._entry, **run), vectors)
            | "Leave" >> leave(_face_id)
        )


def _face_id(face: Face | VideoFace) -> str:
    return face.face_id


def _decode(face: Face | VideoFace) -> _Crop:
    return _Crop(face, open_image(face.crop))


def _aligned(crop: _Crop) -> list[tuple[Any, ...]]:
    return [(crop.pixels, crop.face.crop_landmarks, crop.face.mesh)]


def _embedding(entry: Entry, crop: _Crop, results: list[Array]) -> tuple[Embedding, ...]:
    (vector,), face = results, crop.face
    if vector.shape != (entry.dimension,):
        raise Rejected("model_error", wrong_dimension(entry, vector))
    norm = float(np.linalg.norm(vector.astype(np.float64)))
    if not np.isfinite(norm) or norm == 0:
        raise Rejected("model_error", f"the embedding's norm is {norm}")
    embedding = Embedding(
        face_id=face.face_id,
        body_id=None if isinstance(face, VideoFace) else face.body_id,
        image_id=face.frame_id if isinstance(face, VideoFace) else face.image_id,
        label=face.label,
        source=face.source,
        face_score=face.score,
        face_px=float(np.min(face.box[2:] - face.box[:2])),
        vector=vector.astype(np.float16),
        norm=norm,
        model=entry.name,
    )
    return (embedding,)
