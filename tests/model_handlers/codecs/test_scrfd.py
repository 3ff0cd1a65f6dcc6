"""SCRFD on files with random weights, against its definition written out cell by cell."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model_handlers.codecs import scrfd
from model_handlers.frameworks.handler import NetworkHandler
from model_handlers.frameworks.loading import Loading
from model_handlers.frameworks.network import Network
from model_handlers.interface import Detections, Request
from tests.image_files import png, saved
from tests.model_handlers.codecs.detector_files import Head, write_detector
from transforms.images.pixels import open_image

SIDE = 96
HEADS = [
    Head("score", [-4.0], 4, sigmoid=True),
    Head("bbox", [0.6, 0.9, 0.7, 1.1], 0.2),
    Head("kps", [-0.3, -0.4, 0.3, -0.4, 0, 0, -0.2, 0.5, 0.2, 0.5], 0.2),
]
FILES = {  # as the files are: with a free batch size, with one of 1, and, as InsightFace's, without the outputs' axis
    "batches": {"batch": "N", "batch_axis": True},
    "one by one": {"batch": 1, "batch_axis": True},
    "one by one, no axis": {"batch": 1, "batch_axis": False},
}
LEAST = 0.1


@pytest.fixture(scope="module", params=FILES)
def file(request, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("scrfd") / "scrfd.onnx"
    return write_detector(path, HEADS, size=("w", "h"), each=2, scale=1 / 128, **FILES[request.param])


def noise(height: int, width: int, shape: tuple = (3,), kind: type = np.uint8) -> np.ndarray:
    return np.random.default_rng(height).integers(0, np.iinfo(kind).max, (height, width, *shape), kind, endpoint=True)


PICTURES = {
    "as it is": lambda: noise(96, 96),
    "wide, odd": lambda: noise(71, 93),
    "high, odd": lambda: noise(97, 61),
    "grey": lambda: open_image(saved(noise(95, 67, ()), "jpeg", quality=95)),
    "16 bits": lambda: open_image(png(noise(89, 96, kind=np.uint16), depth=16)),
    "CMYK": lambda: open_image(saved(Image.fromarray(noise(83, 96)).convert("CMYK"), "tiff")),
}


def network(path: Path) -> Network:
    return NetworkHandler(Loading("onnx", path, "scrfd")).load_model()


def found_by(path: Path, images, batch_size: int = 1) -> list[Detections]:
    made = scrfd.codec(SIDE)
    runs = NetworkHandler(Loading("onnx", path, "scrfd"), batch_size=batch_size)
    encoded = [made.encode(image) for image in images]
    answers = runs.run_inference([Request((given,), None) for given, _ in encoded], runs.load_model())
    return [made.decode(a.outputs[0], context) for a, (_, context) in zip(answers, encoded, strict=True)]


def overlap(one, other) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(width, 0) * max(height, 0)
    return shared / (sum((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)) - shared)


def by_definition(outputs) -> list[tuple[float, list[float], list[tuple[float, float]]]]:
    """Score, box and landmarks of each face on the canvas, cell by cell, two outputs a cell."""
    faces = []
    for level, stride in enumerate((8, 16, 32)):
        scores, boxes, marks = outputs[level], outputs[3 + level], outputs[6 + level]
        row = 0
        for y in range(0, SIDE, stride):
            for x in range(0, SIDE, stride):
                for _ in range(2):
                    left, top, right, bottom = boxes[row] * stride
                    points = [(x + stride * marks[row][2 * n], y + stride * marks[row][2 * n + 1]) for n in range(5)]
                    faces.append((scores[row][0], [x - left, y - top, x + right, y + bottom], points))
                    row += 1
    kept = []
    for face in sorted((face for face in faces if face[0] >= LEAST), key=lambda face: -face[0]):
        if all(overlap(face[1], other[1]) <= 0.4 for other in kept):
            kept.append(face)
    return kept


def test_it_finds_nothing():
    outputs = [np.zeros((cells, width), np.float32) for width in (1, 4, 10) for cells in (128, 32, 8)]
    found = scrfd.decode(tuple(outputs), scrfd.encode(noise(64, 64), 64)[1], 64)
    assert (found.boxes.shape, found.scores.shape, found.landmarks.shape) == ((0, 4), (0,), (0, 5, 2))


@pytest.mark.parametrize("name", PICTURES)
def test_it_finds_what_the_definition_says(file, name):
    image = PICTURES[name]()
    given, _ = scrfd.encode(image, SIDE)
    wanted = by_definition([output.reshape(-1, output.shape[-1]) for output in network(file).run(given[None])])
    (found,) = found_by(file, [image])
    assert len(found.scores) == len(wanted) >= 10
    size = np.array(image.shape[1::-1])
    back = size / np.round(size * SIDE / size.max())
    np.testing.assert_allclose(found.scores, [score for score, _, _ in wanted], rtol=1e-6)
    boxes = np.array([box for _, box, _ in wanted]) * np.tile(back, 2)
    np.testing.assert_allclose(found.boxes, np.clip(boxes, 0, np.tile(size, 2)), atol=1e-3)
    np.testing.assert_allclose(found.landmarks, np.array([points for _, _, points in wanted]) * back, atol=1e-3)


def test_an_image_gives_the_same_in_any_batch(file):
    images = [picture() for picture in PICTURES.values()]
    alone = [found_by(file, [image])[0] for image in images]
    for one, other in zip(alone, found_by(file, images, batch_size=4), strict=True):
        for name in ("boxes", "scores", "landmarks"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_input():
    """RGB from -1 to 1, at the top left; what is empty there is as dark as black."""
    image = noise(64, 32)
    given, _ = scrfd.encode(image, 64)
    assert given.dtype == np.float32
    assert given.flags.c_contiguous
    np.testing.assert_allclose(given[:, :, :32], (image.transpose(2, 0, 1) - 127.5) / 128)
    np.testing.assert_allclose(given[:, :, 32:], -127.5 / 128)


@pytest.mark.parametrize("side", [0, 31, 100])
def test_sides(side):
    with pytest.raises(ValueError, match="multiple of 32"):
        scrfd.codec(side)


def test_files_without_landmarks_are_refused():
    outputs = tuple(np.zeros((cells, width), np.float32) for width in (1, 4) for cells in (128, 32, 8))
    with pytest.raises(ValueError, match="with landmarks has 9 outputs"):
        scrfd.decode(outputs, scrfd.encode(noise(64, 64), 64)[1], 64)
