"""MTCNN's three files, and what is not one of them; and the safetensors file that is made."""

import json

import numpy as np
import pytest

from model_handlers.models import catalogue, store
from model_handlers.weights.convert import ConversionError, conversion, mtcnn
from model_handlers.weights.convert.safetensors_file import safetensors_bytes

SHAPES = {network: {name: shape, "conv1.bias": (2,)} for network, (name, shape) in mtcnn.NETWORKS.items()}


def read_back(content: bytes) -> dict[str, np.ndarray]:
    length = int.from_bytes(content[:8], "little")
    header, values = json.loads(content[8 : 8 + length]), content[8 + length :]
    assert length % 8 == 0
    assert len(values) == max((entry["data_offsets"][1] for entry in header.values()), default=0)
    types = {"F32": "<f4", "I64": "<i8"}
    return {
        name: np.frombuffer(values[slice(*entry["data_offsets"])], types[entry["dtype"]]).reshape(entry["shape"])
        for name, entry in header.items()
    }


@pytest.mark.parametrize(
    "tensors",
    [
        {},
        {"a": np.full((), 3, np.float32)},
        {
            "b": np.arange(6, dtype=np.float32).reshape(2, 3).T,
            "a": np.array([5, -1]),
            "c": np.zeros((0, 2), np.float32),
        },
    ],
)
def test_safetensors(tensors):
    found = read_back(safetensors_bytes(tensors))
    assert list(found) == list(tensors)
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(found[name], tensor)


def convert(monkeypatch, tmp_path, shapes):
    monkeypatch.setattr(mtcnn, "read_tensors", lambda path, _: {
        name: np.full(shape, 2, np.float32) for name, shape in shapes[path.name].items()
    })  # fmt: skip
    return conversion("mtcnn")([tmp_path / name for name in ("pnet", "rnet", "onet")])


def test_the_three_are_merged(monkeypatch, tmp_path):
    found = read_back(convert(monkeypatch, tmp_path, SHAPES))
    assert {name: tensor.shape for name, tensor in found.items()} == {
        "pnet.conv4_2.weight": (4, 32, 1, 1), "pnet.conv1.bias": (2,), "rnet.dense5_2.weight": (4, 128),
        "rnet.conv1.bias": (2,), "onet.dense6_3.weight": (10, 256), "onet.conv1.bias": (2,),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"pnet": {}}, "pnet is not MTCNN's pnet: it has no conv4_2.weight"),
        ({"rnet": SHAPES["onet"]}, "rnet is not MTCNN's rnet: it has no dense5_2.weight"),
        ({"onet": {"dense6_3.weight": (4, 256)}}, r"onet is not MTCNN's onet: .* of the shape \(10, 256\)"),
    ],
)
def test_other_files_are_refused(monkeypatch, tmp_path, change, words):
    with pytest.raises(ConversionError, match=words):
        convert(monkeypatch, tmp_path, SHAPES | change)


@pytest.mark.integration
def test_the_catalogues_file():
    found = read_back(store.ensure(catalogue.load().get("mtcnn")).read_bytes())
    assert len(found) == 50
    assert sum(tensor.size for tensor in found.values()) == 495_850
