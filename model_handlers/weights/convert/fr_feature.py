"""Faceplugin's face embedding as it is published (512 numbers a face) -> ONNX of any batch, and quick.

input (N,3,112,112) float32, BGR, (x - 127.5) / 128 -> embedding (N,512), not of unit length. The layers are those of
MobileFaceNet (S. Chen et al., 2018). Its PReLUs are written anew, and weights too small to add anything are 0: most of
them are denormal numbers, which some CPUs multiply ten times as slowly as others.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from onnx import NodeProto, TensorProto, helper, numpy_helper

from model_handlers.interface import Array
from model_handlers.weights.convert import ConversionError
from model_handlers.weights.convert.onnx_file import read_model
from model_handlers.weights.convert.onnx_graph import OnnxGraph
from model_handlers.weights.convert.prelu import prelu

MAX_BYTES = 32 * 2**20
DIMENSION = 512
NOTHING = 1e-20  # what is smaller changes no output's last bit


def convert(paths: Sequence[Path]) -> bytes:
    """The ONNX file's bytes; ConversionError when the file is not that network."""
    (path,) = paths
    source = read_model(path, MAX_BYTES).graph
    if [value.name for value in (*source.input, *source.output)] != ["input", "output"]:
        raise ConversionError(f"{path} has not fr_feature's input and output")
    graph, values = OnnxGraph("fr_feature"), {"input": "input"}
    try:
        weights = {weight.name: _without_denormals(numpy_helper.to_array(weight)) for weight in source.initializer}
        for node in source.node:
            values[node.output[0]] = _write(graph, node, values, weights)
        embedding = values["output"]
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise ConversionError(f"{path} is not fr_feature's network: {error!r}") from error
    image = {"input": (TensorProto.FLOAT, ("N", 3, 112, 112))}
    return graph.to_bytes(image, {"embedding": (embedding, ("N", DIMENSION))})


def _without_denormals(weight: Array) -> Array:
    return np.where(abs(weight) < NOTHING, np.zeros_like(weight), weight)


def _write(graph: OnnxGraph, node: NodeProto, values: Mapping[str, str], weights: Mapping[str, Array]) -> str:
    """The name of the node's output in the new graph; values: names there of what is computed, by those in the file."""
    value = values[node.input[0]]
    if node.op_type == "Conv":
        attributes = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
        return graph.add("Conv", [value, *(graph.constant(weights[name]) for name in node.input[1:])], **attributes)
    if node.op_type == "PRelu":
        return prelu(graph, value, weights[node.input[1]])
    if node.op_type == "Add":
        return graph.add("Add", [value, values[node.input[1]]])
    if node.op_type == "Reshape":  # the last one; as published it is for one face
        return graph.add("Flatten", [value])
    raise ValueError(f"a node {node.op_type}")
