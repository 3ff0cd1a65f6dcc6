"""NanoDet as a detector of all classes: the same boxes as for persons, each with the best of its classes."""

import numpy as np
import pytest

from model_handlers.codecs import nanodet
from model_handlers.models.catalogue import load
from model_handlers.models.loaded import load_model
from model_handlers.models.vocabulary import COCO
from tests.photographs import path
from transforms.images.pixels import open_image

BLANK = nanodet.encode(np.zeros((416, 416, 3), np.uint8))[1]


def outputs(*points) -> tuple[np.ndarray, np.ndarray]:
    """Scores and distances where these points have these probabilities by class; every box reaches two strides."""
    scores, distances = np.zeros((3549, 80), np.float32), np.full((3549, 4, 11), -1e4, np.float32)
    distances[:, :, 2] = 0
    for point, probabilities in points:
        scores[point, list(probabilities)] = list(probabilities.values())
    return scores, distances.reshape(3549, 44)


@pytest.mark.parametrize(
    ("points", "classes"),
    [
        ([], []),
        ([(100, {2: 0.04})], []),  # below the floor
        ([(100, {0: 0.3, 17: 0.6})], [17]),  # one class a box
        ([(100, {0: 0.3}), (900, {17: 0.6})], [17, 0]),
        ([(1000, {3: 0.9}), (1000 + 52, {3: 0.4})], [3, 3]),  # overlap 0.6 exactly: both stay
        ([(100, {3: 0.9}), (100, {3: 0.9})], [3]),
    ],
)
def test_classes(points, classes):
    found = nanodet.decode_objects(outputs(*points), BLANK)
    assert found.classes.tolist() == classes
    assert found.boxes.shape == (len(classes), 4)
    assert found.probabilities.shape == (len(classes), 80)
    np.testing.assert_array_equal(found.scores, found.probabilities.max(axis=1, initial=0))
    assert found.objectness is None


def test_persons_are_the_same_for_both_tasks():
    given = outputs((100, {0: 0.9}), (130, {0: 0.5}), (2000, {0: 0.3}))
    objects, persons = nanodet.decode_objects(given, BLANK), nanodet.decode(given, BLANK)
    np.testing.assert_array_equal(objects.boxes, persons.boxes)
    np.testing.assert_array_equal(objects.scores, persons.scores)
    assert len(persons.boxes) == 3


def test_tasks():
    assert [nanodet.codec().task, nanodet.codec(task="objects").task] == ["person", "objects"]
    with pytest.raises(ValueError, match="person or objects, not 'pose'"):
        nanodet.codec(task="pose")


def test_a_real_picture():
    found = load_model(load().get("nanodet-objects"))(open_image(path("street-1").read_bytes()))
    names = [COCO[kind] for kind in found.classes[found.scores >= 0.35]]
    assert sorted(names) == ["bus", "person", "person", "person"]
