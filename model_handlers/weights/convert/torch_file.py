"""Reads the tensors of a file that torch saved (a state dict: zip archive with a pickle), without torch.

The pickle may name four things and no others: OrderedDict, float32 storage, int64 storage, and the function that makes
a tensor of a storage. Each is replaced by what is written here, so that loading calls nothing of the file's choosing.
"""

import io
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from model_handlers.interface import Array
from model_handlers.weights.convert import ConversionError

_STORAGES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}
_BROKEN = (zipfile.BadZipFile, pickle.UnpicklingError, ValueError, TypeError, LookupError, AttributeError, EOFError)


def read_tensors(path: Path, max_bytes: int) -> dict[str, Array]:
    """The tensors of the state dict by name; ConversionError when the file is larger than allowed, or no such file."""
    if path.stat().st_size > max_bytes:
        raise ConversionError(f"{path} is larger than {max_bytes} bytes")
    try:
        with zipfile.ZipFile(path) as archive:
            found = _TensorUnpickler(archive, max_bytes).load()
    except (*_BROKEN, NotImplementedError, RuntimeError) as error:
        raise ConversionError(f"{path} is no file of tensors as torch saves it: {error}") from error
    if not isinstance(found, Mapping) or not all(isinstance(tensor, np.ndarray) for tensor in found.values()):
        raise ConversionError(f"{path} holds more than tensors by name")
    return {str(name): tensor for name, tensor in found.items()}


class _TensorUnpickler(pickle.Unpickler):
    """Gives arrays for tensors, and refuses every class and function that is not one of the four."""

    def __init__(self, archive: zipfile.ZipFile, max_bytes: int) -> None:
        (pickled,) = (name for name in archive.namelist() if name.endswith("/data.pkl"))
        self._archive, self._folder, self._max_bytes = archive, pickled.removesuffix("data.pkl"), max_bytes
        super().__init__(io.BytesIO(self._read("data.pkl")))

    def find_class(self, module: str, name: str, /) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        raise pickle.UnpicklingError(f"it names {module}.{name}, which is no part of a tensor")

    def persistent_load(self, pid: Any, /) -> Array:
        """The values of a storage; `pid` is ("storage", its type, its member's name, device, how many values)."""
        kind, dtype, key, _, count = pid
        if kind != "storage" or not isinstance(dtype, np.dtype) or not str(key).isdigit():
            raise pickle.UnpicklingError(f"{pid!r} is no storage")
        return np.frombuffer(self._read(f"data/{key}"), dtype, count)

    def _read(self, member: str) -> bytes:
        info = self._archive.getinfo(self._folder + member)
        if info.file_size > self._max_bytes:
            raise pickle.UnpicklingError(f"{info.filename} unpacks to {info.file_size} bytes")
        return self._archive.read(info)


def _tensor(storage: Array, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *unused: Any) -> Array:
    """The tensor of that shape that lies, row by row, in the storage."""
    size = int(np.prod(shape, dtype=object))
    contiguous = tuple(int(np.prod(shape[axis + 1 :], dtype=object)) for axis in range(len(shape)))
    if strides != contiguous or min((*shape, offset)) < 0 or offset + size > len(storage):
        raise ValueError(f"a tensor of shape {shape} and strides {strides} does not lie whole in its storage")
    return storage[offset : offset + size].reshape(shape)
