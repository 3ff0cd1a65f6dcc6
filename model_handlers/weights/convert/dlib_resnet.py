"""dlib's face recognition ResNet (`dlib_face_recognition_resnet_model_v1.dat`) -> ONNX.

input (N,3,150,150) float32, RGB, (x - (122.782, 117.001, 104.298)) / 256 -> embedding (N,128), not of unit length.

The file is dlib's serialization of the network from its input to its output. Each layer that has parameters begins with
its name, followed by one tensor: a header of packed integers (version, samples, channels, rows, columns) and
little-endian float32 values. A convolution's tensor holds filters then biases, and its geometry follows; an affine's
holds gammas then betas. The walk below goes from name to name in the order of the published architecture and checks
every size.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from onnx import TensorProto

from model_handlers.interface import Array
from model_handlers.weights.convert import ConversionError
from model_handlers.weights.convert.onnx_graph import OnnxGraph

MAX_BYTES = 64 * 2**20
SIDE = 150
DIMENSION = 128
# (filters, whether the block halves the image), in order from the input; each block is two 3x3 convolutions.
BLOCKS = (
    *((32, False),) * 3,
    (64, True),
    *((64, False),) * 3,
    (128, True),
    *((128, False),) * 2,
    (256, True),
    *((256, False),) * 2,
    (256, True),
)
_GAP = 2048  # bytes between one layer's parameters and the next layer's name: a few hundred in the published file


@dataclass(slots=True)
class _Reader:
    content: bytes
    at: int = 0

    def seek_layer(self, name: str) -> None:
        """Move behind the next serialized text `name`."""
        marker = bytes([1, len(name)]) + name.encode()
        found = self.content.find(marker, self.at, self.at + _GAP)
        if found < 0:
            raise ConversionError(f"no layer {name!r} within {_GAP} bytes of byte {self.at}")
        self.at = found + len(marker)

    def integer(self) -> int:
        """dlib's packed integer: a byte with the count of bytes (and a sign bit), then those bytes, little-endian."""
        if self.at >= len(self.content) or not 1 <= self.content[self.at] <= 8:  # a set sign bit is refused too
            raise ConversionError(f"no packed integer at byte {self.at}")
        count = self.content[self.at]
        value = int.from_bytes(self.content[self.at + 1 : self.at + 1 + count], "little")
        self.at += 1 + count
        return value

    def floats(self, expected: int) -> Array:
        """A tensor that must hold that many values, flat."""
        version, *sides = (self.integer() for _ in range(5))
        if version != 2 or int(np.prod(sides, dtype=object)) != expected:
            raise ConversionError(f"at byte {self.at}: tensor version {version} of {sides}, expected {expected} values")
        end = self.at + 4 * expected
        if end > len(self.content):
            raise ConversionError(f"a tensor ends at byte {end}, the file at {len(self.content)}")
        values = np.frombuffer(self.content, "<f4", expected, self.at).astype(np.float32)
        self.at = end
        return values


def convert(paths: Sequence[Path]) -> bytes:
    """The ONNX file's bytes; ConversionError when the file is not that network."""
    (path,) = paths
    if path.stat().st_size > MAX_BYTES:
        raise ConversionError(f"{path} is larger than {MAX_BYTES} bytes")
    try:
        return _network(_Reader(path.read_bytes()))
    except ConversionError as error:
        raise ConversionError(f"{path} is not dlib's face recognition ResNet: {error}") from error


def _network(reader: _Reader) -> bytes:
    graph = OnnxGraph("dlib-resnet")
    reader.seek_layer("input_rgb_image_sized")
    name = graph.add("Relu", [_convolution(graph, reader, "input", (32, 3, 7), 2)])
    name = graph.add("MaxPool", [name], kernel_shape=[3, 3], strides=[2, 2])
    side, channels = _halved(_halved(SIDE, 7), 3), 32
    for filters, halves in BLOCKS:
        name = _block(graph, reader, name, (channels, filters, side), halves)
        side = max(_halved(side, 3), _halved(side, 2)) if halves else side
        channels = filters
    name = graph.add("Flatten", [graph.add("GlobalAveragePool", [name])])
    reader.seek_layer("fc_2")
    if reader.integer() != DIMENSION or reader.integer() != channels:
        raise ConversionError(f"the last layer is not {channels} x {DIMENSION}")
    weights = reader.floats(channels * DIMENSION).reshape(channels, DIMENSION)
    name = graph.add("MatMul", [name, graph.constant(weights)])
    return graph.to_bytes({"input": (TensorProto.FLOAT, ("N", 3, SIDE, SIDE))}, {"embedding": (name, ("N", DIMENSION))})


def _halved(side: int, kernel: int) -> int:
    """The side after a window of that kernel at stride 2 without padding."""
    return (side - kernel) // 2 + 1


def _block(graph: OnnxGraph, reader: _Reader, name: str, sizes: tuple[int, int, int], halves: bool) -> str:
    """A residual block; sizes are channels before, channels after, side before."""
    before, after, side = sizes
    branch = graph.add("Relu", [_convolution(graph, reader, name, (after, before, 3), 2 if halves else 1)])
    branch = _convolution(graph, reader, branch, (after, after, 3), 1)
    if halves:
        # dlib adds tensors of unequal size as if zeros followed the smaller one, in channels, rows and columns
        name = graph.add("AveragePool", [name], kernel_shape=[2, 2], strides=[2, 2])
        pooled, convolved = _halved(side, 2), _halved(side, 3)
        larger = max(pooled, convolved)
        name = _grow(graph, name, after - before, larger - pooled)
        branch = _grow(graph, branch, 0, larger - convolved)
    return graph.add("Relu", [graph.add("Add", [branch, name])])


def _grow(graph: OnnxGraph, name: str, channels: int, pixels: int) -> str:
    if not channels and not pixels:
        return name
    return graph.add("Pad", [name, graph.constant([0, 0, 0, 0, 0, channels, pixels, pixels], np.int64)])


def _convolution(graph: OnnxGraph, reader: _Reader, name: str, kernel: tuple[int, int, int], stride: int) -> str:
    """A convolution and the affine after it as one Conv; kernel is filters, channels, side."""
    filters, channels, side = kernel
    reader.seek_layer("con_4")
    values = reader.floats(filters * channels * side * side + filters)
    padding = 0 if stride == 2 else side // 2
    expected = (filters, side, side, stride, stride, padding, padding)
    geometry = tuple(reader.integer() for _ in expected)
    if geometry != expected:
        raise ConversionError(
            f"a convolution of (filters, rows, columns, strides, pads) {geometry}, expected {expected}"
        )
    reader.seek_layer("affine_")
    gamma, beta = reader.floats(2 * filters).reshape(2, filters)
    weights = values[:-filters].reshape(filters, channels, side, side) * gamma[:, None, None, None]
    biases = values[-filters:] * gamma + beta
    inputs = [name, graph.constant(weights), graph.constant(biases)]
    return graph.add("Conv", inputs, kernel_shape=[side, side], strides=[stride] * 2, pads=[padding] * 4)
