"""Stage detections: images, or sampled frames of videos, -> every face in them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

import apache_beam as beam
import numpy as np

from model_handlers.geometry import resize
from model_handlers.interface import Array, Detections, Pixels
from model_handlers.models.roles import KnownModels, Models
from transforms.flow.stages import RowStage
from transforms.flow.steps import ask, enter, leave, step
from transforms.images.pixels import open_image
from transforms.tables.reasons import Rejected
from transforms.tables.rows import Image, ImageFace
from transforms.tables.schemas import derived, key_name
from transforms.tables.video_rows import Detection, Frame
from transforms.videos.frame_cache import frame_pixels
from transforms.vision.settings import DetectionSettings

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Pictures(Generic[Row]):
    """Where faces are looked for: the rows of a table, their pixels, and the type of the rows that faces become.

    `pixels(run, row)` gives RGB (H,W,3). A row of `row_out` has face_id, box, score and landmarks of its own, and all
    else from the row in which the face was found.
    """

    table: str
    row_in: type[Row]
    pixels: Callable[[str, Row], Pixels]
    row_out: type[Any]


def _image_pixels(_run: str, image: Image) -> Pixels:
    return open_image(image.image)


def _frame_pixels(run: str, frame: Frame) -> Pixels:
    return frame_pixels(run, frame.media, frame.number)


IMAGES = Pictures("images", Image, _image_pixels, ImageFace)
FRAMES = Pictures("frames", Frame, _frame_pixels, Detection)


def find_detections(settings: DetectionSettings, models: KnownModels, where: Pictures[Any] = FRAMES) -> RowStage:
    """The stage detections: every face in frames of videos, in whole images, or in pictures of one's own."""
    used = models.of({"face": settings.detector_side}, face=settings.face_model)
    return RowStage(
        name="detections",
        reads=where.table,
        row_in=where.row_in,
        writes="detections",
        row_out=where.row_out,
        transform=partial(FindDetections, settings=settings, models=used, where=where),
        settings={"detections": settings},
        models=used,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Scene:
    """A row on its way through the stage, its pixels as the detector gets them, and what their sides were shrunk to."""

    row: Any
    pixels: Pixels
    scale: Array  # (2,) of x and y


class FindDetections(beam.PTransform):
    """Items of `where.row_in` -> Outcomes of `where.row_out`; `models` has the role face."""

    def __init__(self, run: str, settings: DetectionSettings, models: Models, where: Pictures[Any]) -> None:
        super().__init__()
        self._run, self._settings, self._models, self._where = run, settings, models, where

    def expand(self, items: beam.PCollection) -> beam.PCollection:
        """Decode, detect faces."""
        rows = partial(_rows, self._settings, self._where)
        return (
            items
            | "Enter" >> enter()
            | "Decode" >> step(partial(_decode, self._run, self._settings, self._where))
            | "Detect faces" >> ask(self._models, "face", self._settings.inference, _whole, rows)
            | "Leave" >> leave(self._where.row_in)
        )


def _decode(run: str, settings: DetectionSettings, where: Pictures[Any], row: Any) -> _Scene:
    pixels = where.pixels(run, row)
    height, width = pixels.shape[:2]
    ratio = min(settings.resize_ratio, (settings.max_height or height) / height, 1)
    small = resize(pixels, max(1, round(width * ratio)), max(1, round(height * ratio)))
    return _Scene(row, small, np.array([small.shape[1] / width, small.shape[0] / height]))


def _whole(scene: _Scene) -> list[tuple[Any, ...]]:
    return [(scene.pixels,)]


def _rows(
    settings: DetectionSettings, where: Pictures[Any], scene: _Scene, results: list[Detections]
) -> tuple[Any, ...]:
    """The faces above the threshold, best first."""
    (found,) = results
    good = np.flatnonzero(found.scores >= settings.min_score)
    if not good.size or found.landmarks is None:
        raise Rejected("no_face", f"best score {found.scores.max(initial=0):.2f}, less than {settings.min_score}")
    most = settings.max_faces or good.size
    if good.size > most and settings.crowds == "drop":
        raise Rejected("crowded", f"{good.size} faces, more than {most}")
    good = good[np.argsort(-found.scores[good], kind="stable")][:most]
    parent = getattr(scene.row, key_name(where.row_in))
    return tuple(
        derived(
            where.row_out,
            scene.row,
            face_id=f"{parent}-f{n}",
            box=(found.boxes[n] / np.tile(scene.scale, 2)).astype(np.float32),
            score=float(found.scores[n]),
            landmarks=(found.landmarks[n] / scene.scale).astype(np.float32),
        )
        for n in good.tolist()
    )
