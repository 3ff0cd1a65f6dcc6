"""The conversion of fr_feature's ONNX file, on small files of its kind."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from model_handlers.weights.convert import ConversionError, conversion
from tests.onnx_files import save

RANDOM = np.random.default_rng(3)
IMAGES = RANDOM.uniform(-1, 1, (3, 3, 112, 112)).astype(np.float32)
WEIGHTS = {
    "kernel": RANDOM.normal(size=(4, 3, 8, 8)) / 14,
    "bias": RANDOM.normal(size=4),
    "slope": RANDOM.uniform(-1.4, 1.4, (4, 1, 1)),
    "whole": RANDOM.normal(size=(4, 1, 14, 14)) / 14,
    "widened": RANDOM.normal(size=(512, 4, 1, 1)),
}
NODES = [
    helper.make_node("Conv", ["input", "kernel", "bias"], ["a"], strides=[8, 8]),
    helper.make_node("PRelu", ["a", "slope"], ["b"]),
    helper.make_node("Add", ["a", "b"], ["c"]),
    helper.make_node("Conv", ["c", "whole"], ["d"], group=4),
    helper.make_node("Conv", ["d", "widened"], ["e"]),
    helper.make_node("Reshape", ["e", "shape"], ["output"]),
]


def network(path, nodes=NODES, changes=None, names=("input", "output")):
    """A file for one face, as fr_feature's is; changes: weights by name."""
    floats = {name: value.astype(np.float32) for name, value in {**WEIGHTS, **(changes or {})}.items()}
    inputs = [helper.make_tensor_value_info(names[0], TensorProto.FLOAT, (1, 3, 112, 112))]
    outputs = [helper.make_tensor_value_info(names[1], TensorProto.FLOAT, (1, 512))]
    return save(path / "w.onnx", nodes, {**floats, "shape": np.array([1, 512])}, inputs, outputs)


def run(content, images):
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return session.run(None, {"input": images})[0]


def test_any_batch_gives_what_the_file_gives_for_one(tmp_path):
    file = network(tmp_path)
    wanted = np.concatenate([run(file, image[None]) for image in IMAGES])
    content = conversion("fr-feature")([file])
    for count in (1, 3):
        np.testing.assert_allclose(run(content, IMAGES[:count]), wanted[:count], atol=2e-6)
    assert content == conversion("fr-feature")([file])


def test_weights_too_small_to_matter_are_nothing(tmp_path):
    kernel = WEIGHTS["kernel"].copy()
    kernel[:, 1] = RANDOM.choice([1e-39, -1e-39, 1e-44, -1e-21, 1e-19], kernel[:, 1].shape)
    content = conversion("fr-feature")([network(tmp_path, changes={"kernel": kernel})])
    floats = [numpy_helper.to_array(weight) for weight in onnx.load_model_from_string(content).graph.initializer]
    sizes = np.concatenate([abs(weight).ravel() for weight in floats if weight.dtype == np.float32])
    assert sizes[sizes > 0].min() == pytest.approx(1e-19)
    assert (sizes == 0).sum() > 100


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"names": ("input", "e"), "nodes": NODES[:5]}, "has not fr_feature's input and output"),
        ({"nodes": [*NODES[:1], helper.make_node("Relu", ["a"], ["b"]), *NODES[2:]]}, "a node Relu"),
        ({"nodes": [helper.make_node("Add", ["input", "kernel"], ["output"])]}, "not fr_feature's network.*kernel"),
        ({"changes": {"widened": WEIGHTS["widened"][:500]}}, "not valid ONNX"),
    ],
)
def test_other_networks_are_refused(tmp_path, change, words):
    with pytest.raises(ConversionError, match=words):
        conversion("fr-feature")([network(tmp_path, **change)])
