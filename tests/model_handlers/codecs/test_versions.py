"""A reminder: a codec whose numbers change gets another version, so that what was made with the old ones is stale.

When a test here fails, raise the version of the codec and put what it gives now, as the failure shows it, into NUMBERS.
"""

from pathlib import Path

import numpy as np
import pytest

from model_handlers import codecs
from model_handlers.codecs import CODECS
from model_handlers.interface import Codec, Detections
from model_handlers.models.trial import example
from model_handlers.named import load

# outputs of the model for one example, as shapes
OUTPUTS = {
    "brisque": [(1,)],
    "centerface": [(1, 40, 40), (2, 40, 40), (2, 40, 40), (10, 40, 40)],
    "clip_image": [(512,)],
    "dlib_resnet": [(128,)],
    "emotion": [(7,)],
    "facemesh": [(1404,), (1,)],
    "image_quality": [(1,)],
    "movenet": [(1, 17, 3)],
    "nanodet": [(3549, 80), (3549, 44)],
    "transnetv2": [(100,)],
    "yolo_pose": [(56, 189)],
}
OPTIONS = {
    "centerface": {"side": 160},
    "image_quality": {"side": 64, "normalization": "imagenet"},
    "yolo_pose": {"side": 96},
}
# of each codec its version, and the mean, deviation and weighted sum of what it encodes and of what it decodes
NUMBERS = {
    "brisque": (1, [0.908759, 1.67949, 2.11776, 0.492148, 0, 0.492148]),
    "centerface": (1, [127.941, 50.5865, -3.30577, 44.9366, 28.9361, -1.69836]),
    "clip_image": (1, [0.19567, 0.886338, 0.0691024, 0.0266514, 0.0352538, 0.0302864]),
    "dlib_resnet": (1, [0.0525399, 0.195664, 0.261393, 0.196258, 0.257494, 0.113394]),
    "emotion": (1, [0.0038316, 0.259801, 0.075967, 0.145033, 0.203825, 0.238907]),
    "facemesh": (1, [0.344204, 0.280914, -0.00109672, -4.52672, 4.10433, -0.356533]),
    "image_quality": (1, [0.235852, 0.714475, -0.000488643, 0.492148, 0, 0.492148]),
    "movenet": (1, [118.033, 57.6172, 1.85113, 14.12, 26.6497, 1.78263]),
    "nanodet": (1, [0.233991, 0.875095, 0.0393411, 38.2903, 32.4695, 6.37068]),
    "transnetv2": (1, [127.456, 73.4596, -11.9774, 0.195261, 0.255994, 0.0811505]),
    "yolo_pose": (1, [128.046, 73.9006, 60.5173, 0.211086, 0.273626, -0.113033]),
}


def summary(*arrays) -> list[float]:
    values = np.concatenate([np.asarray(array, np.float64).ravel() for array in arrays])
    weights = np.cos(np.arange(values.size))
    return [float(values.mean()), float(values.std()), float((values * weights).sum() / np.sqrt(values.size))]


def numbers(made: Codec, name: str) -> list[float]:
    given, context = made.encode(*example(made.task))
    random = np.random.default_rng(2)
    outputs = tuple(random.random(shape, dtype=np.float32) ** 4 for shape in OUTPUTS[name])
    result = made.decode(outputs, context)
    if isinstance(result, Detections):
        points = (one for one in (result.landmarks, result.keypoints) if one is not None)
        result = (result.boxes, result.scores, *points)
    return summary(given) + summary(*(result if isinstance(result, tuple) else (result,)))


def test_every_codec_is_here():
    modules = {path.stem for path in Path(codecs.__file__).parent.glob("*.py")} - {"__init__"}
    assert modules == set(CODECS) == set(NUMBERS) == set(OUTPUTS)


@pytest.mark.parametrize("name", OUTPUTS)
def test_the_numbers_are_those_of_the_version(name):
    version, expected = NUMBERS[name]
    made = load("codec", name, CODECS)(**OPTIONS.get(name, {}))
    assert made.version == version
    # processors may differ in the last digits
    assert numbers(made, name) == pytest.approx(expected, rel=1e-4, abs=1e-5)
