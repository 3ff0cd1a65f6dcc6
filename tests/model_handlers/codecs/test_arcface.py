"""ArcFace's crop for networks in PyTorch and in ONNX: where a face lies in it, its colours and their scale."""

import numpy as np
import pytest
import skimage.data
from onnx import TensorProto, helper
from PIL import Image

from model_handlers.codecs.arcface import codec
from model_handlers.geometry import ARCFACE, transform
from model_handlers.interface import Request
from model_handlers.models import catalogue
from model_handlers.models.codecs import codec as codec_of
from model_handlers.models.handlers import handler
from model_handlers.models.loaded import load_model
from model_handlers.models.trial import try_model
from tests.image_files import GREY, SMALL, png, saved
from tests.model_handlers.networks.entries import with_file
from tests.onnx_files import save
from tests.photographs import path
from transforms.images.pixels import open_image


def plain(colour, side=224):
    return np.full((side, side, 3), colour, dtype=np.uint8)


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({}, (255 / 127.5 - 1, 0.2 - 1, -1)),
        ({"channels": "bgr"}, (-1, 0.2 - 1, 255 / 127.5 - 1)),
        ({"scale": 128}, (127.5 / 128, (25.5 - 127.5) / 128, -127.5 / 128)),
        ({"channels": "bgr", "scale": 128.0}, (-127.5 / 128, (25.5 - 127.5) / 128, 127.5 / 128)),
    ],
)
def test_colours(options, wanted):
    planes, context = codec(**options).encode(plain((255, 25, 0)), 2 * ARCFACE, None)
    assert (planes.shape, planes.dtype, context) == ((3, 112, 112), np.float32, None)
    assert planes.flags.c_contiguous
    np.testing.assert_allclose(planes[:, 60, 60], wanted, atol=0.5 / 127)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"channels": "grb"}, "channels is one of rgb, bgr, not 'grb'"),
        ({"scale": 255}, "scale is one of 127.5, 128, not 255"),
        ({"scale": 0}, "scale is one of 127.5, 128, not 0"),
    ],
)
def test_options_that_there_are_not(options, words):
    with pytest.raises(ValueError, match=words):
        codec(**options)


@pytest.mark.parametrize("matrix", [[[2, 0, 0], [0, 2, 0]], [[1.2, 0.9, 0], [-0.9, 1.2, 110]]], ids=["large", "turned"])
@pytest.mark.parametrize("point", range(5))
def test_a_landmark_lies_at_its_place(point, matrix):
    landmarks, crop = transform(np.array(matrix), ARCFACE), np.zeros((231, 229, 3), np.uint8)
    x, y = np.rint(landmarks[point]).astype(int)
    crop[y - 3 : y + 3, x - 3 : x + 3] = 255
    planes, _ = codec().encode(crop, landmarks, None)
    bright = (np.argwhere(planes[0] > 0) + 0.5).mean(axis=0)[::-1]
    np.testing.assert_allclose(bright, ARCFACE[point], atol=1)


@pytest.mark.parametrize(
    "file",
    [
        saved(GREY, "PNG"),
        png(GREY.astype(int) * 257, kind=0, depth=16),
        saved(Image.fromarray(SMALL).convert("CMYK"), "TIFF"),
    ],
    ids=["grey", "16 bit", "cmyk"],
)
def test_pictures_of_all_kinds(file):
    planes, _ = codec().encode(open_image(file), ARCFACE * 0.7, None)
    wanted, _ = codec().encode(SMALL, ARCFACE * 0.7, None)
    assert abs(planes.mean(axis=0) - wanted.mean(axis=0)).mean() < 0.15


def test_direction_and_length_become_one_vector():
    direction = np.random.default_rng(1).normal(size=512).astype(np.float32)
    direction /= np.linalg.norm(direction)
    vector = codec().decode((direction, np.array([21.5], dtype=np.float32)), None)
    assert np.linalg.norm(vector) == pytest.approx(21.5, rel=1e-5)
    assert codec().decode((3 * direction,), None).tobytes() == (3 * direction).tobytes()


def test_an_onnx_file_as_insightface_s_is_run(tmp_path):
    """A file whose vector is the mean of each plane, repeated to 512 numbers."""
    nodes = [
        helper.make_node("GlobalAveragePool", ["input.1"], ["m"]),
        helper.make_node("Flatten", ["m"], ["f"]),
        helper.make_node("MatMul", ["f", "w"], ["683"]),
    ]
    repeat = np.tile(np.eye(3, dtype=np.float32), 171)[:, :512]
    file = save(
        tmp_path / "w600k.onnx",
        nodes,
        {"w": repeat},
        [helper.make_tensor_value_info("input.1", TensorProto.FLOAT, ("None", 3, 112, 112))],
        [helper.make_tensor_value_info("683", TensorProto.FLOAT, ("None", 512))],
    )
    entry = with_file(catalogue.load().get("arcface-onnx"), file)
    try_model(entry)
    made, runs = codec_of(entry), handler(entry)
    photo = skimage.data.astronaut()[40:200, 140:300]
    given, context = made.encode(photo, ARCFACE * 160 / 112, None)
    (answer,) = runs.run_inference([Request((given,), None)], runs.load_model())
    vector = made.decode(answer.outputs[0], context)
    np.testing.assert_allclose(vector[:3], given.mean(axis=(1, 2)), atol=1e-5)
    assert np.ptp(vector) > 0.01


@pytest.mark.parametrize(
    ("name", "channels", "brightest", "depth", "commercial"),
    [
        ("arcface-r50", "rgb", 1, 50, False),
        ("arcface-r100", "rgb", 1, 100, False),
        ("adaface-r50", "bgr", 1, 50, False),
        ("adaface-r100", "bgr", 1, 100, False),
        ("arcface-onnx", "rgb", 1, None, False),
        ("fr-feature", "bgr", 127.5 / 128, None, True),
        ("mobilefacenet", "rgb", 127.5 / 128, None, True),
    ],
)
def test_entries(name, channels, brightest, depth, commercial):
    entry = catalogue.load().get(name)
    red, _ = codec_of(entry).encode(plain((255, 0, 0)), 2 * ARCFACE, None)
    assert ("rgb", "bgr")[int(red[2, 60, 60] > red[0, 60, 60])] == channels
    assert red[:, 60, 60].max() == pytest.approx(brightest)
    assert entry.network_options.get("depth") == depth
    assert entry.commercial is commercial


@pytest.mark.integration
@pytest.mark.parametrize("name", ["fr-feature", "mobilefacenet"])
def test_one_person_s_photographs_are_nearer_than_others(name):
    find, embed = (load_model(catalogue.load().get(one)) for one in ("centerface", name))
    vectors = []
    for photograph in ("obama-1", "obama-2", "obama-3", "biden-1", "hanks-1", "astronaut-1"):
        picture = open_image(path(photograph).read_bytes())
        vectors.append(embed(picture, find(picture).landmarks[0], None))
    unit = np.array(vectors) / np.linalg.norm(vectors, axis=1, keepdims=True)
    similarity = unit @ unit.T
    assert similarity[:3, :3].min() > 0.6
    assert (similarity - np.eye(6))[3:].max() < 0.35
