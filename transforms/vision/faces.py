"""Stage faces: bodies -> the best face of each, aligned, with its mesh and head pose."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import apache_beam as beam
import numpy as np

from model_handlers.catalogue import Entry
from model_handlers.geometry import cut, transform, transform_mesh, warp
from model_handlers.handlers import codec, handler
from model_handlers.interface import Array, Detections, Pixels
from transforms.tables.reasons import Rejected
from transforms.tables.schemas import Body, Face
from transforms.tables.steps import AskModel, Question, enter, leave, step
from transforms.vision.alignment import alignment, crop_side, mesh_landmarks
from transforms.vision.crops import upper_body_box
from transforms.vision.pixels import open_image, to_jpeg
from transforms.vision.pose import pose_of_landmarks, pose_of_mesh
from transforms.vision.quality import sharpness
from transforms.vision.settings import FaceSettings


@dataclass(frozen=True, slots=True, eq=False)
class _Head:
    """A body on its way through the stage; all geometry is in pixels of its crop.

    region (4,) where the face is looked for; box (4,), score, landmarks (5,2) of the best face; mesh (468,3).
    """

    body: Body
    pixels: Pixels
    region: Array
    box: Array | None = None
    score: float = 0.0
    landmarks: Array | None = None
    mesh: Array | None = None


class FindFaces(beam.PTransform):
    """Item[Body] -> Outcome[Face]; `models` has the entries of the role face, and of mesh if settings name one."""

    def __init__(self, settings: FaceSettings, models: Mapping[str, Entry], device: str = "cpu") -> None:
        super().__init__()
        self._settings, self._device = settings, device
        self._face, self._mesh = models["face"], models["mesh"] if settings.mesh_model else None

    def expand(self, items: beam.PCollection) -> beam.PCollection:
        """Decode, detect the face in the upper body, fit the mesh twice, align."""
        settings = self._settings
        run = {"device": self._device, **settings.inference.model_dump()}
        faces = Question(codec(self._face, settings.detector_side), _upper_body, partial(_choose, settings))
        heads = (
            items
            | "Enter" >> enter()
            | "Decode" >> step(partial(_decode, settings))
            | "Detect face" >> AskModel(handler(self._face, **run), faces)
        )
        if self._mesh is not None:
            # the first mesh, placed by the detector's landmarks, places the second
            mesh = Question(codec(self._mesh), _best_landmarks, partial(_with_mesh, settings))
            heads = heads | "Fit mesh" >> AskModel(handler(self._mesh, **run), mesh)
            heads = heads | "Refit mesh" >> AskModel(handler(self._mesh, **run), mesh)
        return heads | "Align" >> step(partial(_face, settings)) | "Leave" >> leave(_body_id)


def _body_id(body: Body) -> str:
    return body.body_id


def _decode(settings: FaceSettings, body: Body) -> _Head:
    pixels = open_image(body.crop)
    height, width = pixels.shape[:2]
    offset = np.array([body.crop_box[0], body.crop_box[1], 0], dtype=np.float32)
    region = upper_body_box(
        body.keypoints - offset,
        width,
        height,
        min_visibility=settings.min_visibility,
        extend_side=settings.extend_side,
        extend_up=settings.extend_up,
        extend_down=settings.extend_down,
    )
    return _Head(body, pixels, region)


def _upper_body(head: _Head) -> list[tuple[Any, ...]]:
    x1, y1, x2, y2 = (int(value) for value in head.region)
    return [(cut(head.pixels, x1, y1, x2, y2),)]


def _choose(settings: FaceSettings, head: _Head, results: list[Detections]) -> _Head:
    """The best face of the upper body, if it is good and large enough."""
    (found,) = results
    if not found.scores.size or found.scores[0] < settings.min_score or found.landmarks is None:
        raise Rejected("no_face", f"best score {found.scores.max(initial=0):.2f}, less than {settings.min_score}")
    corner = head.region[:2].astype(np.float32)
    box = found.boxes[0] + np.tile(corner, 2)
    longer = float(max(box[2] - box[0], box[3] - box[1]))
    if longer < settings.min_face_px:
        raise Rejected("small_face", f"{longer:.1f} pixels, less than {settings.min_face_px:g}")
    return replace(head, box=box, score=float(found.scores[0]), landmarks=found.landmarks[0] + corner)


def _best_landmarks(head: _Head) -> list[tuple[Any, ...]]:
    return [(head.pixels, head.landmarks if head.mesh is None else mesh_landmarks(head.mesh))]


def _with_mesh(settings: FaceSettings, head: _Head, results: list[tuple[Array, float]]) -> _Head:
    ((mesh, confidence),) = results
    return replace(head, mesh=mesh if confidence >= settings.min_mesh_score else None)


def _face(settings: FaceSettings, head: _Head) -> tuple[Face, ...]:
    body, box, landmarks = head.body, head.box, head.landmarks
    assert box is not None  # _choose ends heads without a face
    assert landmarks is not None
    side = crop_side(box, settings.side_per_box, settings.max_side)
    matrix = alignment(landmarks, side, settings.context)
    crop = warp(head.pixels, matrix, side)
    pose = pose_of_landmarks(landmarks) if head.mesh is None else pose_of_mesh(head.mesh)
    corner = body.crop_box[:2].astype(np.float32)
    face = Face(
        face_id=f"{body.body_id}-f0",
        body_id=body.body_id,
        image_id=body.image_id,
        label=body.label,
        source=body.source,
        box=box + np.tile(corner, 2),
        score=head.score,
        landmarks=landmarks + corner,
        crop=to_jpeg(crop, settings.jpeg_quality),
        side=side,
        crop_landmarks=transform(matrix, landmarks),
        mesh=None if head.mesh is None else transform_mesh(matrix, head.mesh),
        yaw=pose.yaw,
        pitch=pose.pitch,
        roll=pose.roll,
        sharpness=sharpness(crop),
    )
    return (face,)
