"""Detections and faces of video frames with the real models: every face of a frame, one reason for each drop, crops."""

import io
from dataclasses import fields, replace
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest

from model_handlers.interface import EXPRESSIONS
from model_handlers.models import catalogue
from model_handlers.models.roles import KnownModels, Models
from tests import videos
from tests.portraits import portrait
from tests.transforms.vision.test_vision_stages import cells, rows, run
from transforms.flow.items import Item
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import iter_rows, to_table, write_shard
from transforms.tables.video_rows import Detection, Frame, VideoFace
from transforms.videos.frame_cache import frame_pixels
from transforms.vision.background import background_hash, hash_distance
from transforms.vision.detections_stage import FRAMES, FindDetections
from transforms.vision.embeddings_stage import EmbedFaces
from transforms.vision.quality import composite, sharpness
from transforms.vision.settings import DetectionSettings, EmbeddingSettings, VideoFaceSettings
from transforms.vision.video_faces_stage import MeasureFaces

pytestmark = pytest.mark.integration
SIZE = (1280, 720)
SHOWN = ("obama-1", "hill-1", "friends-1", "lake-1", "corner")
ROLES = {"face": "centerface", "mesh": "facemesh", "emotion": "emotion", "embedding": "dlib-resnet"}


@lru_cache
def models() -> Models:
    return KnownModels(catalogue.load()).of(**ROLES)


def picture(name: str) -> np.ndarray:
    if name in ("friends-1", "lake-1"):
        return videos.fitted(videos.photograph(name), SIZE)
    return portrait("obama-1", SIZE, (0.06, 0.16), 0.3) if name == "corner" else portrait(name, SIZE, height=0.25)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> str:
    """A run whose only video has a frame for each of SHOWN."""
    made = tmp_path_factory.mktemp("run")
    how = videos.File(options={"preset": "ultrafast", "crf": "8"})
    videos.write(made / "v.mp4", map(picture, SHOWN), how)
    return str(made)


def frame(number: int) -> Frame:
    return Frame(f"v-n{number}", "v", "a label", '{"k":1}', "v.mp4", number, number / 25, "front", number, 7, *SIZE)


def found(folder: str, *stages, **settings) -> list[list[Any]]:
    items = [Item("c", (n,), Fraction(1, 6), frame(n)) for n in range(5)] + [Item("c", (5,), Fraction(1, 6), None)]
    return run(items, FindDetections(folder, DetectionSettings(**settings), models(), FRAMES), *stages)


@pytest.fixture(scope="module")
def outcomes(folder) -> list[list[Any]]:
    return found(folder, MeasureFaces(folder, VideoFaceSettings(), models()))


def test_no_items(folder):
    stages = (
        FindDetections(folder, DetectionSettings(), models(), FRAMES),
        MeasureFaces(folder, VideoFaceSettings(), models()),
    )
    assert run([], *stages) == [[], []]


def test_every_face_of_a_frame_is_found(outcomes):
    faces = [list(outcome.rows) for outcome in outcomes[0]]
    assert [len(some) for some in faces] == [1, 1, 6, 0, 1, 0]
    for number, some in enumerate(faces):
        assert [row.face_id for row in some] == [f"v-n{number}-f{n}" for n in range(len(some))]
        assert [row.score for row in some] == sorted((row.score for row in some), reverse=True)
        for row in some:
            copied = [f.name for f in fields(Frame)]
            assert [getattr(row, name) for name in copied] == [getattr(frame(number), name) for name in copied]
            x, y = row.landmarks.mean(axis=0)
            assert row.box[0] < x < row.box[2]
            assert row.box[1] < y < row.box[3]
    assert [outcome.verdict and outcome.verdict.reason for outcome in outcomes[0]] == ["", "", "", "no_face", "", None]
    assert [sum(outcome.share for outcome in stage) for stage in outcomes] == [1, 1]


def test_the_detector_s_threshold(folder):
    (made,) = found(folder, min_score=0.995)
    assert {outcome.verdict.reason for outcome in made[:5]} == {"no_face"}


