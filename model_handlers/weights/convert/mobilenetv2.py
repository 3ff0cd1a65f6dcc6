"""MobileNetV2's weights, as the ports before torchvision's save them -> ONNX without the classifier.

input (N,3,H,W) float32, normalized as ImageNet's images are -> features (N,1280), means of the last maps
(M. Sandler et al., MobileNetV2: Inverted Residuals and Linear Bottlenecks, CVPR 2018, table 2). Batch normalization is
folded into the convolutions.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from onnx import TensorProto

from model_handlers.interface import Array
from model_handlers.weights.convert import ConversionError
from model_handlers.weights.convert.onnx_graph import OnnxGraph
from model_handlers.weights.convert.torch_file import read_tensors

MAX_BYTES = 32 * 2**20
# of each stage: how much a block expands its channels, the channels it gives, how many blocks, the stride of the first
STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
FIRST, LAST = 32, 1280  # channels of the first and of the last convolution
EPSILON = 1e-5


def convert(paths: Sequence[Path]) -> bytes:
    """The ONNX file's bytes; ConversionError when the file is not that network."""
    (path,) = paths
    tensors = read_tensors(path, MAX_BYTES)
    try:
        return _network(tensors)
    except ConversionError as error:
        raise ConversionError(f"{path} is not MobileNetV2: {error}") from error


def _network(tensors: Mapping[str, Array]) -> bytes:
    graph = OnnxGraph("mobilenetv2")
    value = _convolved(graph, tensors, "input", ("features.0.0", "features.0.1"), (FIRST, 3, 3, 3), stride=2)
    channels, number = FIRST, 1
    for expansion, wanted, blocks, first_stride in STAGES:
        for block in range(blocks):
            stride = first_stride if block == 0 else 1
            value = _block(graph, tensors, value, f"features.{number}.conv", (channels, wanted), expansion, stride)
            channels, number = wanted, number + 1
    names = f"features.{number}.0", f"features.{number}.1"
    value = _convolved(graph, tensors, value, names, (LAST, channels, 1, 1))
    means = graph.add("ReduceMean", [value, graph.constant([2, 3], np.int64)], keepdims=0)
    image = {"input": (TensorProto.FLOAT, ("N", 3, "H", "W"))}
    return graph.to_bytes(image, {"features": (means, ("N", LAST))})


def _block(
    graph: OnnxGraph,
    tensors: Mapping[str, Array],
    value: str,
    name: str,
    channels: tuple[int, int],
    expansion: int,
    stride: int,
) -> str:
    """An inverted residual block: expanded, looked at channel by channel, projected; added to itself where it can be.

    Its layers are one flat list: convolution, normalization and activation of each step, without an activation last.
    """
    given, wanted = channels
    wide, layer, found = given * expansion, 0, value
    if expansion > 1:
        found = _convolved(graph, tensors, found, (f"{name}.0", f"{name}.1"), (wide, given, 1, 1))
        layer = 3
    names = f"{name}.{layer}", f"{name}.{layer + 1}"
    found = _convolved(graph, tensors, found, names, (wide, 1, 3, 3), stride, groups=wide)
    names = f"{name}.{layer + 3}", f"{name}.{layer + 4}"
    found = _convolved(graph, tensors, found, names, (wanted, wide, 1, 1), active=False)
    return graph.add("Add", [value, found]) if stride == 1 and given == wanted else found


def _convolved(
    graph: OnnxGraph,
    tensors: Mapping[str, Array],
    value: str,
    names: tuple[str, str],
    shape: tuple[int, int, int, int],
    stride: int = 1,
    groups: int = 1,
    active: bool = True,
) -> str:
    """A convolution and its normalization, called by these names, and ReLU6 unless it is not `active`."""
    kernel, norm = names
    weight = _tensor(tensors, f"{kernel}.weight", shape)
    scale, shift, mean, variance = (
        _tensor(tensors, f"{norm}.{what}", shape[:1]).astype(np.float64)
        for what in ("weight", "bias", "running_mean", "running_var")
    )
    factor = scale / np.sqrt(variance + EPSILON)
    folded = (weight * factor[:, None, None, None]).astype(np.float32)
    bias = (shift - mean * factor).astype(np.float32)
    edge = shape[2] // 2
    found = graph.add(
        "Conv",
        [value, graph.constant(folded), graph.constant(bias)],
        kernel_shape=list(shape[2:]),
        strides=[stride, stride],
        pads=[edge] * 4,
        group=groups,
    )
    if not active:
        return found
    return graph.add("Clip", [found, graph.constant(0, np.float32), graph.constant(6, np.float32)])


def _tensor(tensors: Mapping[str, Array], name: str, shape: tuple[int, ...]) -> Array:
    """The tensor of that name; ConversionError when it is not there or not float32 of that shape."""
    tensor = tensors.get(name)
    if tensor is None or tensor.shape != shape or tensor.dtype != np.float32:
        found = "absent" if tensor is None else f"{tensor.dtype} {tensor.shape}"
        raise ConversionError(f"{name} is {found}, expected float32 {shape}")
    return tensor
