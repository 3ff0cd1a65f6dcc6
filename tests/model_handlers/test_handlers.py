import pickle

import pytest

from model_handlers import catalogue
from model_handlers.catalogue import Entry
from model_handlers.errors import ModelError
from model_handlers.handlers import codec, handler
from model_handlers.onnx import OnnxHandler

HERE = {"licence": "MIT", "commercial": True}


def entry(**changes) -> Entry:
    return Entry.model_validate(
        {"name": "m", "task": "face", "framework": "onnx", "codec": "centerface", **HERE} | changes
    )


def test_every_onnx_model_has_handler_and_codec():
    known = catalogue.load()
    for entry in known.models.values():
        if entry.framework == "onnx":  # those of the user's own files too
            assert isinstance(handler(entry), OnnxHandler)
            assert codec(entry).task == entry.task
            pickle.dumps((handler(entry), codec(entry)))


@pytest.mark.parametrize(
    ("device", "given", "size"), [("cpu", None, 1), ("cuda", None, 8), ("cpu", 3, 3), ("cuda", 3, 3)]
)
def test_batch_size(device, given, size):
    made = handler(entry(batch_size=8), device=device, batch_size=given)
    assert made.batch_elements_kwargs() == {"min_batch_size": size, "max_batch_size": size}


def test_framework_without_handler():
    with pytest.raises(ModelError, match=r"^model 'm' runs in torch, for which there is no handler yet\.$"):
        handler(entry(framework="torch"))


@pytest.mark.parametrize(
    ("changes", "side", "message"),
    [
        ({"codec": "nothing"}, None, "codec 'nothing', which is not available"),
        ({"codec": "nanodet"}, None, "its task is face, but codec 'nanodet' is for person"),
        ({"codec": "nanodet", "task": "person"}, 320, "does not take all of: side"),
        ({"normalization": "clip"}, 64, "does not take all of: side, normalization"),
        ({}, 300, "multiple of 32, not 300"),
        ({"codec": "movenet", "task": "keypoints", "input_side": 200}, None, "192 .* or 256"),
    ],
)
def test_codecs_that_do_not_fit(changes, side, message):
    with pytest.raises(ModelError, match=message):
        codec(entry(**changes), side)


def test_a_side_replaces_the_catalogues():
    import numpy as np

    image = np.zeros((10, 10, 3), np.uint8)
    assert codec(entry(input_side=320)).encode(image)[0].shape == (3, 320, 320)
    assert codec(entry(input_side=320), 64).encode(image)[0].shape == (3, 64, 64)
