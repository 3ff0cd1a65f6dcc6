"""YOLOX against the arithmetic of its authors' demonstration, written out plainly, and on a real picture."""

import hashlib
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from model_handlers.codecs import yolox
from model_handlers.interface import Detections, Objects
from model_handlers.models.catalogue import load
from model_handlers.models.loaded import load_model
from model_handlers.models.vocabulary import COCO
from tests.image_files import GREY, SMALL, saved
from tests.photographs import path
from transforms.images.pixels import open_image

REAL = Path(os.environ.get("MANYFACES_TEST_DATA", "/nowhere"), "models", "yolox_nano.onnx")


def outputs(side: int, hot: int, classes: int = 80) -> np.ndarray:
    """(P,5+C): numbers as the network gives them; some points are sure of a class, and their neighbours nearly so."""
    random = np.random.default_rng(5)
    count = sum((side // stride) ** 2 for stride in (8, 16, 32))
    rows = random.normal(0, 0.4, (count, 5 + classes)).astype(np.float32)
    rows[:, 4:] = random.random((count, 1 + classes), dtype=np.float32) * 0.01
    for point in random.choice(count - 1, hot, replace=False):
        kind = random.integers(min(classes, 4))
        for near, score in ((point, 0.9), (point + 1, 0.7)):
            rows[near, 2:4] = (1.5, 1.2)
            rows[near, 4], rows[near, 5 + kind] = random.uniform(0.5, 1), random.uniform(score - 0.2, score)
    return rows


def overlap(one: np.ndarray, other: np.ndarray) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    shared = max(width, 0) * max(height, 0)
    return shared / ((one[2] - one[0]) * (one[3] - one[1]) + (other[2] - other[0]) * (other[3] - other[1]) - shared)


def reference(rows: np.ndarray, side: int, ratio: float, floor: float, only: int | None = None):
    """The demonstration's way: a grid a stride, boxes by centre and size, objectness times class, NMS in each class."""
    candidates, point = [], 0
    for stride in (8, 16, 32):
        for row in range(side // stride):
            for column in range(side // stride):
                x, y, w, h, objectness, *probabilities = rows[point].tolist()
                kind = int(np.argmax(probabilities)) if only is None else only
                score = objectness * probabilities[kind]
                if score >= floor:
                    x, y, w, h = (x + column) * stride, (y + row) * stride, np.exp(w) * stride, np.exp(h) * stride
                    box = np.array([x - w / 2, y - h / 2, x + w / 2, y + h / 2]) / ratio
                    candidates.append((score, kind, box))
                point += 1
    kept = []
    for score, kind, box in sorted(candidates, key=lambda one: -one[0]):
        if all(kind != other[1] or overlap(box, other[2]) <= 0.45 for other in kept):
            kept.append((score, kind, box))
    return kept


@pytest.mark.parametrize("task", ["objects", "person"])
def test_nothing_is_found(task):
    made = yolox.codec(64, task)
    found = made.decode((np.zeros((84, 85), np.float32),), made.encode(SMALL)[1])
    assert found.boxes.shape == (0, 4)
    assert found.scores.shape == (0,)
    if task == "objects":
        assert (found.classes.shape, found.probabilities.shape, found.objectness.shape) == ((0,), (0, 80), (0,))


@pytest.mark.parametrize(("side", "size"), [(416, (416, 416)), (416, (333, 1001)), (640, (97, 55))])
@pytest.mark.parametrize("task", ["objects", "person"])
def test_it_decodes_as_the_demonstration_does(side, size, task):
    made, rows = yolox.codec(side, task), outputs(side, 60)
    _, context = made.encode(np.zeros((*size, 3), np.uint8))
    found = made.decode((rows,), context)
    only = 0 if task == "person" else None
    wanted = reference(rows, side, side / max(size), 0.05, only)
    assert len(wanted) > (10 if task == "person" else 40)
    assert isinstance(found, Objects if task == "objects" else Detections)
    np.testing.assert_allclose(found.scores, [score for score, _, _ in wanted], rtol=1e-5)
    limits = (size[1], size[0], size[1], size[0])
    # the longer side is scaled exactly, the shorter by its rounded length
    np.testing.assert_allclose(found.boxes, [np.clip(box, 0, limits) for _, _, box in wanted], atol=0.01 * max(size))
    if task == "objects":
        assert found.classes.tolist() == [kind for _, kind, _ in wanted]
        best = found.probabilities[np.arange(len(found.classes)), found.classes]
        np.testing.assert_allclose(best * found.objectness, found.scores, rtol=1e-5)


def test_two_classes_may_lie_upon_each_other():
    rows = np.zeros((84, 7), np.float32)
    rows[20:23, 4] = 0.9
    rows[[20, 21, 22], [5, 6, 5]] = 0.8, 0.7, 0.6
    rows[20:23, 0], rows[20:23, 2:4] = (1, 0, -1), np.log(3)
    found = yolox.codec(64).decode((rows,), yolox.codec(64).encode(np.zeros((64, 64, 3), np.uint8))[1])
    assert found.classes.tolist() == [0, 1]


def test_sizes_beyond_all_bounds_are_finite():
    rows = np.zeros((84, 6), np.float32)
    rows[3] = (0, 0, 1000, -1000, 0.9, 0.9)
    found = yolox.codec(64).decode((rows,), yolox.codec(64).encode(np.zeros((64, 64, 3), np.uint8))[1])
    assert np.isfinite(found.boxes).all()
    assert len(found.boxes) == 1


def test_the_input():
    given, _ = yolox.codec(96).encode(SMALL)  # 96 high, 80 wide
    assert (given.shape, given.dtype, given.flags.c_contiguous) == ((3, 96, 96), np.float32, True)
    np.testing.assert_array_equal(given[:, :, :80], SMALL[..., ::-1].transpose(2, 0, 1))
    assert (given[:, :, 80:] == 114).all()


@pytest.mark.parametrize(
    ("options", "words"),
    [({"side": 0}, "multiple of 32"), ({"side": 300}, "not 300"), ({"task": "face"}, "not 'face'")],
)
def test_options(options, words):
    with pytest.raises(ValueError, match=words):
        yolox.codec(**options)


def test_a_file_of_another_input_says_so():
    made = yolox.codec(416)
    with pytest.raises(ValueError, match="84 points are not those of an input of 416 pixels, 3549"):
        made.decode((np.zeros((84, 85), np.float32),), made.encode(SMALL)[1])


def model(task: str):
    if not REAL.exists():
        pytest.skip("MANYFACES_TEST_DATA names no folder with models/yolox_nano.onnx")
    entry = load().get("yolox-nano")
    source = {"uri": str(REAL), "sha256": hashlib.sha256(REAL.read_bytes()).hexdigest()}
    options = {"side": 416, "task": task}
    changed = entry.model_dump() | {"task": task, "options": options, "sources": (source,)}
    return load_model(type(entry).model_validate(changed))


def street() -> np.ndarray:
    return open_image(path("street-1").read_bytes())


def test_a_real_picture():
    """A bus and people before it: where the demonstration finds them, whose picture is shrunk by another filter."""
    runs, picture = model("objects"), street()
    found = runs(picture)
    sure = found.scores > 0.5
    names = sorted(COCO[kind] for kind in found.classes[sure])
    assert names == ["bus", "person", "person", "person"]
    height, width = picture.shape[:2]
    ratio = 416 / max(height, width)
    given = np.full((416, 416, 3), 114, np.uint8)
    small = cv2.resize(picture[..., ::-1], (int(width * ratio), int(height * ratio)), interpolation=cv2.INTER_LINEAR)
    given[: small.shape[0], : small.shape[1]] = small
    (rows,) = runs.network.run(given.transpose(2, 0, 1)[None].astype(np.float32))
    for score, kind, box in reference(rows[0], 416, ratio, 0.5):
        same = found.classes == kind
        overlaps = [overlap(box, other) for other in found.boxes[same]]
        assert max(overlaps) > 0.9
        assert found.scores[same][np.argmax(overlaps)] == pytest.approx(score, abs=0.1)


def test_people_of_a_real_picture():
    objects, people = model("objects")(street()), model("person")(street())
    assert (people.scores > 0.5).sum() == 3
    persons = (objects.classes == 0) & (objects.scores > 0.5)
    np.testing.assert_allclose(people.boxes[:3], objects.boxes[persons], atol=1e-3)


@pytest.mark.parametrize(
    "file",
    [saved(GREY, "PNG"), saved(GREY.astype(np.uint16) * 257, "PNG"), saved(SMALL, "PNG")],
    ids=["grey", "16 bits", "colour"],
)
def test_pictures_of_all_kinds(file):
    given, _ = yolox.codec(96).encode(open_image(file))
    assert given.shape == (3, 96, 96)
    assert given[:, :, :80].std() > 20
