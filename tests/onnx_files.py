"""Small ONNX files for tests."""

from pathlib import Path

import onnx
from onnx import helper, numpy_helper


def save(path: Path, nodes, weights, inputs, outputs) -> Path:
    """Write a checked ONNX file of these nodes and weights."""
    initializers = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "g", inputs, outputs, initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path
