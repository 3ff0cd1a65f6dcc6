import pickle

import numpy as np
import pytest

from model_handlers.errors import ModelError
from model_handlers.frameworks.handler import NetworkHandler
from model_handlers.models import catalogue
from model_handlers.models.catalogue import Entry
from model_handlers.models.codecs import codec
from model_handlers.models.handlers import Placement, handler

HERE = {"licence": "MIT", "commercial": True}


def entry(**changes) -> Entry:
    return Entry.model_validate(
        {"name": "m", "task": "face", "framework": "onnx", "codec": "centerface", **HERE} | changes
    )


def test_every_onnx_model_has_handler_and_codec():
    known = catalogue.load()
    for entry in known.models.values():
        if entry.framework == "onnx":  # those of the user's own files too
            assert isinstance(handler(entry), NetworkHandler)
            assert codec(entry).task == entry.task
            pickle.dumps((handler(entry), codec(entry)))


@pytest.mark.parametrize(
    ("device", "given", "size"), [("cpu", None, 1), ("cuda", None, 8), ("cpu", 3, 1), ("cuda:1", 3, 3)]
)
def test_batch_size(device, given, size):
    made = handler(entry(batch_size=8), Placement(device), batch_size=given)
    assert made.batch_elements_kwargs() == {"min_batch_size": size, "max_batch_size": size}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"codec": "zzz"}, "there is no codec 'zzz'; there are: appearance, .* is `module:attribute`"),
        ({"codec": "nanodett"}, "there is no codec 'nanodett'; did you mean 'nanodet'"),
        ({"codec": "no.where:codec"}, "codec 'no.where:codec': there is no module 'no'; install the package"),
        ({"codec": "json:codec"}, "codec 'json:codec': the module json has no 'codec'"),
        ({"codec": "json:loads"}, "codec 'json:loads' does not take all of its options"),
        ({"codec": "builtins:dict"}, "codec 'builtins:dict' gives a dict and no Codec"),
        ({"codec": "nanodet"}, "its task is face, but codec 'nanodet' is for person"),
        ({"codec": "nanodet", "task": "person", "options": {"side": 320}}, "does not take all of its options: side"),
        ({"codec": "nanodet", "task": "person", "options": {"sides": [300]}}, "multiples of 32, not .300."),
        ({"options": {"normalization": "clip"}}, "does not take all of its options: normalization"),
        ({"options": {"side": 300}}, "multiple of 32, not 300"),
        ({"codec": "movenet", "task": "keypoints", "options": {"side": 200}}, "192 .* or 256"),
        ({"codec": "image_quality", "task": "quality", "options": {"normalization": "x"}}, "one of .*, not 'x'"),
    ],
)
def test_codecs_that_do_not_fit(changes, message):
    with pytest.raises(ModelError, match=message):
        codec(entry(**changes))


def test_options_are_handed_to_the_codec():
    image = np.zeros((10, 10, 3), np.uint8)
    assert codec(entry(options={"side": 320})).encode(image)[0].shape == (3, 320, 320)


def test_a_codec_may_come_from_any_package():
    assert codec(entry(codec="model_handlers.codecs.centerface:codec", options={"side": 64})).task == "face"
