"""The codec: where it puts a face, and its numbers through the real stage, with a small network in place of a model."""

import hashlib
from fractions import Fraction

import apache_beam as beam
import cv2
import numpy as np
import pytest
import yaml
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from onnx import TensorProto, helper

import manyfaces
from beam_pipelines.cli import main
from examples.arcface_codec import codec, encode
from model_handlers.geometry import ARCFACE, transform
from model_handlers.models import catalogue
from model_handlers.models.roles import KnownModels
from tests.examples.conftest import EXAMPLES
from tests.onnx_files import save
from tests.transforms.bundle.synthetic_run import face_row
from transforms.flow.items import Item
from transforms.images.pixels import open_image
from transforms.vision.embeddings_stage import embed_faces
from transforms.vision.settings import EmbeddingSettings

pytestmark = pytest.mark.integration
SIDE, MEANS = 112, 3


@pytest.fixture(scope="module")
def mine(tmp_path_factory) -> str:
    """A copy of examples/arcface.yaml for a file whose vector is the mean of each colour of its input."""
    folder = tmp_path_factory.mktemp("catalogue")
    file = save(
        folder / "model.onnx",
        [helper.make_node("GlobalAveragePool", ["x"], ["m"]), helper.make_node("Flatten", ["m"], ["y"])],
        {},
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ("N", 3, SIDE, SIDE))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ("N", MEANS))],
    )
    content = yaml.safe_load((EXAMPLES / "arcface.yaml").read_text())
    sources = [{"uri": str(file), "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}]
    content["models"]["my-arcface"] |= {"sources": sources, "dimension": MEANS}
    (folder / "mine.yaml").write_text(yaml.safe_dump(content))
    return str(folder / "mine.yaml")


@pytest.fixture
def face():
    """A face of a plain colour, whose crop is twice as large as the model's input."""
    row = face_row(
        1, cv2.imencode(".png", np.full((2 * SIDE, 2 * SIDE, 3), (64, 128, 255), np.uint8))[1].tobytes(), 224
    )
    row.crop_landmarks[:] = 2 * ARCFACE
    return row


@pytest.mark.parametrize("side", [SIDE, 160])
@pytest.mark.parametrize("matrix", [[[2, 0, 0], [0, 2, 0]], [[1.2, 0.9, 0], [-0.9, 1.2, 110]]], ids=["large", "turned"])
@pytest.mark.parametrize("point", range(5))
def test_a_landmark_lies_at_its_place_whatever_the_crop(point, matrix, side):
    landmarks, crop = transform(np.array(matrix), ARCFACE), np.zeros((230, 230, 3), np.uint8)
    x, y = np.rint(landmarks[point]).astype(int)
    crop[y - 3 : y + 3, x - 3 : x + 3] = 255
    made, context = encode(crop, landmarks, None, side)
    assert (made.shape, made.dtype, context) == ((3, side, side), np.float32, None)
    bright = (np.argwhere(made[0] > 0) + 0.5).mean(axis=0)[::-1]
    np.testing.assert_allclose(bright, ARCFACE[point] * side / SIDE, atol=1)


def test_a_face_becomes_the_vector_of_one_s_own_model_in_the_real_stage(mine, face, tmp_path):
    stage = embed_faces(EmbeddingSettings(model="my-arcface"), KnownModels(catalogue.load(mine)))
    found = tmp_path / "found"

    def keep(outcome):
        found.write_text(" ".join(str(value) for value in outcome.rows[0].vector.tolist()))

    with beam.Pipeline(runner=FnApiRunner()) as job:
        items = job | beam.Create([Item("chunk", (0,), Fraction(1), face)], reshuffle=False)
        _ = items | stage.transform(str(tmp_path)) | beam.Map(keep)
    assert stage.schema.field("vector").type.list_size == MEANS
    vector = np.array(found.read_text().split(), float)
    np.testing.assert_allclose(vector, (np.array([255, 128, 64]) - 127.5) / 128, atol=1e-3)  # red is first


def test_the_model_is_called_from_python_and_tried_by_the_command(mine, face, capsys):
    embed = manyfaces.models.load("my-arcface", extra=mine)
    assert embed(open_image(face.crop), face.crop_landmarks, None).shape == (MEANS,)
    assert main(["models", "check", "my-arcface", "--catalogue", mine]) == 0
    assert "ready" in capsys.readouterr().out


def test_the_catalogue_is_one_and_its_codec_is_there():
    entry = catalogue.load(str(EXAMPLES / "arcface.yaml")).get("my-arcface")
    assert entry.codec_is_here()
    assert entry.options == {"side": SIDE}


@pytest.mark.parametrize("side", [0, 15, 1025])
def test_a_side_that_is_none(side):
    with pytest.raises(ValueError, match=f"from 16 to 1024 pixels, not {side}"):
        codec(side)