@pytest.mark.parametrize(
    "settings", [{"max_height": 360}, {"resize_ratio": 0.5}, {"max_height": 500, "resize_ratio": 0.5}]
)
def test_faces_of_smaller_frames_come_back_in_pixels_of_the_whole_one(folder, outcomes, settings):
    (small,) = found(folder, **settings)
    for one, other in zip(outcomes[0], small, strict=True):
        for best, again in zip(one.rows[:1], other.rows[:1], strict=True):
            side = np.subtract(*best.box[[2, 0]])
            np.testing.assert_allclose(again.box, best.box, atol=0.15 * side)
            np.testing.assert_allclose(again.landmarks, best.landmarks, atol=0.1 * side)
            assert (again.box.dtype, again.landmarks.dtype) == (np.float32, np.float32)
            assert (again.width, again.height) == SIZE


def test_frames_that_are_small_enough_are_left_alone(folder, outcomes):
    (same,) = found(folder, max_height=720, max_faces=6)
    assert [[cells(row) for row in one.rows] for one in same] == [
        [cells(row) for row in one.rows] for one in outcomes[0]
    ]


def test_of_a_crowd_the_best_are_kept_or_none(folder, outcomes):
    (best,) = found(folder, max_faces=4)
    assert [len(outcome.rows) for outcome in best] == [1, 1, 4, 0, 1, 0]
    assert [cells(row) for row in best[2].rows] == [cells(row) for row in outcomes[0][2].rows[:4]]
    (none,) = found(folder, max_faces=4, crowds="drop")
    assert [len(outcome.rows) for outcome in none] == [1, 1, 0, 0, 1, 0]
    verdict = none[2].verdict
    assert (verdict.reason, verdict.state, verdict.detail) == ("crowded", "dropped", "6 faces, more than 4")
    (as_many,) = found(folder, max_faces=6, crowds="drop")
    assert [len(outcome.rows) for outcome in as_many] == [1, 1, 6, 0, 1, 0]


def test_what_passes_is_measured(folder, outcomes):
    found = {row.face_id: row for row in rows(outcomes[0])}
    faces = rows(outcomes[1])
    assert {"v-n0-f0", "v-n1-f0", "v-n4-f0"} <= {face.face_id for face in faces}
    for face in faces:
        pixels, detection = frame_pixels(folder, face.media, face.number), found[face.face_id]
        copied = [f.name for f in fields(Detection) if f.name not in ("width", "height")]
        assert [cells(face)[i] for i, f in enumerate(fields(VideoFace)) if f.name in copied] == [
            cells(detection)[i] for i, f in enumerate(fields(Detection)) if f.name in copied
        ]
        crop = np.asarray(PIL.Image.open(io.BytesIO(face.crop)))
        assert crop.shape == (face.side, face.side, 3) == (512, 512, 3)
        assert face.crop_bytes == len(face.crop)
        # one scale and shift takes the landmarks from frame to crop, and there the same is to be seen
        scale = np.linalg.norm(face.crop_landmarks[0] - face.crop_landmarks[4]) / np.linalg.norm(
            face.landmarks[0] - face.landmarks[4]
        )
        shift = face.crop_landmarks - face.landmarks * scale
        np.testing.assert_allclose(shift, shift[:1].repeat(5, 0), atol=0.01)
        (x1, y1), side = np.round(-shift[0] / scale).astype(int), round(512 / scale)
        cut = pixels[y1 : y1 + side, x1 : x1 + side]
        assert cut.shape == (side, side, 3)  # wholly inside the frame
        assert face.sharpness == pytest.approx(sharpness(cut))
        nearest = np.minimum((np.arange(512) + 0.5) / scale, side - 1).astype(int)
        assert np.abs(crop.astype(float) - cut[nearest][:, nearest]).mean() < 6
        longer = max(face.box[2:] - face.box[:2])
        assert side == pytest.approx(1.6 * longer, abs=2)
        ratio = np.prod(face.box[2:] - face.box[:2]) / (SIZE[0] * SIZE[1])
        assert face.face_ratio == pytest.approx(ratio)
        expected = 1 - (1.5 * abs(face.yaw) + abs(face.pitch) + 0.5 * abs(face.roll)) / 270
        assert face.frontality == pytest.approx(expected)
        assert face.composite == pytest.approx(composite(face.sharpness, expected, face.score, ratio))
        box = (face.box.reshape(2, 2) * scale + shift[0]).reshape(4)
        assert hash_distance(face.bg_hash, background_hash(crop, box)) <= 4  # of 64 bits; JPEG changes few
        assert face.bg_hash != "0" * 16
        assert face.mesh.shape == (468, 3)
        eyes = [face.mesh[[33, 133], :2].mean(axis=0), face.mesh[[362, 263], :2].mean(axis=0)]
        np.testing.assert_allclose(eyes, face.crop_landmarks[:2], atol=25)
        assert face.emotion in EXPRESSIONS
        assert 1 / 7 <= face.emotion_score <= 1
    smiling = {face.face_id: face.emotion for face in faces}
    assert smiling["v-n0-f0"] == smiling["v-n1-f0"] == "happy"


