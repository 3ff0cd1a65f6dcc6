"""Stage faces of a video recipe: detections -> those that pass the quality filter, measured and cut out.

The tests of the filter go from cheap to dear: a small or doubtful face is never decoded, a blurred one meets no model.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import apache_beam as beam
import numpy as np

from model_handlers.catalogue import Entry
from model_handlers.geometry import cut_square, transform, transform_mesh
from model_handlers.handlers import codec, handler
from model_handlers.interface import EXPRESSIONS, Array, Pixels
from transforms.media.frame_cache import frame_pixels
from transforms.tables.reasons import Rejected
from transforms.tables.steps import AskModel, Question, enter, leave, step
from transforms.tables.video_schemas import Detection, VideoFace
from transforms.vision.alignment import mesh_landmarks
from transforms.vision.background import background_hash
from transforms.vision.crops import square_box
from transforms.vision.pixels import to_jpeg
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


class MeasureFaces(beam.PTransform):
    """Item[Detection] -> Outcome[VideoFace]; `models` has the roles mesh and emotion, if the settings name them."""

    def __init__(self, run: str, settings: VideoFaceSettings, models: Mapping[str, Entry], device: str = "cpu") -> None:
        super().__init__()
        self._run, self._settings, self._device = run, settings, device
        self._mesh = models["mesh"] if settings.mesh_model else None
        self._emotion = models["emotion"] if settings.emotion_model else None

    def expand(self, items: beam.PCollection) -> beam.PCollection:
        """Check, decode, fit the mesh twice, check the pose, ask for the emotion, cut out."""
        settings = self._settings
        run = {"device": self._device, **settings.inference.model_dump()}
        heads = (
            items
            | "Enter" >> enter()
            | "Check detection" >> step(partial(_check_detection, settings))
            | "Decode" >> step(partial(_decode, self._run, settings))
        )
        if self._mesh is not None:
            mesh = Question(codec(self._mesh), _best_landmarks, partial(_with_mesh, settings))
            heads = heads | "Fit mesh" >> AskModel(handler(self._mesh, **run), mesh)
            heads = heads | "Fit mesh again" >> AskModel(handler(self._mesh, **run), mesh)
        heads = heads | "Check pose" >> step(partial(_check_pose, settings))
        if self._emotion is not None:
            emotion = Question(codec(self._emotion), _best_landmarks, _with_emotion)
            heads = heads | "Read emotion" >> AskModel(handler(self._emotion, **run), emotion)
        return heads | "Cut out" >> step(partial(_face, settings)) | "Leave" >> leave(_face_id)


def _face_id(found: Detection) -> str:
    return found.face_id


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
    crop = cut_square(head.pixels, head.square, side)
    jpeg = to_jpeg(crop, settings.jpeg_quality)
    width, height = (float(value) for value in found.box[2:] - found.box[:2])
    ratio = width * height / (found.width * found.height)
    frontal = frontality(pose)
    face = VideoFace(
        face_id=found.face_id,
        frame_id=found.frame_id,
        video_id=found.video_id,
        label=found.label,
        source=found.source,
        media=found.media,
        number=found.number,
        time=found.time,
        segment=found.segment,
        sample=found.sample,
        shot=found.shot,
        box=found.box,
        score=found.score,
        landmarks=found.landmarks,
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
    return (face,)
