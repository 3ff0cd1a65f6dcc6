"""TransNetV2's weights as its PyTorch port saves them -> ONNX (T. Soucek, J. Lokoc, TransNet V2, 2020).

input (N,100,27,48,3) uint8 RGB, windows of 100 frames -> scores (N,100), probability that a frame is part of a
transition. The middle 50 frames of a window are to be used; the others are there as context.

Three stages of two blocks look at the frames. A block is four branches, each a convolution in space and one over time,
whose reach is 1, 2, 4 and 8 frames; batch normalization is folded into the latter. Convolutions in space see the frames
as a batch, those over time see (channels, frames, pixels): two-dimensional ones are what runtimes are fast at.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from onnx import TensorProto

from model_handlers.interface import Array
from model_handlers.weights.convert import ConversionError
from model_handlers.weights.convert.onnx_graph import OnnxGraph
from model_handlers.weights.convert.torch_file import read_tensors

MAX_BYTES = 64 * 2**20
FRAMES, HEIGHT, WIDTH = 100, 27, 48
REACHES = (1, 2, 4, 8)  # frames between the taps of a branch's convolution over time
STAGES = (16, 32, 64)  # filters of a branch
LOOKUP = 101  # a frame is compared with the 50 before and the 50 after it, and itself
BINS = 512  # of a colour histogram: 8 x 8 x 8
NORM_EPSILON, BATCH_EPSILON = 1e-12, 1e-3


@dataclass(slots=True)
class _Weights:
    tensors: Mapping[str, Array]

    def get(self, name: str, *shape: int) -> Array:
        """The tensor of that name; ConversionError when it is not there or not float32 of that shape."""
        tensor = self.tensors.get(name)
        if tensor is None or tensor.shape != shape or tensor.dtype != np.float32:
            found = "absent" if tensor is None else f"{tensor.dtype} {tensor.shape}"
            raise ConversionError(f"{name} is {found}, expected float32 {shape}")
        return tensor


def convert(paths: Sequence[Path]) -> bytes:
    """The ONNX file's bytes; ConversionError when the file is not that network."""
    (path,) = paths
    weights = _Weights(read_tensors(path, MAX_BYTES))
    try:
        return _network(weights)
    except ConversionError as error:
        raise ConversionError(f"{path} is not TransNetV2: {error}") from error


def _network(weights: _Weights) -> bytes:
    graph = OnnxGraph("transnetv2")
    planes = graph.add("Transpose", [_shaped(graph, "input", -1, HEIGHT, WIDTH, 3)], perm=[0, 3, 1, 2])
    name = graph.add("Div", [_float(graph, planes), graph.constant(255, np.float32)])
    channels, height, width = 3, HEIGHT, WIDTH
    means = []
    for stage, filters in enumerate(STAGES):
        name = _stage(graph, weights, name, stage, (channels, filters, height, width))
        channels, height, width = filters * len(REACHES), height // 2, width // 2
        means.append(graph.add("ReduceMean", [name, graph.constant([2, 3], np.int64)], keepdims=0))
    frames = _shaped(graph, graph.add("Transpose", [name], perm=[0, 2, 3, 1]), -1, FRAMES, channels * height * width)
    features = [_colours(graph, weights), _similarity(graph, weights, means), frames]
    hidden = _linear(
        graph, weights, graph.add("Concat", features, axis=2), "fc1", (256 + channels * height * width, 1024)
    )
    scores = _linear(graph, weights, graph.add("Relu", [hidden]), "cls_layer1", (1024, 1))
    scores = graph.add("Squeeze", [graph.add("Sigmoid", [scores]), graph.constant([2], np.int64)])
    inputs = {"input": (TensorProto.UINT8, ("N", FRAMES, HEIGHT, WIDTH, 3))}
    return graph.to_bytes(inputs, {"scores": (scores, ("N", FRAMES))})


def _stage(graph: OnnxGraph, weights: _Weights, name: str, stage: int, sizes: tuple[int, int, int, int]) -> str:
    """Two blocks, the first added to the second, at half the size; sizes: channels before, filters, height, width."""
    _, filters, height, width = sizes
    first = graph.add("Relu", [_block(graph, weights, name, f"SDDCNN.{stage}.DDCNN.0", sizes)])
    wider = (filters * len(REACHES), filters, height, width)
    second = graph.add("Relu", [_block(graph, weights, first, f"SDDCNN.{stage}.DDCNN.1", wider)])
    return graph.add("AveragePool", [graph.add("Add", [second, first])], kernel_shape=[2, 2], strides=[2, 2])


