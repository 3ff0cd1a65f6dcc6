"""Stage embeddings: faces -> the vector of each."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa

from model_handlers.interface import Array, Pixels
from model_handlers.models.catalogue import Entry
from model_handlers.models.roles import KnownModels, Models
from model_handlers.models.trial import wrong_dimension
from transforms.flow.stages import RowStage
from transforms.flow.steps import ask, enter, leave, step
from transforms.images.pixels import open_image
from transforms.tables.reasons import Rejected
from transforms.tables.rows import Embedding, Face
from transforms.tables.schemas import derived
from transforms.tables.video_rows import VideoFace
from transforms.vision.settings import EmbeddingSettings


def embed_faces(
    settings: EmbeddingSettings,
    models: KnownModels,
    row_in: type[Face] | type[VideoFace] = Face,
    without: str | None = None,
) -> RowStage:
    """The stage embeddings: a vector of each face, of images or videos, less those the table `without` lists."""
    used = models.of(embedding=settings.model)
    return RowStage(
        name="embeddings",
        reads="faces",
        row_in=row_in,
        writes="embeddings",
        row_out=Embedding,
        column_types={"vector": pa.list_(pa.float16(), used["embedding"].dimension)},
        transform=lambda run: EmbedFaces(settings, used),
        settings={"embeddings": settings},
        models=used,
        without=without,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Crop:
    """A face on its way through the stage."""

    face: Face | VideoFace
    pixels: Pixels


class EmbedFaces(beam.PTransform):
    """Item[Face], or Item[VideoFace], -> Outcome[Embedding]; `models` has the role embedding."""

    def __init__(self, settings: EmbeddingSettings, models: Models) -> None:
        super().__init__()
        self._settings, self._models = settings, models

    def expand(self, items: beam.PCollection) -> beam.PCollection:
        """Decode the aligned crop, embed it."""
        row = partial(embedding_rows, self._models["embedding"])
        return (
            items
            | "Enter" >> enter()
            | "Decode" >> step(_decode)
            | "Embed" >> ask(self._models, "embedding", self._settings.inference, _aligned, row)
            | "Leave" >> leave(Face)
        )


def _decode(face: Face | VideoFace) -> Crop:
    return Crop(face, open_image(face.crop))


def _aligned(crop: Crop) -> list[tuple[Any, ...]]:
    return [(crop.pixels, crop.face.crop_landmarks, crop.face.mesh)]


def embedding_rows(entry: Entry, crop: Crop, results: list[Array]) -> tuple[Embedding, ...]:
    """The row of a face's vector; Rejected `model_error` for one of another length, or without a direction."""
    (vector,), face = results, crop.face
    if vector.shape != (entry.dimension,):
        raise Rejected("model_error", wrong_dimension(entry, vector))
    norm = float(np.linalg.norm(vector.astype(np.float64)))
    if not np.isfinite(norm) or norm == 0:
        raise Rejected("model_error", f"the embedding's norm is {norm}")
    embedding = derived(
        Embedding,
        face,
        body_id=None if isinstance(face, VideoFace) else face.body_id,
        image_id=face.frame_id if isinstance(face, VideoFace) else face.image_id,
        face_score=face.score,
        face_px=float(np.min(face.box[2:] - face.box[:2])),
        vector=vector.astype(np.float16),
        norm=norm,
        model=entry.name,
    )
    return (embedding,)
