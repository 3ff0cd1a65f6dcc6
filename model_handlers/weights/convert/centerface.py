"""Mends CenterFace's published ONNX file so that it takes any batch and any image size.

input (N,3,H,W) float32, RGB 0 to 255, H and W multiples of 32 -> at stride 4: heatmap (N,1,h,w), probabilities; scale
(N,2,h,w), logarithms of height and width in cells; offset (N,2,h,w), y and x in cells; landmarks (N,10,h,w), y, x pairs
in shares of the box. The file as published declares one fixed size, and lists its weights as inputs.
"""

from collections.abc import Sequence
from pathlib import Path

import onnx

from model_handlers.weights.convert import ConversionError
from model_handlers.weights.convert.onnx_file import read_model
from model_handlers.weights.convert.onnx_graph import IR_VERSION, checked_bytes, set_shape

MAX_BYTES = 64 * 2**20
OUTPUTS = {"537": ("heatmap", 1), "538": ("scale", 2), "539": ("offset", 2), "540": ("landmarks", 10)}


def convert(paths: Sequence[Path]) -> bytes:
    """The mended file's bytes; ConversionError when the file is not that network."""
    (path,) = paths
    model = read_model(path, MAX_BYTES)
    graph = model.graph
    images = [value for value in graph.input if value.name == "input.1"]
    if len(images) != 1 or [value.name for value in graph.output] != list(OUTPUTS):
        raise ConversionError(f"{path} has not CenterFace's input and outputs")
    del graph.input[:]
    graph.input.extend(images)
    set_shape(graph.input[0], ("N", 3, "H", "W"))
    for value in graph.output:
        set_shape(value, ("N", OUTPUTS[value.name][1], "h", "w"))
    used = {name for node in graph.node for name in node.input}
    kept = [constant for constant in graph.initializer if constant.name in used]  # training's counters are not
    del graph.initializer[:]
    graph.initializer.extend(kept)
    _rename(graph, {"input.1": "input"} | {old: new for old, (new, _) in OUTPUTS.items()})
    model.ir_version = IR_VERSION  # from 4 on, weights need not be inputs
    return checked_bytes(model)


def _rename(graph: onnx.GraphProto, names: dict[str, str]) -> None:
    for value in (*graph.input, *graph.output):
        value.name = names.get(value.name, value.name)
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
