"""Expressions: the framing of the face, and the real model on real photographs."""

import numpy as np
import pytest

from model_handlers.codecs import emotion
from model_handlers.interface import EXPRESSIONS, Request
from model_handlers.models import catalogue
from model_handlers.models.codecs import codec
from model_handlers.models.handlers import handler
from tests import videos


@pytest.mark.parametrize("angle", [0.0, 0.5, -2.0])
@pytest.mark.parametrize("scale", [0.4, 1.0, 3.0])
def test_the_face_is_levelled(angle: float, scale: float) -> None:
    """A white dot at an eye comes out where the template has it; outside the image it is black."""
    turn = scale * np.array([(np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))])
    landmarks = (emotion.TEMPLATE - 32) @ turn.T + 150
    image = np.full((300, 300, 3), 60, np.uint8)
    x, y = landmarks[0].astype(int)
    radius = max(1, round(2 * scale))
    image[y - radius : y + radius + 1, x - radius : x + radius + 1] = 255
    encoded, context = emotion.encode(image, landmarks)
    assert (encoded.shape, encoded.dtype, context) == ((64, 64, 1), np.float32, None)
    bright = np.argwhere(encoded[..., 0] > 0).mean(axis=0)[::-1] + 0.5
    np.testing.assert_allclose(bright, emotion.TEMPLATE[0], atol=1.5)


@pytest.mark.parametrize(("value", "expected"), [(0, -1), (255, 1), (51, -0.6)])
def test_values(value: int, expected: float) -> None:
    encoded, _ = emotion.encode(np.full((80, 80, 3), value, np.uint8), emotion.TEMPLATE + 8)
    np.testing.assert_allclose(encoded, expected, atol=1e-6)


def test_a_face_at_the_border_is_black_outside() -> None:
    encoded, _ = emotion.encode(np.full((64, 64, 3), 255, np.uint8), emotion.TEMPLATE + np.array([32, 0]))
    np.testing.assert_allclose(encoded[:, :31], 1)
    np.testing.assert_allclose(encoded[:, 33:], -1)


@pytest.mark.integration
@pytest.mark.parametrize(
    ("photograph", "likeliest"),
    [("astronaut-1", "happy"), ("obama-1", "happy"), ("hill-1", "happy"), ("biden-1", "neutral")],
)
def test_real_faces(photograph: str, likeliest: str) -> None:
    known, image = catalogue.load(), videos.photograph(photograph)
    (found,) = ask(known.get("centerface"), (image,))
    (scores,) = ask(known.get("emotion"), (image, found.landmarks[0]))
    assert scores.sum() == pytest.approx(1, abs=1e-4)
    assert EXPRESSIONS[int(scores.argmax())] == likeliest


def ask(entry, *arguments) -> list:
    made, runner = codec(entry), handler(entry)
    encoded = [made.encode(*one) for one in arguments]
    (answer,) = runner.run_inference([Request(tuple(one for one, _ in encoded), None)], runner.load_model())
    return [made.decode(outputs, context) for outputs, (_, context) in zip(answer.outputs, encoded, strict=True)]
