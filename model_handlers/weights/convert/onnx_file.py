"""Reading ONNX files that others wrote."""

from pathlib import Path

import onnx
from google.protobuf.message import DecodeError
from onnx import ModelProto, TensorProto

from model_handlers.weights.convert import ConversionError


def read_model(path: Path, max_bytes: int) -> ModelProto:
    """The model; ConversionError when the file is larger than allowed, no ONNX, or points to weights elsewhere."""
    if path.stat().st_size > max_bytes:
        raise ConversionError(f"{path} is larger than {max_bytes} bytes")
    try:
        model = onnx.load_model_from_string(path.read_bytes())
    except DecodeError as error:
        raise ConversionError(f"{path} is no ONNX file: {error}") from error
    if any(constant.data_location == TensorProto.EXTERNAL for constant in model.graph.initializer):
        raise ConversionError(f"{path} keeps weights in another file, and one file was expected")
    return model
