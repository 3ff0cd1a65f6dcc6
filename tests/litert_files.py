"""Small TensorFlow Lite files for tests."""

from pathlib import Path

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

_TYPES = {"float32": schema.TensorType.FLOAT32, "int32": schema.TensorType.INT32}
_TYPES |= {"int8": schema.TensorType.INT8, "uint8": schema.TensorType.UINT8}


def tensor(name, shape, kind="float32", values=None, quantization=None):
    """One tensor: a length None is free (and 1 until it is set); `quantization` is a scale and a zero point."""
    made = schema.TensorT()
    made.name, made.type = name, _TYPES[kind]
    made.shape = [length or 1 for length in shape]
    made.shapeSignature = [length or -1 for length in shape]
    made.quantization = None
    if quantization is not None:
        made.quantization = schema.QuantizationParametersT()
        made.quantization.scale, made.quantization.zeroPoint = [quantization[0]], [quantization[1]]
    made.values = None if values is None else np.asarray(values, kind).tobytes()
    return made


def save(path: Path, operations, tensors) -> Path:
    """Write a network: `operations` name their operator, inputs and output; the first input and last output are its."""
    model = schema.ModelT()
    model.version, model.buffers, model.operatorCodes = 3, [schema.BufferT()], []
    graph = schema.SubGraphT()
    graph.tensors, graph.operators = list(tensors), []
    places = {one.name: place for place, one in enumerate(tensors)}
    for one in tensors:
        one.buffer = 0
        if one.values is not None:
            one.buffer = len(model.buffers)
            model.buffers.append(schema.BufferT())
            model.buffers[-1].data = np.frombuffer(one.values, np.uint8)
    for name, inputs, output in operations:
        code = schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = getattr(schema.BuiltinOperator, name)
        code.version = 2 if "int8" in name else 1
        operator = schema.OperatorT()
        operator.opcodeIndex = len(model.operatorCodes)
        operator.inputs, operator.outputs = [places[one] for one in inputs], [places[output]]
        if name == "FULLY_CONNECTED":
            operator.builtinOptionsType = schema.BuiltinOptions.FullyConnectedOptions
            operator.builtinOptions = schema.FullyConnectedOptionsT()
        model.operatorCodes.append(code)
        graph.operators.append(operator)
    graph.inputs, graph.outputs = [places[operations[0][1][0]]], [places[operations[-1][2]]]
    model.subgraphs = [graph]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(builder.Output())
    return path
