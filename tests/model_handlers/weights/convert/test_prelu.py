"""PReLU as conversions write it: what ONNX's own operator gives, for every slope."""

import numpy as np
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from onnx import TensorProto

from model_handlers.weights.convert.onnx_graph import OnnxGraph
from model_handlers.weights.convert.prelu import prelu

NUMBERS = st.floats(-100, 100, width=32)


def written(value: np.ndarray, slope: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the graph gives for the value, and what ONNX's operator gives."""
    graph = OnnxGraph("prelu")
    mine, onnx = prelu(graph, "x", slope), graph.add("PRelu", ["x", graph.constant(slope)])
    content = graph.to_bytes(
        {"x": (TensorProto.FLOAT, value.shape)}, {"mine": (mine, value.shape), "onnx": (onnx, value.shape)}
    )
    first, second = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"]).run(None, {"x": value})
    return first, second


@pytest.mark.parametrize("slope", [0, 0.25, 1, -1.5, 1.4])
def test_positive_numbers_stay_and_others_are_multiplied(slope):
    value = np.array([-8, -0.5, 0, 0.5, 8], np.float32).reshape(1, 1, 5, 1)
    found, _ = written(value, np.full((1, 1, 1), slope, np.float32))
    np.testing.assert_allclose(found.ravel(), [-8 * slope, -0.5 * slope, 0, 0.5, 8], rtol=1e-6)


@given(arrays(np.float32, (2, 3, 2, 2), elements=NUMBERS), arrays(np.float32, (3, 1, 1), elements=NUMBERS))
def test_it_is_onnx_s_operator(value, slope):
    found, wanted = written(value, slope)
    size = abs(value) * (1 + 2 * abs(slope))  # of the two products that are added
    assert (abs(found - wanted) <= 2e-7 * size + 1e-37).all()
