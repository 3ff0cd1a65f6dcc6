"""Stage faces of a video recipe: detections -> those that pass the quality filter, measured and cut out.

The tests of the filter go from cheap to dear: a small or doubtful face is never decoded, a blurred one meets no model.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import apache_beam as beam
import numpy as np

from model_handlers.geometry import cut_out_square, transform, transform_mesh
from model_handlers.interface import EXPRESSIONS, Array, Pixels
from model_handlers.models.roles import KnownModels, Models
from transforms.flow.stages import RowStage
from transforms.flow.steps import ask, enter, leave, step
from transforms.images.pixels import to_jpeg
from transforms.tables.reasons import Rejected
from transforms.tables.schemas import derived
from transforms.tables.video_rows import Detection, VideoFace
from transforms.videos.frame_cache import frame_pixels
from transforms.vision.alignment import mesh_landmarks
from transforms.vision.background import background_hash
from transforms.vision.crops import square_box
from transforms.vision.filters import check_filters
from transforms.vision.pose import Pose, pose_of_landmarks, pose_of_mesh
from transforms.vision.quality import composite, frontality, sharpness
from transforms.vision.settings import VideoFaceSettings


@dataclass(frozen=True, slots=True, eq=False)
class _Head:
    """A detection on its way through the stage; all geometry is in pixels of its frame.

    square (4,) what is cut out; mesh (468,3); emotion: name and probability.
    """

    found: Detection
    pixels: Pixels
    square: Array
    sharpness: float
    mesh: Array | None = None
    pose: Pose | None = None
    emotion: tuple[str, float] | None = None


def measure_faces(settings: VideoFaceSettings, models: KnownModels) -> RowStage:
    """The stage faces of videos: detections that pass the quality filter, measured and cut out."""
    used = models.of(mesh=settings.mesh_model, emotion=settings.emotion_model)
    return RowStage(
        name="faces",
        reads="detections",
        row_in=Detection,
        writes="faces",
        row_out=VideoFace,
        transform=partial(MeasureFaces, settings=settings, models=used),
        settings={"faces": settings},
        models=used,
    )


class MeasureFaces(beam.PTransform):
    """Item[Detection] -> Outcome[VideoFace]; `models` may have the roles mesh and emotion."""

    def __init__(self, run: str, settings: VideoFaceSettings, models: Models) -> None:
        super().__init__()
        self._run, self._settings, self._models = run, settings, models

    def expand(self, items: beam.PCollection) -> beam.PCollection:
        """Check, decode, fit the mesh twice, check the pose, ask for the emotion, cut out."""
        settings, models = self._settings, self._models
        heads = (
            items
            | "Enter" >> enter()
            | "Check detection" >> step(partial(_check_detection, settings))
            | "Decode" >> step(partial(_decode, self._run, settings))
        )
        if "mesh" in models:
            fit = ask(models, "mesh", settings.inference, _best_landmarks, partial(_with_mesh, settings))
            heads = heads | "Fit mesh" >> fit | "Refit mesh" >> fit
        heads = heads | "Check pose" >> step(partial(_check_pose, settings))
        if "emotion" in models:
            heads = heads | "Read emotion" >> ask(models, "emotion", settings.inference, _best_landmarks, _with_emotion)
        return heads | "Cut out" >> step(partial(_face, settings)) | "Leave" >> leave(Detection)


def _check_detection(settings: VideoFaceSettings, found: Detection) -> Detection:
    shorter = float(min(found.box[2] - found.box[0], found.box[3] - found.box[1]))
    if shorter < settings.min_face_px:
        raise Rejected("small_face", f"{shorter:.1f} pixels, less than {settings.min_face_px:g}")
    if found.score < settings.min_score:
        raise Rejected("low_score", f"{found.score:.3f}, less than {settings.min_score:g}")
    return found


def _decode(run: str, settings: VideoFaceSettings, found: Detection) -> _Head:
    pixels = frame_pixels(run, found.media, found.number)
    height, width = pixels.shape[:2]
    square = square_box(found.box, settings.margin, width, height)
    x1, y1, x2, y2 = (int(value) for value in square)
    sharp = sharpness(pixels[max(y1, 0) : y2, max(x1, 0) : x2])  # the edge of the frame is no edge in the picture
    if sharp < settings.min_sharpness:
        raise Rejected("blurred_face", f"sharpness {sharp:.1f}, less than {settings.min_sharpness:g}")
    return _Head(found, pixels, square, sharp)


def _best_landmarks(head: _Head) -> list[tuple[Any, ...]]:
    return [(head.pixels, head.found.landmarks if head.mesh is None else mesh_landmarks(head.mesh))]


def _with_mesh(settings: VideoFaceSettings, head: _Head, results: list[tuple[Array, float]]) -> _Head:
    ((mesh, confidence),) = results
    return replace(head, mesh=mesh if confidence >= settings.min_mesh_score else None)


def _check_pose(settings: VideoFaceSettings, head: _Head) -> _Head:
    pose = pose_of_landmarks(head.found.landmarks) if head.mesh is None else pose_of_mesh(head.mesh)
    if abs(pose.yaw) > settings.max_yaw:
        raise Rejected("large_yaw", f"{pose.yaw:.1f} degrees, more than {settings.max_yaw:g}")
    if abs(pose.pitch) > settings.max_pitch:
        raise Rejected("large_pitch", f"{pose.pitch:.1f} degrees, more than {settings.max_pitch:g}")
    if frontality(pose) < settings.min_frontality:
        raise Rejected("low_frontality", f"{frontality(pose):.3f}, less than {settings.min_frontality:g}")
    return replace(head, pose=pose)


def _with_emotion(head: _Head, results: list[Array]) -> _Head:
    (probabilities,) = results
    likeliest = int(probabilities.argmax())
    return replace(head, emotion=(EXPRESSIONS[likeliest], float(probabilities[likeliest])))


def _face(settings: VideoFaceSettings, head: _Head) -> tuple[VideoFace, ...]:
    found, side, pose = head.found, settings.side, head.pose
    assert pose is not None  # _check_pose comes before
    x1, y1, x2, _ = (int(value) for value in head.square)
    scale = side / (x2 - x1)
    matrix = np.array([[scale, 0, -scale * x1], [0, scale, -scale * y1]])
    crop = cut_out_square(head.pixels, head.square, side)
    jpeg = to_jpeg(crop, settings.jpeg_quality)
    width, height = (float(value) for value in found.box[2:] - found.box[:2])
    ratio = width * height / (found.width * found.height)
    frontal = frontality(pose)
    face = derived(
        VideoFace,
        found,
        crop=jpeg,
        crop_bytes=len(jpeg),
        side=side,
        crop_landmarks=transform(matrix, found.landmarks),
        mesh=None if head.mesh is None else transform_mesh(matrix, head.mesh),
        yaw=pose.yaw,
        pitch=pose.pitch,
        roll=pose.roll,
        sharpness=head.sharpness,
        frontality=frontal,
        face_ratio=ratio,
        composite=composite(head.sharpness, frontal, found.score, ratio),
        emotion=None if head.emotion is None else head.emotion[0],
        emotion_score=None if head.emotion is None else head.emotion[1],
        bg_hash=background_hash(crop, transform(matrix, found.box.reshape(2, 2)).reshape(4)),
    )
    check_filters(settings.filters, face)
    return (face,)
