"""Files of tensors as torch saves them, made here by hand, and what pretends to be one."""

import io
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_handlers.weights.convert import ConversionError
from model_handlers.weights.convert.torch_file import read_tensors

LIMIT = 1 << 20


class Global:
    """Pickled as the name of something of a module that need not be there."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name


class Call:
    """Pickled as a call of `function` (a Global) with arguments."""

    def __init__(self, function: Global, *arguments: Any) -> None:
        self.function, self.arguments = function, arguments


class Storage:
    """Pickled as a reference to a storage, which torch keeps beside the pickle."""

    def __init__(self, *pid: Any) -> None:
        self.pid = pid


class Pickler(pickle._Pickler):  # the one in Python, which can be taught
    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        if isinstance(obj, Global):
            self.write(pickle.GLOBAL + f"{obj.module}\n{obj.name}\n".encode())
        elif isinstance(obj, Call):
            self.save(obj.function)
            self.save(obj.arguments)
            self.write(pickle.REDUCE)
        else:
            super().save(obj, save_persistent_id)

    def persistent_id(self, obj: Any) -> Any:
        return obj.pid if isinstance(obj, Storage) else None


FLOATS, LONGS = Global("torch", "FloatStorage"), Global("torch", "LongStorage")
REBUILD = Global("torch._utils", "_rebuild_tensor_v2")
VALUES = np.arange(12, dtype=np.float32)


def storage(count: int = 12, key: str = "0", kind: Global = FLOATS) -> Storage:
    return Storage("storage", kind, key, "cpu", count)


def tensor(shape: tuple = (3, 4), strides: tuple = (4, 1), offset: int = 0, of: Any = None) -> Call:
    return Call(REBUILD, of or storage(), offset, shape, strides, False, OrderedDict())


def saved(path: Path, state: Any, members: dict[str, bytes] | None = None) -> Path:
    buffer = io.BytesIO()
    Pickler(buffer, protocol=2).dump(state)
    files = {"data.pkl": buffer.getvalue(), "data/0": VALUES.tobytes(), **(members or {})}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(f"archive/{name}", content)
    return path


def test_nothing(tmp_path: Path) -> None:
    assert read_tensors(saved(tmp_path / "w.pth", OrderedDict()), LIMIT) == {}


def test_tensors(tmp_path: Path) -> None:
    counts = np.array([5], dtype=np.int64)
    state = OrderedDict(
        whole=tensor(),
        row=tensor((4,), (1,), 4),
        scalar=tensor((), (), of=storage(1, "1", LONGS)),
    )
    found = read_tensors(saved(tmp_path / "w.pth", state, {"data/1": counts.tobytes()}), LIMIT)
    assert list(found) == ["whole", "row", "scalar"]
    np.testing.assert_array_equal(found["whole"], VALUES.reshape(3, 4))
    np.testing.assert_array_equal(found["row"], [4, 5, 6, 7])
    assert (found["scalar"].shape, found["scalar"].dtype, int(found["scalar"])) == ((), np.int64, 5)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"a": Call(Global("os", "system"), "touch owned")}, "os.system"),
        ({"a": Call(Global("builtins", "eval"), "1")}, "builtins.eval"),
        ({"a": Call(Global("torch", "load"), "x")}, "torch.load"),
        ({"a": Call(Global("numpy", "load"), "x")}, "numpy.load"),
        ({"a": 1}, "more than tensors"),
        ([1], "more than tensors"),
        ({"a": tensor((3, 5), (5, 1))}, "does not lie whole"),
        ({"a": tensor((4, 3), (1, 4))}, "does not lie whole"),
        ({"a": tensor((2,), (1,), -1)}, "does not lie whole"),
        ({"a": tensor((-1,), (1,))}, "does not lie whole"),
        ({"a": tensor(of=storage(13))}, "w.pth"),
        ({"a": tensor(of=storage(key="7"))}, "w.pth"),
        ({"a": tensor(of=storage(key="../data.pkl"))}, "is no storage"),
        ({"a": tensor(of=Storage("module", FLOATS, "0", "cpu", 12))}, "is no storage"),
        ({"a": tensor(of=Storage("storage"))}, "w.pth"),
    ],
)
def test_what_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: Any, message: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConversionError, match=message):
        read_tensors(saved(tmp_path / "w.pth", state), LIMIT)
    assert [file.name for file in tmp_path.iterdir()] == ["w.pth"]


def two_pickles(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", b"")
        archive.writestr("b/data.pkl", b"")


def bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(2 * LIMIT))


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: path.write_bytes(b""), "no file of tensors"),
        (lambda path: path.write_bytes(pickle.dumps({})), "no file of tensors"),
        (lambda path: path.write_bytes(bytes(LIMIT + 1)), "larger than"),
        (two_pickles, "no file of tensors"),
        (bomb, "unpacks to"),
    ],
)
def test_files_that_are_refused(tmp_path: Path, write: Callable[[Path], Any], message: str) -> None:
    write(tmp_path / "w.pth")
    with pytest.raises(ConversionError, match=message):
        read_tensors(tmp_path / "w.pth", LIMIT)
