"""Reads the tensors of a file that torch saved (a state dict), without torch.

It is a zip archive with a pickle; before torch 1.6 it was pickles in a row, with the numbers behind them. The pickle
may name four things and no others: OrderedDict, float32 storage, int64 storage, and the function that makes a tensor of
a storage. Each is replaced by what is written here, so that loading calls nothing of the file's choosing.
"""

import io
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided

from model_handlers.interface import Array
from model_handlers.weights.convert import ConversionError

_STORAGES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}
_BROKEN = (zipfile.BadZipFile, pickle.UnpicklingError, ValueError, TypeError, LookupError, AttributeError, EOFError)
_OLD_START = pickle.dumps(0x1950A86A20F9469CFC6C, protocol=2)  # torch's `MAGIC_NUMBER`, which an old file begins with

_Storage = Callable[[str, np.dtype[Any], int], Array]  # the values of a storage by its key, their type, how many


def read_tensors(path: Path, max_bytes: int) -> dict[str, Array]:
    """The tensors of the state dict by name; ConversionError when the file is larger than allowed, or no such file."""
    if path.stat().st_size > max_bytes:
        raise ConversionError(f"{path} is larger than {max_bytes} bytes")
    try:
        content = path.read_bytes()
        found = _read_old(content) if content.startswith(_OLD_START) else _read_archive(content, max_bytes)
    except (*_BROKEN, NotImplementedError, RuntimeError) as error:
        raise ConversionError(f"{path} is no file of tensors as torch saves it: {error}") from error
    if not isinstance(found, Mapping) or not all(isinstance(tensor, np.ndarray) for tensor in found.values()):
        raise ConversionError(f"{path} holds more than tensors by name")
    return {str(name): tensor for name, tensor in found.items()}


def _read_archive(content: bytes, max_bytes: int) -> Any:
    """What the archive's pickle holds; each storage is a member of its own."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        (pickled,) = (name for name in archive.namelist() if name.endswith("/data.pkl"))
        folder = pickled.removesuffix("data.pkl")

        def read(member: str) -> bytes:
            info = archive.getinfo(folder + member)
            if info.file_size > max_bytes:
                raise pickle.UnpicklingError(f"{info.filename} unpacks to {info.file_size} bytes")
            return archive.read(info)

        def storage(key: str, dtype: np.dtype[Any], count: int) -> Array:
            return np.frombuffer(read(f"data/{key}"), dtype, count)

        return _TensorUnpickler(io.BytesIO(read("data.pkl")), storage).load()


def _read_old(content: bytes) -> Any:
    """What the fourth pickle holds, after a number, a version and facts of the machine.

    A fifth lists the storages, whose values follow in that order, each after their count; until they are read, the
    tensors lie in storages that are empty.
    """
    file = io.BytesIO(content)
    storages: dict[str, Array] = {}
    left = len(content)  # bytes that more storages can have

    def storage(key: str, dtype: np.dtype[Any], count: int) -> Array:
        nonlocal left
        if key not in storages:
            if not 0 <= count * dtype.itemsize <= left:
                raise pickle.UnpicklingError(f"storage {key} of {count} values does not lie in the file")
            left -= count * dtype.itemsize
            storages[key] = np.empty(count, dtype)
        return storages[key]

    _, _, _, found, keys = (_TensorUnpickler(file, storage).load() for _ in range(5))
    if sorted(keys) != sorted(storages):
        raise pickle.UnpicklingError("its list of storages is not that of its tensors")
    for values in map(storages.__getitem__, keys):
        count = int.from_bytes(file.read(8), "little")
        if count != len(values):
            raise pickle.UnpicklingError(f"a storage has {count} values, its tensors say {len(values)}")
        values[:] = np.frombuffer(file.read(values.nbytes), values.dtype, count)
    return found


class _TensorUnpickler(pickle.Unpickler):
    """Gives arrays for tensors, and refuses every class and function that is not one of the four."""

    def __init__(self, file: io.BytesIO, storage: _Storage) -> None:
        super().__init__(file)
        self._storage = storage

    def find_class(self, module: str, name: str, /) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        raise pickle.UnpicklingError(f"it names {module}.{name}, which is no part of a tensor")

    def persistent_load(self, pid: Any, /) -> Array:
        """The values of a storage; `pid` is ("storage", its type, its key, device, how many values).

        In old files a None follows: the storage is no part of another.
        """
        kind, dtype, key, _, count, *part_of = pid
        if kind != "storage" or not isinstance(dtype, np.dtype) or not str(key).isdigit() or any(part_of):
            raise pickle.UnpicklingError(f"{pid!r} is no storage")
        return self._storage(str(key), dtype, count)


def _tensor(storage: Array, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *unused: Any) -> Array:
    """The tensor of that shape whose values lie in the storage from `offset` on, `strides` apart on each axis."""
    size = int(np.prod(shape, dtype=object))
    last = sum((length - 1) * stride for length, stride in zip(shape, strides, strict=True)) if size else -1
    inside = min((offset, *shape, *strides)) >= 0 and offset + last < len(storage)
    if not inside or size > len(storage):  # with strides of 0 it could be larger than all that is there
        raise ValueError(f"a tensor of shape {shape} and strides {strides} does not lie whole in its storage")
    return as_strided(storage[offset:], shape, [stride * storage.itemsize for stride in strides])
