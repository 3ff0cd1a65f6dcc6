"""The pictures of a record: the body on its canvas, the face, and the face at ArcFace's places; as JPEG files."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np

from model_handlers.geometry import ARCFACE, ARCFACE_SIDE, similarity, warp
from model_handlers.interface import Pixels
from transforms.bundle.images import is_jpeg, on_canvas, to_size
from transforms.bundle.keypoints import in_crop
from transforms.bundle.settings import BundleSettings
from transforms.bundle.sink import Picture
from transforms.bundle.statistics import Moments, moments
from transforms.images.pixels import open_image, to_jpeg
from transforms.tables.reasons import Rejected

BODY = ["crop", "crop_box", "keypoints"]
FACE = ["crop"]
ALIGNED = ["crop_landmarks"]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A picture as written, and its width and height in pixels."""

    image: bytes
    size: tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """The pictures of a record, ready to write; geometry is one element of GEOMETRY."""

    pictures: dict[Picture, Drawn]
    geometry: tuple[Any, ...]
    body_moments: Moments
    face_moments: Moments


def face_columns(wanted: Collection[Picture]) -> list[str]:
    """The columns of `faces` that the wanted pictures are made of."""
    return FACE + (ALIGNED if "aligned" in wanted else [])


def make(
    body: dict[str, Any], face: dict[str, Any], settings: BundleSettings, wanted: Collection[Picture]
) -> Made | Rejected:
    """The pictures of a record, or why there are none; `body` has the columns BODY, `face` those of `face_columns`."""
    try:
        crop, stored = open_image(body["crop"]), open_image(face["crop"])
    except Rejected as why:
        return why
    canvas = on_canvas(crop, settings.body_side, settings.fill)
    height, width = crop.shape[:2]
    points = in_crop(
        np.array(body["keypoints"], np.float32), np.array(body["crop_box"]), width, height, settings.min_visibility
    )
    face_file, face_pixels = _face(face["crop"], stored, settings)
    face_height, face_width = face_pixels.shape[:2]
    pictures: dict[Picture, Drawn] = {
        "body": Drawn(to_jpeg(canvas.pixels, settings.quality), (settings.body_side, settings.body_side)),
        "face": Drawn(face_file, (face_width, face_height)),
    }
    if "aligned" in wanted:
        pixels = aligned(stored, np.array(face["crop_landmarks"]))
        pictures["aligned"] = Drawn(to_jpeg(pixels, settings.quality), (ARCFACE_SIDE, ARCFACE_SIDE))
    return Made(
        pictures,
        (points, height, width, canvas.scale, canvas.offset, face_height, face_width),
        moments(canvas.pixels),
        moments(face_pixels),
    )


def aligned(crop: Pixels, landmarks: np.ndarray) -> Pixels:
    """The face (112,112,3) whose landmarks, (5,2) in the crop's pixels, lie at ArcFace's places; black outside.

    ValueError if the landmarks coincide.
    """
    return warp(crop, similarity(landmarks, ARCFACE), ARCFACE_SIDE)


def _face(stored: bytes, pixels: Pixels, settings: BundleSettings) -> tuple[bytes, Pixels]:
    """The face's file and pixels: as stored, or at `face_side`; encoded again only where that changes something."""
    if settings.face_side is not None:
        resized = to_size(pixels, settings.face_side, settings.face_side)
        if resized is not pixels:
            return to_jpeg(resized, settings.quality), resized
    return (stored if is_jpeg(stored) else to_jpeg(pixels, settings.quality)), pixels
