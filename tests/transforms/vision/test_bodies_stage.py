"""Bodies of a model that finds people and keypoints in one call."""

import hashlib
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper
from PIL import Image as Pillow

from model_handlers.errors import ModelError
from model_handlers.models import catalogue
from model_handlers.models.catalogue import Catalogue, Entry
from model_handlers.models.licences import Accepted, check_licence
from model_handlers.models.roles import KnownModels
from model_handlers.models.trial import try_model
from tests.image_files import saved
from tests.onnx_files import save
from tests.transforms.vision.test_vision_stages import item, run
from transforms.flow.items import Outcome
from transforms.vision.bodies_stage import find_bodies
from transforms.vision.settings import BodySettings

pytestmark = pytest.mark.integration
SIDE = 64
PEOPLE = ((20, 30, 16, 24, 0.9), (50, 30, 10, 20, 0.75), (34, 40, 6, 8, 0.3))  # centre, size, score


def pose_file(path):
    """Finds the PEOPLE in a white picture, in a darker one with lower scores; keypoints lie on a line."""
    rows = np.zeros((1, 56, len(PEOPLE)), np.float32)
    for number, (x, y, width, height, score) in enumerate(PEOPLE):
        points = np.array([(x - 8 + k, y, k / 16) for k in range(17)])
        rows[0, :, number] = [x, y, width, height, score, *points.ravel()]
    scores = np.zeros_like(rows)
    scores[:, 4] = rows[:, 4]
    nodes = [
        helper.make_node("ReduceMax", ["images"], ["most"], axes=[1, 2], keepdims=1),
        helper.make_node("ReduceMax", ["most"], ["bright"], axes=[3], keepdims=0),
        helper.make_node("Mul", ["scores", "bright"], ["seen"]),
        helper.make_node("Add", ["rest", "seen"], ["places"]),
    ]
    taken = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", 3, SIDE, SIDE])
    given = helper.make_tensor_value_info("places", TensorProto.FLOAT, ["n", 56, len(PEOPLE)])
    return save(path, nodes, {"rest": rows - scores, "scores": scores}, [taken], [given])


@pytest.fixture(scope="module")
def known(tmp_path_factory) -> KnownModels:
    """The catalogue, in which yolov8n-pose-onnx has a small file."""
    path = pose_file(tmp_path_factory.mktemp("pose") / "pose.onnx")
    entry = catalogue.load().get("yolov8n-pose-onnx")
    source = {"uri": str(path), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    changed = entry.model_dump() | {"sources": [source], "options": entry.options | {"side": SIDE}}
    mine = {entry.name: Entry.model_validate(changed)}
    return KnownModels(Catalogue(models=catalogue.load().models | mine))


def settings(person: str = "yolov8n-pose-onnx", keypoints: str | None = None, **changes) -> BodySettings:
    return BodySettings(person_model=person, keypoint_model=keypoints, **changes)


def picture(brightness: int, width: int, height: int) -> bytes:
    return saved(Pillow.new("RGB", (width, height), (brightness,) * 3), "PNG")


def found(known: KnownModels, chosen: BodySettings, *pictures: bytes) -> list[Outcome[Any]]:
    """What the stage makes of pictures, in their order."""
    items = [item(number, f"i{number}", data) for number, data in enumerate(pictures)]
    (outcomes,) = run(items, find_bodies(chosen, known).transform(None))
    return outcomes


def test_no_pictures(known):
    assert found(known, settings()) == []


def test_the_file_suits_its_entry(known):
    try_model(known.catalogue.get("yolov8n-pose-onnx"))


def test_people_and_keypoints_of_one_call(known):
    stage = find_bodies(settings(), known)
    assert list(stage.models.entries) == ["person"]
    square, wide, dark = found(
        known, settings(min_score=0.7), picture(255, 128, 128), picture(255, 128, 64), picture(60, 64, 64)
    )
    assert [(body.body_id, round(body.score, 3)) for body in square.rows] == [("i0-b0", 0.9), ("i0-b1", 0.75)]
    np.testing.assert_allclose([body.box for body in square.rows], [(24, 36, 56, 84), (90, 40, 110, 80)])
    np.testing.assert_allclose(square.rows[0].keypoints, [(24 + 2 * k, 60, k / 16) for k in range(17)], atol=1e-5)
    # of a wide picture the upper 16 pixels of the square are margin
    np.testing.assert_allclose([body.box for body in wide.rows], [(24, 4, 56, 52), (90, 8, 110, 48)])
    assert [body.keypoints[0, 1] for body in wide.rows] == [28, 28]
    assert dark.verdict.reason == "no_body"
    assert "best score 0.21, less than 0.7" in dark.verdict.detail


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        (
            settings(keypoints="movenet-thunder"),
            "bodies.keypoint_model must be null, because person model 'yolov8n-pose-onnx' finds keypoints too",
        ),
        (
            settings(person="nanodet"),
            "bodies.keypoint_model is null, but person model 'nanodet' finds no keypoints; name one that does",
        ),
    ],
)
def test_models_that_contradict_each_other(known, chosen, words):
    with pytest.raises(ModelError) as error:
        find_bodies(chosen, known)
    assert str(error.value) == words


@pytest.mark.parametrize("name", ["yolov8n-pose", "yolo11n-pose", "yolov8n-pose-onnx", "yolo11n-pose-onnx"])
def test_their_licence_must_be_accepted(known, name):
    entry = known.catalogue.get(name)
    with pytest.raises(ModelError, match=rf"^model '{name}' is under AGPL-3.0, .* set models.accept_copyleft: true"):
        check_licence(entry, Accepted(noncommercial=True))
    check_licence(entry, Accepted(copyleft=True))
