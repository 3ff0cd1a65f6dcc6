"""Writing ONNX graphs node by node, with names and bytes that depend on the order of the calls alone."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto, checker, helper, numpy_helper, shape_inference

from model_handlers.weights.convert import ConversionError

OPSET = 18  # Resize and Pad with axes; onnxruntime runs it since 1.15
IR_VERSION = 8

Shape = Sequence[int | str]


class OnnxGraph:
    """The nodes and constants written so far; with `shared`, constants of the same values are one."""

    def __init__(self, name: str, shared: bool = False) -> None:
        self.name = name
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []
        self._shared: dict[tuple[Any, ...], str] | None = {} if shared else None

    def constant(self, values: Any, dtype: Any = None) -> str:
        """The name of a constant."""
        array = np.asarray(values, dtype)
        name = f"constant_{len(self.constants)}"
        if self._shared is not None:
            known = self._shared.setdefault((array.dtype.str, array.shape, array.tobytes()), name)
            if known != name:
                return known
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def add(self, operator: str, inputs: Sequence[str], /, **attributes: Any) -> str:
        """The name of the one output of a new node."""
        return self.add_many(operator, inputs, 1, **attributes)[0]

    def add_many(self, operator: str, inputs: Sequence[str], outputs: int, /, **attributes: Any) -> list[str]:
        """The names of the outputs of a new node."""
        stem = f"{operator}_{len(self.nodes)}"
        names = [stem] if outputs == 1 else [f"{stem}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(operator, inputs, names, name=stem, **attributes))
        return names

    def to_bytes(self, inputs: Mapping[str, tuple[int, Shape]], outputs: Mapping[str, tuple[str, Shape]]) -> bytes:
        """The checked ONNX file.

        inputs: name -> element type of TensorProto and shape; outputs: name -> the value it takes and shape, float32.
        A dimension is a number or the name of a dynamic one.
        """
        for name, (value, _) in outputs.items():
            self.nodes.append(helper.make_node("Identity", [value], [name], name=f"output_{name}"))
        graph = helper.make_graph(
            self.nodes,
            self.name,
            [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in inputs.items()],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, (_, shape) in outputs.items()],
            self.constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        model.producer_name = "manyfaces"
        return checked_bytes(model)


def checked_bytes(model: ModelProto) -> bytes:
    """The model's bytes, after ONNX's own checks of its structure and shapes; ConversionError when they fail."""
    try:
        checker.check_model(model)
        shape_inference.infer_shapes(model, check_type=True, strict_mode=True)
    except (checker.ValidationError, shape_inference.InferenceError) as error:
        raise ConversionError(f"graph {model.graph.name!r} as converted is not valid ONNX: {error}") from error
    return bytes(model.SerializeToString(deterministic=True))


def set_shape(value: ValueInfoProto, shape: Shape) -> None:
    """Give a graph's input or output that shape."""
    kind = value.type.tensor_type.elem_type
    value.CopyFrom(helper.make_tensor_value_info(value.name, kind, shape))
