"""LPD-YuNet on outputs made by hand, against the definition of its priors, one by one."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper
from PIL import Image

from model_handlers.codecs import lpd_yunet
from model_handlers.geometry import letterbox_in
from model_handlers.interface import Plates
from model_handlers.models.catalogue import Entry
from model_handlers.models.loaded import load_model
from model_handlers.models.trial import try_model
from tests.image_files import PHOTO, png, saved
from tests.onnx_files import save
from transforms.images.pixels import open_image

SIDES = {8: (10, 16, 24), 16: (32, 48), 32: (64, 96), 64: (128, 192, 256)}


def priors() -> list[tuple[float, float, int]]:
    """Centre and side of every prior of an image of 320 x 240: a map's rows and columns are those that are whole."""
    return [
        ((column + 0.5) * stride, (row + 0.5) * stride, side)
        for stride, sides in SIDES.items()
        for row in range(240 // stride)
        for column in range(320 // stride)
        for side in sides
    ]


PRIORS = priors()
# from a plate's centre, in pixels: top left, top right, bottom right, bottom left
UPRIGHT = np.array([(-30, -10), (30, -8), (29, 11), (-31, 9)], np.float32)


def upright(x: float, y: float) -> np.ndarray:
    """The corners of a plate whose centre is there."""
    return UPRIGHT + np.array((x, y), np.float32)


def outputs(plates=()) -> tuple[np.ndarray, ...]:
    """Those of all priors; each of `plates` is the number of a prior, corners (4,2) on the canvas, chance, overlap."""
    offsets, chances, overlaps = (np.zeros((len(PRIORS), width), np.float32) for width in (14, 2, 1))
    offsets[:] = np.random.default_rng(1).normal(size=offsets.shape)
    chances[:, 0] = 1
    for number, corners, chance, overlap in plates:
        x, y, side = PRIORS[number]
        shares = (corners - (x, y)) / (0.1 * side)
        offsets[number, [4, 5, 6, 7, 10, 11, 12, 13]] = shares.ravel()
        chances[number], overlaps[number] = (1 - chance, chance), overlap
    return offsets, chances, overlaps


def found_in(image: np.ndarray, plates=()) -> Plates:
    return lpd_yunet.decode(outputs(plates), lpd_yunet.encode(image)[1])


def black(height: int, width: int) -> np.ndarray:
    return np.zeros((height, width, 3), np.uint8)


def test_it_finds_nothing():
    found = found_in(black(240, 320))
    assert (found.boxes.shape, found.scores.shape, found.corners.shape) == ((0, 4), (0,), (0, 4, 2))


def test_there_are_as_many_priors_as_the_file_has():
    assert len(PRIORS) == len(lpd_yunet.CENTRES) == len(lpd_yunet.SIDES) == 4385


@pytest.mark.parametrize("size", [(240, 320), (480, 640), (1080, 1920), (1001, 333), (61, 47)])
@pytest.mark.parametrize("number", [0, 1, 2, 119, 120, 3599, 3600, 4199, 4200, 4339, 4340, 4384])
def test_a_plate_of_each_prior(number, size):
    """The first and the last of every map, in images of any size."""
    image = black(*size)
    corners = upright(*PRIORS[number][:2])
    found = found_in(image, [(number, corners, 0.81, 0.64)])
    scale = min(320 / size[1], 240 / size[0])
    back = np.array([size[1] / round(size[1] * scale), size[0] / round(size[0] * scale)])
    np.testing.assert_allclose(found.corners, [corners * back], rtol=1e-4, atol=1e-3 * back.max())
    box = np.concatenate([corners.min(axis=0) * back, corners.max(axis=0) * back])
    np.testing.assert_allclose(found.boxes, [np.clip(box, 0, np.tile(size[::-1], 2))], rtol=1e-4, atol=1e-2)
    np.testing.assert_allclose(found.scores, [0.72], rtol=1e-5)


@pytest.mark.parametrize(("overlap", "score"), [(-0.5, None), (0.01, None), (0.25, 0.45), (1, 0.9), (7, 0.9)])
def test_scores(overlap, score):
    """The root of chance times overlap, which is cut to 0 to 1; nothing below 0.1."""
    found = found_in(black(240, 320), [(2000, upright(100, 100), 0.81, overlap)])
    np.testing.assert_allclose(found.scores, [] if score is None else [score], rtol=1e-5)


def test_they_are_sorted_and_suppressed():
    at = [(2000, (80, 80), 0.5), (2001, (82, 81), 0.9), (4380, (200, 160), 0.7)]
    found = found_in(black(240, 320), [(number, upright(*place), chance, 1) for number, place, chance in at])
    np.testing.assert_allclose(found.scores, np.sqrt([0.9, 0.7]), rtol=1e-5)
    centres = np.array([(82, 81), (200, 160)]) + UPRIGHT.mean(axis=0)
    np.testing.assert_allclose(found.corners.mean(axis=1), centres, atol=1e-2)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (2, 3, 0, 1), (0, 3, 2, 1), (1, 0, 3, 2), (0, 2, 1, 3)])
