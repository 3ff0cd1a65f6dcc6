"""Stage faces: bodies -> the best face of each, aligned, with its mesh and head pose."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import apache_beam as beam
import numpy as np

from model_handlers.geometry import cut_out, transform, transform_mesh, warp
from model_handlers.interface import Array, Detections, Pixels
from model_handlers.models.roles import KnownModels, Models
from transforms.flow.stages import RowStage
from transforms.flow.steps import ask, enter, leave, step
from transforms.images.pixels import open_image, to_jpeg
from transforms.tables.reasons import Rejected
from transforms.tables.rows import Body, Face
from transforms.tables.schemas import derived
from transforms.vision.alignment import alignment, crop_side, mesh_landmarks
from transforms.vision.crops import upper_body_box
from transforms.vision.filters import check_filters
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


def find_faces(settings: FaceSettings, models: KnownModels) -> RowStage:
    """The stage faces: the best face of each body."""
    used = models.of({"face": settings.detector_side}, face=settings.face_model, mesh=settings.mesh_model)
    return RowStage(
        name="faces",
        reads="bodies",
        row_in=Body,
        writes="faces",
        row_out=Face,
        transform=lambda run: FindFaces(settings, used),
        settings={"faces": settings},
        models=used,
    )


class FindFaces(beam.PTransform):
    """Item[Body] -> Outcome[Face]; `models` has the role face, and may have mesh, by which faces are aligned."""

    def __init__(self, settings: FaceSettings, models: Models) -> None:
        super().__init__()
        self._settings, self._models = settings, models

    def expand(self, items: beam.PCollection) -> beam.PCollection:
        """Decode, detect the face in the upper body, fit the mesh twice, align."""
        settings, models = self._settings, self._models
        heads = (
            items
            | "Enter" >> enter()
            | "Decode" >> step(partial(_decode, settings))
            | "Detect face" >> ask(models, "face", settings.inference, _upper_body, partial(_choose, settings))
        )
        if "mesh" in models:
            # the first mesh, placed by the detector's landmarks, places the second
            fit = ask(models, "mesh", settings.inference, _best_landmarks, partial(_with_mesh, settings))
            heads = heads | "Fit mesh" >> fit | "Refit mesh" >> fit
        return heads | "Align" >> step(partial(_face, settings)) | "Leave" >> leave(Body)


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
    return [(cut_out(head.pixels, x1, y1, x2, y2),)]


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
    face = derived(
        Face,
        body,
        face_id=f"{body.body_id}-f0",
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
    check_filters(settings.filters, face)
    return (face,)
