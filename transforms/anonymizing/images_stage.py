"""Stage anonymized of images: each image as a file in which faces and plates are covered."""

import hashlib
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import apache_beam as beam
import numpy as np

from model_handlers.interface import Pixels
from model_handlers.models.roles import KnownModels, Models
from transforms.anonymizing.anonymized_settings import AnonymizedImageSettings
from transforms.anonymizing.covers_settings import FindSettings, PaintSettings
from transforms.anonymizing.finding import KINDS, Found, find_models, hits, with_margin
from transforms.anonymizing.paint import cover
from transforms.flow.stages import RowStage
from transforms.flow.steps import ask, enter, leave, step
from transforms.images.pixels import open_image, to_jpeg
from transforms.tables.cover_rows import AnonymizedImage
from transforms.tables.files import commit_file
from transforms.tables.rows import Image
from transforms.tables.schemas import derived
from transforms.videos.library import file_path

TABLE = "anonymized"


def anonymize_images(
    find: FindSettings, paint: PaintSettings, settings: AnonymizedImageSettings, models: KnownModels
) -> RowStage:
    """The stage anonymized: every image of `images`, covered."""
    used = find_models(find, models)
    return RowStage(
        name=TABLE,
        reads="images",
        row_in=Image,
        writes=TABLE,
        row_out=AnonymizedImage,
        transform=partial(AnonymizeImages, find=find, paint=paint, settings=settings, models=used),
        settings={"find": find, "paint": paint, "anonymized": settings},
        models=used,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Scene:
    """An image on its way through the stage: its pixels, and what was found in them."""

    row: Image
    pixels: Pixels
    found: Found = field(default_factory=dict)


class AnonymizeImages(beam.PTransform):
    """Item[Image] -> Outcome[AnonymizedImage]; `models` has the roles face and plate, or one of them."""

    def __init__(
        self, run: str, find: FindSettings, paint: PaintSettings, settings: AnonymizedImageSettings, models: Models
    ) -> None:
        super().__init__()
        self._run, self._find, self._paint, self._settings, self._models = run, find, paint, settings, models

    def expand(self, items: beam.PCollection) -> beam.PCollection:
        """Decode, find each kind that has a model, write."""
        find = self._find
        scenes = items | "Enter" >> enter() | "Decode" >> step(_decode)
        for kind in KINDS:
            if kind in self._models:
                look = ask(self._models, kind, find.inference, _whole, partial(_with_hits, find, kind))
                scenes = scenes | f"Find {kind}" >> look
        write = partial(_write, self._run, find, self._paint, self._settings)
        return scenes | "Write" >> step(write) | "Leave" >> leave(Image)


def _decode(image: Image) -> _Scene:
    return _Scene(image, open_image(image.image))


def _whole(scene: _Scene) -> list[tuple[Any, ...]]:
    return [(scene.pixels,)]


def _with_hits(find: FindSettings, kind: str, scene: _Scene, results: list[Any]) -> _Scene:
    return replace(scene, found={**scene.found, kind: hits(kind, find, results)})


def image_name(image_id: str) -> str:
    """The path of an image's file, below the run's folder; in a folder below the table's shards."""
    return f"{TABLE}/{hashlib.sha256(image_id.encode()).hexdigest()[:2]}/{image_id}.jpg"


def _write(
    run: str, find: FindSettings, paint: PaintSettings, settings: AnonymizedImageSettings, scene: _Scene
) -> tuple[AnonymizedImage, ...]:
    """The row of the image's file, once that is committed. It is always encoded anew: metadata may hold a thumbnail."""
    height, width = scene.pixels.shape[:2]
    boxes = np.concatenate([with_margin(one.boxes, find.margin, width, height) for one in scene.found.values()])
    file = to_jpeg(cover(scene.pixels, boxes, paint), settings.quality)
    name = image_name(scene.row.image_id)
    with commit_file(file_path(run, name)) as out:
        out.write(file)
    row = derived(
        AnonymizedImage,
        scene.row,
        file=name,
        bytes=len(file),
        sha256=hashlib.sha256(file).hexdigest(),
        width=width,
        height=height,
        boxes=boxes,
        kinds=[kind for kind, one in scene.found.items() for _ in one.scores],
        scores=np.concatenate([one.scores for one in scene.found.values()]),
    )
    return (row,)