@pytest.mark.parametrize("degrees", [-30, 0, 30])
def test_corners_go_clockwise_from_the_top_left(order, degrees):
    turn = np.deg2rad(degrees)
    turned = UPRIGHT @ np.array([(np.cos(turn), np.sin(turn)), (-np.sin(turn), np.cos(turn))]) + (160, 120)
    found = found_in(black(240, 320), [(4000, turned[list(order)], 1, 1)])
    np.testing.assert_allclose(found.corners, [turned], atol=1e-3)


PICTURES = {
    "as it is": lambda: np.ascontiguousarray(PHOTO[:240, :320]),
    "odd": lambda: PHOTO[:301, 60:411],
    "high": lambda: PHOTO[:, 100:203],
    "grey": lambda: open_image(saved(Image.fromarray(PHOTO).convert("L"), "png")),
    "16 bits": lambda: open_image(png(PHOTO.astype(np.uint16) * 257, depth=16)),
    "CMYK": lambda: open_image(saved(Image.fromarray(PHOTO).convert("CMYK"), "jpeg", quality=95)),
}


@pytest.mark.parametrize("name", PICTURES)
def test_input(name):
    """BGR 0 to 255, at the top left."""
    image = PICTURES[name]()
    given, _ = lpd_yunet.encode(image)
    assert given.shape == (3, 240, 320)
    assert given.dtype == np.float32
    assert given.flags.c_contiguous
    np.testing.assert_array_equal(given[::-1].transpose(1, 2, 0), letterbox_in(image, (320, 240))[0])


def test_a_file_whose_outputs_have_no_batch_axis(tmp_path: Path):
    """As the published one: input (1,3,240,320), outputs (4385,14), (4385,2), (4385,1), whatever the picture."""
    plates = [(4000, upright(150, 130), 0.9, 0.9), (77, upright(60, 40), 0.8, 0.8)]
    constants = dict(zip(("loc", "conf", "iou"), outputs(plates), strict=True))
    nodes = [helper.make_node("ReduceMean", ["input"], ["mean"], keepdims=0)]
    nodes += [helper.make_node("Mul", ["mean", "0"], ["n"])]
    nodes += [helper.make_node("Add", [f"{name}_is", "n"], [name]) for name in constants]
    path = save(
        tmp_path / "plates.onnx",
        nodes,
        {f"{name}_is": value for name, value in constants.items()} | {"0": np.zeros((), np.float32)},
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, (1, 3, 240, 320))],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, value.shape) for name, value in constants.items()],
    )
    source = {"uri": str(path), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    entry = Entry.model_validate(
        {
            "name": "plates", "task": "plate", "framework": "onnx", "codec": "lpd_yunet", "licence": "Apache-2.0",
            "commercial": True, "sources": [source],
        }
    )  # fmt: skip
    try_model(entry)
    found = load_model(entry)(PHOTO)
    assert isinstance(found, Plates)
    np.testing.assert_allclose(found.scores, [0.9, 0.8], rtol=1e-5)
    np.testing.assert_allclose(found.corners[0], upright(150, 130) * 512 / 240, rtol=1e-4)
