"""What MTCNN's network gives, read."""

import numpy as np
import pytest

from model_handlers.codecs.mtcnn import codec


def image(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(1, 256, (height, width, 3), dtype=np.uint8)


def outputs(faces: int) -> tuple[np.ndarray, ...]:
    boxes, scores, landmarks = np.zeros((64, 4)), np.zeros(64), np.zeros((64, 5, 2))
    for face in range(faces):
        boxes[face] = (-2, 3, 30 + face, 40)
        scores[face] = 0.9 - face / 10
        landmarks[face] = face + np.arange(10).reshape(5, 2)
    return tuple(part.astype(np.float32) for part in (boxes, scores, landmarks))


@pytest.mark.parametrize("faces", [0, 1, 3])
@pytest.mark.parametrize(("side", "scale"), [(None, 1), (50, 0.5)])
def test_faces(faces, side, scale):
    made = codec(side)
    given, context = made.encode(image(80, 100))
    assert given.dtype == np.uint8
    assert given.shape == ((80, 100, 3) if side is None else (50, 50, 3))
    found = made.decode(outputs(faces), context)
    assert (found.boxes.shape, found.landmarks.shape) == ((faces, 4), (faces, 5, 2))
    for face in range(faces):
        np.testing.assert_allclose(found.boxes[face], np.array((0, 3, 30 + face, 40)) / scale)
        np.testing.assert_allclose(found.landmarks[face], (face + np.arange(10).reshape(5, 2)) / scale)
    np.testing.assert_allclose(found.scores, 0.9 - np.arange(faces) / 10, rtol=1e-6)


def test_a_side_that_is_refused():
    with pytest.raises(ValueError, match="at least 32, or null, not 8"):
        codec(8)
