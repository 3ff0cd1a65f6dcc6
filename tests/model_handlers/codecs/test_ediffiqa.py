"""Faces for eDifFIQA, and its score of small networks of known arithmetic."""

import hashlib

import numpy as np
import pytest
import skimage.data
from onnx import TensorProto, helper

from model_handlers.codecs.ediffiqa import codec, decode
from model_handlers.geometry import ARCFACE, transform
from model_handlers.interface import Request
from model_handlers.models.catalogue import Entry
from model_handlers.models.handlers import handler
from model_handlers.models.trial import try_model
from tests.onnx_files import save

SCALE, SHIFT = 1.5, (20, 31)
LANDMARKS = (ARCFACE * SCALE + SHIFT).astype(np.float32)


def test_the_face_is_laid_over_arcfaces():
    """A crop that is ArcFace's, enlarged: the points of the template are where they belong."""
    crop = np.zeros((220, 220, 3), np.uint8)
    for number, (x, y) in enumerate(LANDMARKS.round().astype(int)):
        crop[y - 4 : y + 4, x - 4 : x + 4] = (255, 40 * number, 0)
    planes, context = codec().encode(crop, LANDMARKS)
    assert context is None
    assert (planes.shape, planes.dtype) == ((3, 112, 112), np.float32)
    for number, (x, y) in enumerate(ARCFACE.astype(int)):
        np.testing.assert_allclose(planes[:, y, x], (1, 2 * 40 * number / 255 - 1, -1), atol=0.02)
    assert (planes[:, 0, 0] == -1).all()


def test_turned_faces_are_levelled():
    face = skimage.data.astronaut()[40:260, 120:340]
    turned = np.ascontiguousarray(np.rot90(face))
    back = np.array([[0, 1, 0], [-1, 0, 220]], np.float64)  # where rot90 takes a point of the face
    straight, _ = codec().encode(face, LANDMARKS)
    found, _ = codec().encode(turned, transform(back, LANDMARKS))
    assert np.abs(found - straight).mean() < 0.01


def test_the_score_is_one_number():
    assert decode((np.array([[0.625]], np.float32),), None) == 0.625
    with pytest.raises(ValueError, match="size 1"):
        decode((np.zeros(2, np.float32),), None)


@pytest.mark.parametrize("batch", ["N", 1])
def test_a_file_of_the_user(tmp_path, batch):
    """A network that takes the mean of red: files have a batch of any size, or of one."""
    nodes = [
        helper.make_node("Slice", ["x", "from", "to", "axis"], ["red"]),
        helper.make_node("ReduceMean", ["red"], ["y"], axes=[1, 2, 3], keepdims=1),
        helper.make_node("Flatten", ["y"], ["score"]),
    ]
    weights = {name: np.array([value], np.int64) for name, value in (("from", 0), ("to", 1), ("axis", 1))}
    shape = (batch, 3, 112, 112)
    path = save(
        tmp_path / "model.onnx",
        nodes,
        weights,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("score", TensorProto.FLOAT, (batch, 1))],
    )
    entry = Entry.model_validate(
        {
            "name": "mine",
            "task": "face_quality",
            "framework": "onnx",
            "codec": "ediffiqa",
            "sources": [{"uri": str(path), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}],
            "licence": "mine",
            "commercial": True,
        }
    )
    try_model(entry)
    planes, context = codec().encode(np.full((220, 220, 3), (204, 0, 255), np.uint8), LANDMARKS)
    runs = handler(entry)
    (answer,) = runs.run_inference([Request((planes, planes), None)], runs.load_model())
    assert [decode(outputs, context) for outputs in answer.outputs] == [pytest.approx(0.6, abs=1e-4)] * 2
