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


def saved_long_ago(path: Path, state: Any, storages: dict[str, np.ndarray], keys: Any = None) -> Path:
    """A file as torch before 1.6 saved it."""
    buffer = io.BytesIO()
    facts = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"int": 4}}
    for part in (0x1950A86A20F9469CFC6C, 1001, facts, state, list(storages) if keys is None else keys):
        Pickler(buffer, protocol=2).dump(part)
    values = (len(value).to_bytes(8, "little") + value.tobytes() for value in storages.values())
    path.write_bytes(buffer.getvalue() + b"".join(values))
    return path


def test_nothing(tmp_path: Path) -> None:
    assert read_tensors(saved(tmp_path / "w.pth", OrderedDict()), LIMIT) == {}
    assert read_tensors(saved_long_ago(tmp_path / "w.pt", OrderedDict(), {}), LIMIT) == {}


def archive(path: Path, state: Any, counts: np.ndarray) -> Path:
    return saved(path, state, {"data/1": counts.tobytes()})


def old(path: Path, state: Any, counts: np.ndarray) -> Path:
    return saved_long_ago(path, state, {"1": counts, "0": VALUES})


@pytest.mark.parametrize("write", [archive, old])
def test_tensors(tmp_path: Path, write: Callable[[Path, Any, np.ndarray], Path]) -> None:
    counts = np.array([5], dtype=np.int64)
    state = OrderedDict(
        whole=tensor(),
        row=tensor((4,), (1,), 4),
        turned=tensor((4, 3), (1, 4)),
        nothing=tensor((0, 4), (4, 1), 12),
        scalar=tensor((), (), of=storage(1, "1", LONGS)),
    )
    path = write(tmp_path / "w.pth", state, counts)
    found = read_tensors(path, LIMIT)
    assert list(found) == list(state)
    np.testing.assert_array_equal(found["whole"], VALUES.reshape(3, 4))
    np.testing.assert_array_equal(found["row"], [4, 5, 6, 7])
    np.testing.assert_array_equal(found["turned"], VALUES.reshape(3, 4).T)
    assert found["nothing"].shape == (0, 4)
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
        ({"a": tensor((4, 3), (1, 5))}, "does not lie whole"),
        ({"a": tensor((3, 4), (-4, 1), 8)}, "does not lie whole"),
        ({"a": tensor((1 << 40, 12), (0, 1))}, "does not lie whole"),
        ({"a": tensor((3, 4), (4,))}, "w.pth"),
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


def old_storage(count: int = 12, key: str = "0", part_of: Any = None) -> Storage:
    return Storage("storage", FLOATS, key, "cpu", count, part_of)


@pytest.mark.parametrize(
    ("state", "storages", "keys", "message"),
    [
        ({"a": Call(Global("os", "system"), "touch owned")}, {}, None, "os.system"),
        ({"a": tensor(of=old_storage())}, {}, None, "list of storages"),
        ({"a": tensor(of=old_storage())}, {"0": VALUES, "1": VALUES}, None, "list of storages"),
        ({"a": tensor(of=old_storage())}, {"0": VALUES}, [["0"]], "w.pth"),
        ({"a": tensor(of=old_storage())}, {"0": VALUES}, 7, "w.pth"),
        ({"a": tensor(of=old_storage())}, {"0": VALUES[:11]}, None, "11 values, its tensors say 12"),
        ({"a": tensor(of=old_storage())}, {"0": VALUES[:0]}, None, "0 values, its tensors say 12"),
        ({"a": tensor(of=old_storage(1 << 40))}, {"0": VALUES}, None, "does not lie in the file"),
        ({n: tensor(of=old_storage(100, str(n))) for n in range(9)}, {"0": VALUES}, None, "does not lie in the file"),
        ({"a": tensor(of=old_storage(-1))}, {"0": VALUES}, None, "does not lie in the file"),
        ({"a": tensor(of=old_storage(part_of=("1", 0, 12)))}, {"0": VALUES}, None, "is no storage"),
    ],
)
def test_old_files_that_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: Any, storages: Any, keys: Any, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = saved_long_ago(tmp_path / "w.pth", state, storages, keys)
    with pytest.raises(ConversionError, match=message):
        read_tensors(path, LIMIT)
    assert [file.name for file in tmp_path.iterdir()] == ["w.pth"]


def test_an_old_file_that_is_cut_off(tmp_path: Path) -> None:
    path = saved_long_ago(tmp_path / "w.pth", {"a": tensor(of=old_storage())}, {"0": VALUES})
    whole = path.read_bytes()
    for length in (20, 60, len(whole) - 50, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ConversionError, match="no file of tensors"):
            read_tensors(path, LIMIT)


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
