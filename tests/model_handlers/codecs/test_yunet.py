"""YuNet against OpenCV's FaceDetectorYN on the same file: one whose weights are random, and the real ones."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from model_handlers.codecs import yunet
from model_handlers.frameworks.handler import NetworkHandler
from model_handlers.frameworks.loading import Loading
from model_handlers.geometry import letterbox
from model_handlers.interface import Detections, Request
from tests.image_files import PHOTO, png, saved
from tests.model_handlers.codecs.detector_files import Head, write_detector
from transforms.images.pixels import open_image

MARKS = [0.3, 0.3, 0.7, 0.3, 0.5, 0.5, 0.35, 0.7, 0.65, 0.7]
# boxes smaller than a stride: they do not overlap, and OpenCV suppresses by boxes cut to whole pixels
HEADS = [
    Head("cls", [-3.0], 4, sigmoid=True),
    Head("obj", [-3.0], 4, sigmoid=True),
    Head("bbox", [0.5, 0.5, -0.5, -0.5], 0.3),
    Head("kps", MARKS, 0.2),
]
FILES = {  # of each its size (width, height), its batch, and the side of the codec
    "fixed": ((640, 640), 1, 640),
    "dynamic": (("width", "height"), "batch", 320),
}
LEAST = 0.5


@pytest.fixture(scope="module", params=FILES)
def model(request, tmp_path_factory) -> tuple[Path, int]:
    """A file with YuNet's outputs, and the side."""
    size, batch, side = FILES[request.param]
    path = tmp_path_factory.mktemp("yunet") / f"{request.param}.onnx"
    return write_detector(path, HEADS, size=size, batch=batch), side


def noise(height: int, width: int, shape: tuple = (3,), kind: type = np.uint8) -> np.ndarray:
    return np.random.default_rng(height).integers(0, np.iinfo(kind).max, (height, width, *shape), kind, endpoint=True)


PICTURES = {
    "as it is": lambda: noise(640, 640),
    "wide, odd": lambda: noise(301, 533),
    "high, odd": lambda: noise(401, 203),
    "grey": lambda: open_image(saved(noise(350, 271, ()), "jpeg", quality=95)),
    "16 bits": lambda: open_image(png(noise(289, 307, kind=np.uint16), depth=16)),
    "CMYK": lambda: open_image(saved(Image.fromarray(noise(311, 411)).convert("CMYK"), "tiff")),
}


def found_by(path: Path, side: int, images, batch_size: int = 1) -> list[Detections]:
    made = yunet.codec(side)
    runs = NetworkHandler(Loading("onnx", path, "yunet"), batch_size=batch_size)
    encoded = [made.encode(image) for image in images]
    answers = runs.run_inference([Request((given,), None) for given, _ in encoded], runs.load_model())
    return [made.decode(a.outputs[0], context) for a, (_, context) in zip(answers, encoded, strict=True)]


def opencv(path: Path, side: int, image: np.ndarray, least: float) -> Detections:
    """What FaceDetectorYN finds in the scaled image, in pixels of the image."""
    height, width = image.shape[:2]
    canvas, _ = letterbox(image, side)
    detector = cv2.FaceDetectorYN.create(str(path), "", (side, side), least, 0.3, 100_000)
    rows = detector.detect(np.ascontiguousarray(canvas[..., ::-1]))[1]
    rows = np.empty((0, 15), np.float32) if rows is None else rows[np.argsort(-rows[:, 14], kind="stable")]
    back = max(height, width) / side
    boxes = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], axis=1) * back
    return Detections(boxes, rows[:, 14], rows[:, 4:14].reshape(-1, 5, 2) * back)


def same(found: Detections, wanted: Detections, size: tuple[int, int], least: float, at_least: int) -> None:
    """Equal within half a pixel; the boxes of `found` are cut to the image (width, height)."""
    count = int((found.scores >= least).sum())
    assert count == len(wanted.scores) >= at_least
    np.testing.assert_allclose(found.scores[:count], wanted.scores, atol=1e-3)
    np.testing.assert_allclose(found.boxes[:count], np.clip(wanted.boxes, 0, (*size, *size)), atol=0.5)
    np.testing.assert_allclose(found.landmarks[:count], wanted.landmarks, atol=0.5)


def test_it_finds_nothing():
    outputs = [np.zeros((cells, width), np.float32) for width in (1, 1, 4, 10) for cells in (64, 16, 4)]
    found = yunet.decode(tuple(outputs), yunet.encode(noise(64, 64), 64)[1], 64)
    assert (found.boxes.shape, found.scores.shape, found.landmarks.shape) == ((0, 4), (0,), (0, 5, 2))


@pytest.mark.parametrize("name", PICTURES)
def test_it_finds_what_opencv_finds(model, name):
    image = PICTURES[name]()
    wanted = opencv(*model, image, LEAST)
    same(found_by(*model, [image])[0], wanted, image.shape[1::-1], LEAST, at_least=10)


def test_an_image_gives_the_same_in_any_batch(model):
    images = [PICTURES[name]() for name in ("wide, odd", "grey", "CMYK")]
    alone = [found_by(*model, [image])[0] for image in images]
    for one, other in zip(alone, found_by(*model, images, batch_size=2), strict=True):
        for name in ("boxes", "scores", "landmarks"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("side", [0, 31, 100])
def test_sides(side):
    with pytest.raises(ValueError, match="multiple of 32"):
        yunet.codec(side)


def test_files_of_another_form_are_refused():
    """The file of 2022 has three outputs."""
    outputs = tuple(np.zeros((4385, width), np.float32) for width in (14, 2, 1))
    with pytest.raises(ValueError, match="12 outputs"):
        yunet.decode(outputs, yunet.encode(noise(64, 64), 64)[1], 64)


real = pytest.mark.skipif("MANYFACES_TEST_DATA" not in os.environ, reason="MANYFACES_TEST_DATA names no labelled data")
WEIGHTS = [("face_detection_yunet_2023mar.onnx", 640), ("yunet_s_dynamic.onnx", 640), ("yunet_s_dynamic.onnx", 352)]
FACES = {
    "a large face": lambda: PHOTO,
    "odd": lambda: PHOTO[:301, 60:411],
    "grey": lambda: open_image(saved(Image.fromarray(PHOTO).convert("L"), "png")),
    "16 bits": lambda: open_image(png(PHOTO.astype(np.uint16) * 257, depth=16)),
    "CMYK": lambda: open_image(saved(Image.fromarray(PHOTO).convert("CMYK"), "jpeg", quality=95)),
}


@real
@pytest.mark.parametrize(("file", "side"), WEIGHTS)
@pytest.mark.parametrize("name", FACES)
def test_the_real_weights_find_what_opencv_finds(file, side, name):
    path, image = Path(os.environ["MANYFACES_TEST_DATA"], "models", file), np.ascontiguousarray(FACES[name]())
    (found,) = found_by(path, side, [image])
    same(found, opencv(path, side, image, 0.6), image.shape[1::-1], 0.6, at_least=1)
    left_eye, right_eye, nose, left_corner, right_corner = found.landmarks[0]
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_corner[0] < right_corner[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_corner[1], right_corner[1])
