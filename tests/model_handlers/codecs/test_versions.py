"""A reminder: a codec whose numbers change gets another version, so that what was made with the old ones is stale.

When a test here fails, raise the version of the codec and put what it gives now, as the failure shows it, into NUMBERS.
"""

from dataclasses import fields, is_dataclass
from pathlib import Path

import numpy as np
import pytest

from model_handlers import codecs
from model_handlers.codecs import CODECS
from model_handlers.interface import Codec, parts
from model_handlers.models.trial import example
from model_handlers.named import load

# outputs of the model for one example, as shapes
OUTPUTS = {
    "appearance": [(128,)],
    "arcface": [(512,)],
    "brisque": [(1,)],
    "cartoon": [(2,)],
    "centerface": [(1, 40, 40), (2, 40, 40), (2, 40, 40), (10, 40, 40)],
    "clip_image": [(512,)],
    "dlib_resnet": [(128,)],
    "ediffiqa": [(1,)],
    "emotion": [(7,)],
    "facemesh": [(1404,), (1,)],
    "image_quality": [(1,)],
    "lpd_yunet": [(4385, 14), (4385, 2), (4385, 1)],
    "movenet": [(1, 17, 3)],
    "mtcnn": [(64, 4), (64,), (64, 5, 2)],
    "nanodet": [(5250, 80), (5250, 44)],
    "regions": [(50, 4), (50, 6), (50, 8), (50,)],
    "retinaface": [(1050, 4), (1050, 2), (1050, 10)],
    "scrfd": [(2 * cells, width) for width in (1, 4, 10) for cells in (400, 100, 25)],
    "sface": [(128,)],
    "transnetv2": [(100,)],
    "vit_kprpe": [(512,)],
    "yolo_pose": [(56, 189)],
    "yolox": [(189, 85)],
    "yunet": [(cells, width) for width in (1, 1, 4, 10) for cells in (400, 100, 25)],
}
OPTIONS = {
    "appearance": {"height": 64, "width": 32},
    "centerface": {"side": 160},
    "image_quality": {"side": 64, "normalization": "imagenet"},
    "mtcnn": {"side": 64},
    "nanodet": {"sides": [416, 288]},
    "retinaface": {"side": 160},
    "scrfd": {"side": 160},
    "yolo_pose": {"side": 96},
    "yolox": {"side": 96},
    "yunet": {"side": 160},
}
# of each codec its version, and the mean, deviation and weighted sum of what it encodes and of what it decodes
NUMBERS = {
    "appearance": (1, [0.236087, 0.435973, 0.0011646, 0.196258, 0.257494, 0.113394]),
    "arcface": (1, [0.00606576, 0.386442, -0.153306, 0.20762, 0.274635, 0.235937]),
    "brisque": (1, [0.908759, 1.67949, 2.11776, 0.492148, 0, 0.492148]),
    "cartoon": (1, [0.24285, 0.863597, 0.0210742, 0.492148, 0, 0.492148]),
    "centerface": (1, [127.941, 50.5865, -3.30577, 44.9366, 28.9361, -1.69836]),
    "clip_image": (1, [0.19567, 0.886338, 0.0691024, 0.0266514, 0.0352538, 0.0302864]),
    "dlib_resnet": (1, [0.0525399, 0.195664, 0.261393, 0.196258, 0.257494, 0.113394]),
    "ediffiqa": (1, [0.00606578, 0.386442, -0.153306, 0.492148, 0, 0.492148]),
    "emotion": (1, [0.0038316, 0.259801, 0.075967, 0.145033, 0.203825, 0.238907]),
    "facemesh": (1, [0.344204, 0.280914, -0.00109672, -4.52672, 4.10433, -0.356533]),
    "image_quality": (1, [0.235852, 0.714475, -0.000488643, 0.492148, 0, 0.492148]),
    "lpd_yunet": (1, [95.9473, 69.8258, -85.6794, 52.2523, 34.3923, -2.68935]),
    "movenet": (1, [118.033, 57.6172, 1.85113, 14.12, 26.6497, 1.78263]),
    "mtcnn": (1, [128.047, 41.2205, 17.3359, 0.296827, 0.399684, 0.0716494]),
    "nanodet": (2, [0.2342, 0.889515, 0.150539, 38.5436, 31.4742, -6.72067]),
    "regions": (1, [127.92, 49.5429, 0.0634588, 0.310742, 0.706264, 0.0616276]),
    "retinaface": (1, [127.941, 50.5865, 1.1587, 47.3688, 29.5686, -10.2377]),
    "scrfd": (1, [0.00344859, 0.395207, -0.0280945, 42.256, 29.1681, -16.5042]),
    "sface": (1, [128.362, 49.3269, -20.7162, 0.196258, 0.257494, 0.113394]),
    "transnetv2": (1, [127.456, 73.4596, -11.9774, 0.195261, 0.255994, 0.0811505]),
    "vit_kprpe": (1, [0.00621587, 0.38651, -0.159741, 0.20762, 0.274635, 0.235937]),
    "yolo_pose": (1, [128.046, 73.9006, 60.5173, 0.211086, 0.273626, -0.113033]),
    "yolox": (1, [128.046, 73.9006, -6.29448, 2.73688, 12.1714, 1.01602]),
    "yunet": (1, [127.941, 50.5865, -5.15649, 44.5561, 28.787, -10.3341]),
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
    if is_dataclass(result):
        result = tuple(part for one in fields(result) if (part := getattr(result, one.name)) is not None)
    return summary(*parts(given)) + summary(*(result if isinstance(result, tuple) else (result,)))


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
