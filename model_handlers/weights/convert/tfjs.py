"""TensorFlow operations -> ONNX, for the operations that the catalogue's TensorFlow.js models use.

TensorFlow holds images as NHWC, ONNX's convolutions want NCHW. Each value therefore remembers how it is held:
convolutions leave their results channels first, elementwise operations follow, and TensorFlow's own transpositions
between the two cost nothing; a Transpose is written only where an operation needs TensorFlow's order.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from onnx import TensorProto

from model_handlers.interface import Array
from model_handlers.weights.convert import ConversionError
from model_handlers.weights.convert.onnx_graph import OnnxGraph
from model_handlers.weights.convert.prelu import prelu
from model_handlers.weights.convert.tfjs_file import Node, TfjsGraph, node_of

TO_NCHW, TO_NHWC = (0, 3, 1, 2), (0, 2, 3, 1)
_NCHW_AXIS = {0: 0, 1: 2, 2: 3, 3: 1}


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """A TensorFlow tensor: the ONNX value that holds it, channels first or as TensorFlow has it, or its constant."""

    name: str = ""
    channels_first: bool = False
    constant: Array | None = None


Operation = Callable[[OnnxGraph, Node, list[Value]], list[Value]]


def convert_nodes(
    graph: OnnxGraph, source: TfjsGraph, inputs: Mapping[str, Value], outputs: tuple[str, ...]
) -> list[Value]:
    """Write the nodes between the inputs (node name -> value) and the outputs (node names); the outputs' values."""
    values = {(name, 0): value for name, value in inputs.items()}
    for node in source.needed(outputs, frozenset(inputs)):
        if node.op == "Const":
            values[node.name, 0] = Value(constant=_constant_of(source, node))
            continue
        arguments = [_look_up(values, tensor, node) for tensor in node.inputs]
        for index, value in enumerate(_convert(graph, node, arguments)):
            values[node.name, index] = value
    return [values[name, 0] for name in outputs]


def plain(graph: OnnxGraph, value: Value) -> str:
    """The name of the value in TensorFlow's own order."""
    if value.constant is not None:
        return graph.constant(value.constant)
    return graph.add("Transpose", [value.name], perm=TO_NHWC) if value.channels_first else value.name


def channels_first(graph: OnnxGraph, value: Value) -> str:
    """The name of the 4-D value as NCHW; a constant of fewer dimensions gets leading ones, as broadcasting does."""
    if value.constant is not None:
        return graph.constant(_constant_channels_first(value.constant))
    return value.name if value.channels_first else graph.add("Transpose", [value.name], perm=TO_NCHW)


def _constant_channels_first(constant: Array) -> Array:
    return constant.reshape((1,) * (4 - constant.ndim) + constant.shape).transpose(TO_NCHW)


def _constant_of(source: TfjsGraph, node: Node) -> Array:
    if node.name not in source.constants:
        raise ConversionError(f"constant {node.name!r} has no value in the weights file")
    return source.constants[node.name]


def _look_up(values: Mapping[tuple[str, int], Value], tensor: str, node: Node) -> Value:
    _, _, index = tensor.partition(":")
    key = (node_of(tensor), int(index or 0))
    if key not in values:
        raise ConversionError(f"node {node.name!r} reads {tensor!r}, which nothing gives")
    return values[key]


