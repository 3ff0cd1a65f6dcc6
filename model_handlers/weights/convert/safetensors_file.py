"""Writes tensors as a safetensors file, without the package of that name.

Eight bytes of length, a header in JSON that says of every tensor its type, its shape and where its bytes lie, and then
the bytes of all of them (huggingface/safetensors, README, 2022).
"""

import json
from collections.abc import Mapping

import numpy as np

from model_handlers.interface import Array

_TYPES = {"float32": "F32", "int64": "I64"}
_ALIGNMENT = 8  # bytes: the header ends with spaces until the tensors lie at a multiple of it


def safetensors_bytes(tensors: Mapping[str, Array]) -> bytes:
    """The file's bytes, the same for the same tensors in the same order; KeyError for a type but float32 and int64."""
    header, end = {}, 0
    for name, tensor in tensors.items():
        start, end = end, end + tensor.nbytes
        header[name] = {"dtype": _TYPES[tensor.dtype.name], "shape": tensor.shape, "data_offsets": (start, end)}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    values = (np.ascontiguousarray(tensor, tensor.dtype.newbyteorder("<")).tobytes() for tensor in tensors.values())
    return b"".join((len(text).to_bytes(8, "little"), text, *values))