def test_a_face_in_the_corner_is_cut_inside_the_frame(outcomes):
    (corner,) = [face for face in rows(outcomes[1]) if face.number == 4]
    crop = np.asarray(PIL.Image.open(io.BytesIO(corner.crop)))
    assert (crop.max(axis=2) > 16).mean() > 0.9  # no black margin


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({}, ""),
        ({"min_face_px": 400}, "small_face"),
        ({"min_score": 0.999}, "low_score"),
        ({"min_score": 0.999, "min_face_px": 400}, "small_face"),
        ({"min_sharpness": 1e5}, "blurred_face"),
        ({"max_yaw": 0}, "large_yaw"),
        ({"max_pitch": 0}, "large_pitch"),
        ({"min_frontality": 1}, "low_frontality"),
    ],
)
def test_each_threshold_has_its_reason(folder, outcomes, settings, reason):
    item = Item("c", (0,), Fraction(1), rows(outcomes[0])[0])
    ((outcome,),) = run([item], MeasureFaces(folder, VideoFaceSettings(**settings), models()))
    assert outcome.verdict.reason == reason
    assert (outcome.verdict.detail != "") == (reason != "")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"box": np.array([10, 10, 60, 300], np.float32)}, "small_face"),
        ({"score": 0.5}, "low_score"),
        ({}, "internal_error"),  # only now the video is missed
    ],
)
def test_cheap_tests_need_no_pixels(folder, outcomes, change, reason):
    lost = replace(rows(outcomes[0])[0], media="nowhere.mp4", **change)
    item = Item("c", (0,), Fraction(1), lost)
    ((outcome,),) = run([item], MeasureFaces(folder, VideoFaceSettings(), models()))
    assert outcome.verdict.reason == reason


def test_mesh_and_emotion_may_be_left_out(folder, outcomes):
    item = Item("c", (0,), Fraction(1), rows(outcomes[0])[0])
    settings = VideoFaceSettings(mesh_model=None, emotion_model=None, side=256, margin=0)
    ((outcome,),) = run([item], MeasureFaces(folder, settings, Models()))
    (face,) = outcome.rows
    assert (face.mesh, face.emotion, face.emotion_score) == (None, None, None)
    assert PIL.Image.open(io.BytesIO(face.crop)).size == (256, 256)


def test_cutting_into_jobs_changes_no_bit(folder, outcomes, tmp_path):
    """The stage reads what the one before wrote to parquet, in another order."""
    path = str(Path(tmp_path, "detections.parquet"))
    write_shard(path, to_table(rows(outcomes[0]), arrow_schema(Detection)))
    stored = [Item("c", (i,), Fraction(1), row) for i, row in enumerate(iter_rows(path, Detection))]
    (made,) = run(stored[::-1], MeasureFaces(folder, VideoFaceSettings(), models()))
    again = {o.verdict.item_id: (o.verdict.reason, [cells(row) for row in o.rows]) for o in made}
    before = {o.verdict.item_id: (o.verdict.reason, [cells(row) for row in o.rows]) for o in outcomes[1] if o.verdict}
    assert again == before


def test_video_faces_are_embedded(outcomes):
    """As a face of an image is: of one person near, of two far."""
    faces = [face for face in rows(outcomes[1]) if face.face_id in ("v-n0-f0", "v-n1-f0", "v-n4-f0")]
    items = [Item("c", (i,), Fraction(1, 3), face) for i, face in enumerate(faces)]
    (made,) = run(items, EmbedFaces(EmbeddingSettings(model=ROLES["embedding"]), models()))
    one, other, again = [outcome.rows[0] for outcome in made]
    assert (one.face_id, one.body_id, one.image_id, one.label) == ("v-n0-f0", None, "v-n0", "a label")
    assert one.face_score == faces[0].score
    near, far = (np.linalg.norm(one.vector.astype(float) - two.vector.astype(float)) for two in (again, other))
    assert near < 0.4 < 0.6 < far