def _block(graph: OnnxGraph, weights: _Weights, name: str, key: str, sizes: tuple[int, int, int, int]) -> str:
    """The four branches side by side, before their activation; sizes: channels before, filters, height, width."""
    channels, filters, height, width = sizes
    keys = [f"{key}.Conv3D_{reach}.layers" for reach in REACHES]
    space = np.concatenate([weights.get(f"{k}.0.weight", 2 * filters, channels, 1, 3, 3)[:, :, 0] for k in keys])
    name = graph.add("Conv", [name, graph.constant(space)], kernel_shape=[3, 3], pads=[1] * 4)
    name = _shaped(graph, name, -1, FRAMES, len(space), height * width)
    name = graph.add("Transpose", [name], perm=[0, 2, 1, 3])
    parts = graph.add_many("Split", [name], len(REACHES), axis=1, num_outputs=len(REACHES))
    scale, shift = _normalization(weights, f"{key}.bn", filters * len(REACHES))
    branches = []
    for branch, (part, k, reach) in enumerate(zip(parts, keys, REACHES, strict=True)):
        own = slice(branch * filters, (branch + 1) * filters)
        time = weights.get(f"{k}.1.weight", filters, 2 * filters, 3, 1, 1)[..., 0] * scale[own, None, None, None]
        inputs = [part, graph.constant(time, np.float32), graph.constant(shift[own], np.float32)]
        attributes = {"kernel_shape": [3, 1], "dilations": [reach, 1], "pads": [reach, 0, reach, 0]}
        branches.append(graph.add("Conv", inputs, **attributes))
    joined = graph.add("Transpose", [graph.add("Concat", branches, axis=1)], perm=[0, 2, 1, 3])
    return _shaped(graph, joined, -1, filters * len(REACHES), height, width)


def _normalization(weights: _Weights, key: str, channels: int) -> tuple[Array, Array]:
    """Batch normalization as a factor and a summand for each channel, float64."""
    gamma, beta, mean, variance = (
        weights.get(f"{key}.{part}", channels).astype(np.float64)
        for part in ("weight", "bias", "running_mean", "running_var")
    )
    scale = gamma / np.sqrt(variance + BATCH_EPSILON)
    return scale, beta - mean * scale


def _similarity(graph: OnnxGraph, weights: _Weights, means: Sequence[str]) -> str:
    """How like each frame is to those round it, by what the stages see in it: (N,100,128)."""
    seen = sum(filters * len(REACHES) for filters in STAGES)
    features = _shaped(graph, graph.add("Concat", means, axis=1), -1, FRAMES, seen)
    projected = _linear(graph, weights, features, "frame_sim_layer.projection", (seen, 128))
    return _compare(graph, weights, projected, "frame_sim_layer.fc")


def _colours(graph: OnnxGraph, weights: _Weights) -> str:
    """How like each frame is to those round it, by its colours: (N,100,128)."""
    eighths = graph.add("BitShift", ["input", graph.constant(5, np.uint8)], direction="RIGHT")
    places = graph.constant([[64], [8], [1]], np.float32)
    bins = graph.add("MatMul", [_float(graph, eighths), places])
    pixels = graph.add("Cast", [_shaped(graph, bins, -1, HEIGHT * WIDTH)], to=TensorProto.INT64)
    frames = graph.add("Slice", [graph.add("Shape", [pixels]), *(graph.constant([i], np.int64) for i in (0, 1))])
    shape = graph.add("Concat", [frames, graph.constant([BINS], np.int64)], axis=0)
    ones = graph.add("Expand", [graph.constant(1, np.float32), graph.add("Shape", [pixels])])
    empty = graph.add("Expand", [graph.constant(0, np.float32), shape])
    histograms = graph.add("ScatterElements", [empty, pixels, ones], axis=1, reduction="add")
    return _compare(graph, weights, _shaped(graph, histograms, -1, FRAMES, BINS), "color_hist_layer.fc")


def _compare(graph: OnnxGraph, weights: _Weights, vectors: str, key: str) -> str:
    """The cosines of each frame's vector (N,100,D) with those of the 101 frames round it, through a linear layer.

    Row t of the square of cosines, padded by 50 zeros on each side, is wanted from column t on. A row more by one than
    the padded one shifts every row against the one before by just that.
    """
    norm = graph.add("ReduceL2", [vectors, graph.constant([2], np.int64)], keepdims=1)
    unit = graph.add("Div", [vectors, graph.add("Max", [norm, graph.constant(NORM_EPSILON, np.float32)])])
    cosines = graph.add("MatMul", [unit, graph.add("Transpose", [unit], perm=[0, 2, 1])])
    half = LOOKUP // 2
    padded = graph.add("Pad", [cosines, graph.constant([0, 0, half, 0, 0, half], np.int64)])
    row = FRAMES + 2 * half
    flat = graph.add("Pad", [_shaped(graph, padded, -1, FRAMES * row), graph.constant([0, 0, 0, FRAMES], np.int64)])
    bounds = (graph.constant([edge], np.int64) for edge in (0, LOOKUP, 2))
    band = graph.add("Slice", [_shaped(graph, flat, -1, FRAMES, row + 1), *bounds])
    return graph.add("Relu", [_linear(graph, weights, band, key, (LOOKUP, 128))])


def _linear(graph: OnnxGraph, weights: _Weights, name: str, key: str, sizes: tuple[int, int]) -> str:
    before, after = sizes
    product = graph.add("MatMul", [name, graph.constant(weights.get(f"{key}.weight", after, before).T.copy())])
    return graph.add("Add", [product, graph.constant(weights.get(f"{key}.bias", after))])


def _shaped(graph: OnnxGraph, name: str, *shape: int) -> str:
    return graph.add("Reshape", [name, graph.constant(shape, np.int64)])


def _float(graph: OnnxGraph, name: str) -> str:
    return graph.add("Cast", [name], to=TensorProto.FLOAT)