def _convert(graph: OnnxGraph, node: Node, arguments: list[Value]) -> list[Value]:
    constants = [value.constant for value in arguments if value.constant is not None]
    if node.op in _FOLDED and len(constants) == len(arguments):
        return [Value(constant=np.asarray(_FOLDED[node.op](*constants)))]
    if node.op not in _OPERATIONS:
        raise ConversionError(f"node {node.name!r} is a {node.op}, which cannot be converted")
    try:
        return _OPERATIONS[node.op](graph, node, arguments)
    except (IndexError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ConversionError(f"node {node.name!r} ({node.op}) cannot be converted: {error!r}") from error


def _fixed(value: Value) -> Array:
    if value.constant is None:
        raise ValueError("an argument that must be constant is computed")
    return value.constant


def _unary(operator: str, **attributes: Any) -> Operation:
    def write(graph: OnnxGraph, node: Node, arguments: list[Value]) -> list[Value]:
        value = arguments[0]
        return [Value(graph.add(operator, [value.name], **attributes), value.channels_first)]

    return write


def _binary(operator: str) -> Operation:
    def write(graph: OnnxGraph, node: Node, arguments: list[Value]) -> list[Value]:
        first, second = arguments
        shared = all(value.channels_first or value.constant is not None for value in arguments)
        hold = channels_first if shared else plain
        return [Value(graph.add(operator, [hold(graph, first), hold(graph, second)]), shared)]

    return write


def _activate(graph: OnnxGraph, name: str, activation: str, node: Node, slope: Value | None) -> str:
    if activation == "Relu":
        return graph.add("Relu", [name])
    if activation == "Relu6":
        return graph.add("Clip", [name, graph.constant(0.0, np.float32), graph.constant(6.0, np.float32)])
    if activation == "LeakyRelu":
        return graph.add("LeakyRelu", [name], alpha=node.number("leakyrelu_alpha", 0.2))
    if activation == "Prelu" and slope is not None:
        return prelu(graph, name, _constant_channels_first(_fixed(slope)))
    raise ValueError(f"unknown fused operation {activation}")


def _window(node: Node, key: str) -> list[int]:
    values = node.ints(key) or (1, 1, 1, 1)
    if node.text("data_format", "NHWC") != "NHWC" or len(values) != 4 or (values[0], values[3]) != (1, 1):
        raise ValueError(f"{key} {values} in {node.text('data_format')} is not over height and width of NHWC")
    return list(values[1:3])


def _padding(node: Node) -> dict[str, Any]:
    padding = node.text("padding")
    if padding not in ("SAME", "VALID"):
        raise ValueError(f"padding {padding}")
    return {"auto_pad": "SAME_UPPER"} if padding == "SAME" else {}


def _convolution(graph: OnnxGraph, node: Node, arguments: list[Value]) -> list[Value]:
    depthwise = "Depthwise" in node.op
    weights = _fixed(arguments[1])
    groups = weights.shape[2] if depthwise else 1
    kernel = weights.transpose(2, 3, 0, 1) if depthwise else weights.transpose(3, 2, 0, 1)
    if depthwise:
        kernel = kernel.reshape(-1, 1, *weights.shape[:2])
    fused = list(node.texts("fused_ops"))
    inputs = [channels_first(graph, arguments[0]), graph.constant(kernel)]
    extra = arguments[2:]
    if fused and fused[0] == "BiasAdd":
        inputs.append(graph.constant(_fixed(extra[0])))
        fused, extra = fused[1:], extra[1:]
    windows = {"strides": _window(node, "strides"), "dilations": _window(node, "dilations")}
    name = graph.add("Conv", inputs, group=groups, kernel_shape=weights.shape[:2], **windows, **_padding(node))
    for activation in fused:
        name = _activate(graph, name, activation, node, extra[0] if extra else None)
    return [Value(name, channels_first=True)]


def _max_pool(graph: OnnxGraph, node: Node, arguments: list[Value]) -> list[Value]:
    windows = {"kernel_shape": _window(node, "ksize"), "strides": _window(node, "strides")}
    return [Value(graph.add("MaxPool", [channels_first(graph, arguments[0])], **windows, **_padding(node)), True)]


def _resize(graph: OnnxGraph, node: Node, arguments: list[Value]) -> list[Value]:
    if node.flag("align_corners") or not node.flag("half_pixel_centers"):
        raise ValueError("only bilinear resizing with half-pixel centres")
    sizes = graph.constant(_fixed(arguments[1]), np.int64)
    inputs = [channels_first(graph, arguments[0]), "", "", sizes]
    return [Value(graph.add("Resize", inputs, axes=[2, 3], mode="linear"), True)]


def _pad(graph: OnnxGraph, node: Node, arguments: list[Value]) -> list[Value]:
    value, pairs = arguments[0], _fixed(arguments[1])
    if value.channels_first:
        pairs = pairs[list(TO_NCHW)]
    fill = _fixed(arguments[2]) if len(arguments) > 2 else np.float32(0)
    inputs = [value.name, graph.constant(pairs.T.reshape(-1), np.int64), graph.constant(fill, np.float32)]
    return [Value(graph.add("Pad", inputs), value.channels_first)]


def _prelu(graph: OnnxGraph, node: Node, arguments: list[Value]) -> list[Value]:
    value, slope = arguments
    return [Value(prelu(graph, channels_first(graph, value), _constant_channels_first(_fixed(slope))), True)]


def _leaky_relu(graph: OnnxGraph, node: Node, arguments: list[Value]) -> list[Value]:
    return _unary("LeakyRelu", alpha=node.number("alpha", 0.2))(graph, node, arguments)


def _transpose(graph: OnnxGraph, node: Node, arguments: list[Value]) -> list[Value]:
    value, order = arguments[0], tuple(int(axis) for axis in _fixed(arguments[1]))
    if value.channels_first and order == TO_NCHW:
        return [Value(value.name)]
    if not value.channels_first and order == TO_NHWC:
        return [Value(value.name, channels_first=True)]
    return [Value(graph.add("Transpose", [plain(graph, value)], perm=order))]


def _concat(graph: OnnxGraph, node: Node, arguments: list[Value]) -> list[Value]:
    *parts, axis = arguments
    shared = all(part.channels_first for part in parts)
    along = int(_fixed(axis))
    names = [channels_first(graph, part) if shared else plain(graph, part) for part in parts]
    return [Value(graph.add("Concat", names, axis=_NCHW_AXIS[along % 4] if shared else along), shared)]


def _split(graph: OnnxGraph, node: Node, arguments: list[Value]) -> list[Value]:
    value, sizes, axis = arguments[0], _fixed(arguments[1]), int(_fixed(arguments[2]))
    along = _NCHW_AXIS[axis % 4] if value.channels_first else axis
    names = graph.add_many("Split", [value.name, graph.constant(sizes, np.int64)], len(sizes), axis=along)
    return [Value(name, value.channels_first) for name in names]


def _reshape(graph: OnnxGraph, node: Node, arguments: list[Value]) -> list[Value]:
    shape = _fixed(arguments[1]).astype(np.int64).copy()
    if shape[0] == 1:
        shape[0] = 0  # frozen for one example: the leading 1 is the batch, and 0 keeps whatever it is
    return [Value(graph.add("Reshape", [plain(graph, arguments[0]), graph.constant(shape)]))]


def _mean(graph: OnnxGraph, node: Node, arguments: list[Value]) -> list[Value]:
    axes, keep = _fixed(arguments[1]), node.flag("keep_dims")
    if keep or sorted(axes.tolist()) != [1, 2]:
        raise ValueError("only the mean over height and width")
    inputs = [channels_first(graph, arguments[0]), graph.constant([2, 3], np.int64)]
    return [Value(graph.add("ReduceMean", inputs, keepdims=0))]


def _softmax(graph: OnnxGraph, node: Node, arguments: list[Value]) -> list[Value]:
    return [Value(graph.add("Softmax", [plain(graph, arguments[0])], axis=-1))]


def _cast(graph: OnnxGraph, node: Node, arguments: list[Value]) -> list[Value]:
    if node.attributes["DstT"]["type"] != "DT_FLOAT":
        raise ValueError("only casts to float")
    return _unary("Cast", to=TensorProto.FLOAT)(graph, node, arguments)


def _sparse_to_dense(indices: Array, shape: Array, values: Array, default: Array) -> Array:
    if shape.size != 1 or not 0 <= int(shape[0]) <= 8:
        raise ConversionError("only short vectors of constants")
    dense = np.full(shape.astype(int), default)
    dense[indices.reshape(-1).astype(int)] = values
    return dense


_FOLDED: dict[str, Callable[..., Any]] = {
    "AddV2": np.add,
    "SparseToDense": _sparse_to_dense,
}
_OPERATIONS: dict[str, Operation] = {
    "Add": _binary("Add"),
    "AddV2": _binary("Add"),
    "Cast": _cast,
    "ConcatV2": _concat,
    "Conv2D": _convolution,
    "DepthwiseConv2dNative": _convolution,
    "FusedDepthwiseConv2dNative": _convolution,
    "Identity": _unary("Identity"),
    "LeakyRelu": _leaky_relu,
    "MaxPool": _max_pool,
    "Mean": _mean,
    "Mul": _binary("Mul"),
    "Pad": _pad,
    "PadV2": _pad,
    "Prelu": _prelu,
    "Relu": _unary("Relu"),
    "Reshape": _reshape,
    "ResizeBilinear": _resize,
    "Sigmoid": _unary("Sigmoid"),
    "Softmax": _softmax,
    "SplitV": _split,
    "Sub": _binary("Sub"),
    "Transpose": _transpose,
    "_FusedConv2D": _convolution,
}
