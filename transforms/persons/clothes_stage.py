"""Stage clothes: faces of videos -> what the clothes under each look like."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import apache_beam as beam
import numpy as np
import pyarrow as pa

from model_handlers.geometry import cut_out
from model_handlers.interface import Array, Pixels
from model_handlers.models.roles import KnownModels, Models
from transforms.flow.stages import RowStage
from transforms.flow.steps import ask, enter, leave, step
from transforms.persons.clothes_settings import ClothesSettings
from transforms.persons.clothing import BINS, COLOURS, clothes_box, colours, visible_share
from transforms.tables.person_rows import Clothing
from transforms.tables.reasons import Rejected
from transforms.tables.schemas import derived
from transforms.tables.video_rows import VideoFace
from transforms.videos.frame_cache import frame_pixels


@dataclass(frozen=True, slots=True, eq=False)
class _Dressed:
    """A face on its way through the stage: where its clothes are, and their pixels."""

    face: VideoFace
    box: Array
    pixels: Pixels


def describe_clothes(settings: ClothesSettings, models: KnownModels) -> RowStage:
    """The stage clothes: what is worn under each face of `faces`."""
    used = models.of(clothing=settings.model)
    length = used["clothing"].dimension if "clothing" in used else int(np.prod(BINS))
    return RowStage(
        name="clothes",
        reads="faces",
        row_in=VideoFace,
        writes="clothes",
        row_out=Clothing,
        column_types={"vector": pa.list_(pa.float16(), length)},
        transform=partial(DescribeClothes, settings=settings, models=used),
        settings={"clothes": settings},
        models=used,
    )


class DescribeClothes(beam.PTransform):
    """Item[VideoFace] -> Outcome[Clothing]; `models` may have the role clothing."""

    def __init__(self, run: str, settings: ClothesSettings, models: Models) -> None:
        super().__init__()
        self._run, self._settings, self._models = run, settings, models

    def expand(self, items: beam.PCollection) -> beam.PCollection:
        """Decode the frame, cut the clothes out, describe them."""
        dressed = items | "Enter" >> enter() | "Cut out" >> step(partial(_cut_out, self._run, self._settings))
        if "clothing" in self._models:
            row = partial(_of_model, self._models["clothing"].name)
            described = dressed | "Describe" >> ask(self._models, "clothing", self._settings.inference, _pixels, row)
        else:
            described = dressed | "Describe" >> step(_of_colours)
        return described | "Leave" >> leave(VideoFace)


def _cut_out(run: str, settings: ClothesSettings, face: VideoFace) -> _Dressed:
    pixels = frame_pixels(run, face.media, face.number)
    height, width = pixels.shape[:2]
    box = clothes_box(face.box, height)
    share = visible_share(box, face.box)
    beyond = width if settings.model else 0  # what lies outside is black, for a model; it is no colour of clothes
    corners = np.clip(np.rint(box), [-beyond, 0, -beyond, 0], [width + beyond, height] * 2).astype(int)
    if share < settings.min_visible or corners[3] <= corners[1] or corners[2] <= corners[0]:
        raise Rejected("no_clothes", f"{share:.2f} of their height is in the frame, less than {settings.min_visible:g}")
    return _Dressed(face, box, cut_out(pixels, *corners.tolist()))


def _pixels(dressed: _Dressed) -> list[tuple[Any, ...]]:
    return [(dressed.pixels,)]


def _of_model(name: str, dressed: _Dressed, results: list[Array]) -> tuple[Clothing, ...]:
    (vector,) = results
    return (_row(dressed, vector, name),)


def _of_colours(dressed: _Dressed) -> tuple[Clothing, ...]:
    return (_row(dressed, colours(dressed.pixels), COLOURS),)


def _row(dressed: _Dressed, vector: Array, descriptor: str) -> Clothing:
    with np.errstate(over="ignore"):
        stored = vector.astype(np.float16)
    if not np.isfinite(stored).all() or not stored.any():
        raise Rejected("model_error", "the clothes' vector is zero or not finite")
    return derived(Clothing, dressed.face, clothes_box=dressed.box, vector=stored, descriptor=descriptor)
