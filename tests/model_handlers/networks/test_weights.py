"""Files of weights: good ones in all forms, and those that are damaged, strange or hostile."""

import os
import pickle
import zipfile

import pytest

torch = pytest.importorskip("torch", reason="needs the environment of the frameworks, .venv-frameworks")

from safetensors.torch import save_file  # noqa: E402

from model_handlers.errors import ModelError  # noqa: E402
from model_handlers.networks.weights import fill, read_weights, renamed, without_prefix  # noqa: E402

pytestmark = pytest.mark.frameworks


def layer() -> "torch.nn.Module":
    return torch.nn.Linear(2, 3)


WEIGHTS = {"weight": torch.arange(6.0).reshape(3, 2), "bias": torch.ones(3)}


@pytest.mark.parametrize(
    "wrapped",
    [WEIGHTS, {"state_dict": WEIGHTS, "epoch": 3}, {"model": WEIGHTS}, {"net": {"state_dict": WEIGHTS}, "lr": 0.1}],
)
def test_what_torch_saved_is_read(tmp_path, wrapped):
    torch.save(wrapped, tmp_path / "w.pt")
    read = read_weights(tmp_path / "w.pt")
    assert {name: tensor.tolist() for name, tensor in read.items()} == {n: t.tolist() for n, t in WEIGHTS.items()}


@pytest.mark.parametrize("name", ["w.safetensors", "w.bin"])
def test_safetensors_are_read_whatever_they_are_called(tmp_path, name):
    save_file(WEIGHTS, tmp_path / name)
    assert fill(layer(), read_weights(tmp_path / name), tmp_path / name).bias.tolist() == [1, 1, 1]


class RunsCode:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("as_weight", [True, False])
def test_a_pickle_that_would_run_code_does_not(tmp_path, as_weight):
    bad = RunsCode(tmp_path / "ran")
    torch.save({"weight": bad} if as_weight else bad, tmp_path / "w.pt")
    with pytest.raises(ModelError, match=r"w\.pt holds more than weights, it names \w+\.mkdir; nothing of it was run"):
        read_weights(tmp_path / "w.pt")
    (tmp_path / "old.pt").write_bytes(pickle.dumps(bad))  # the form of before 2020
    with pytest.raises(ModelError):
        read_weights(tmp_path / "old.pt")
    assert not (tmp_path / "ran").exists()


def cut(path):
    path.write_bytes(path.read_bytes()[:-200])


def flip(path):
    with zipfile.ZipFile(path) as archive:
        (data,) = (one for one in archive.infolist() if one.filename.endswith("data.pkl"))
    content = bytearray(path.read_bytes())
    start = data.header_offset + 80
    content[start : start + 8] = b"\xff" * 8
    path.write_bytes(bytes(content))


@pytest.mark.parametrize(
    "damage", [cut, flip, lambda path: path.write_bytes(b""), lambda path: path.write_bytes(b"x" * 99)]
)
def test_a_damaged_file_is_a_sentence(tmp_path, damage):
    path = tmp_path / "w.pt"
    torch.save(WEIGHTS, path)
    damage(path)
    with pytest.raises(ModelError, match=r"w\.pt (is no file of weights|holds more than weights)") as error:
        read_weights(path)
    assert "\n" not in str(error.value)
    (tmp_path / "w.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{broken")
    with pytest.raises(ModelError, match="is no safetensors file"):
        read_weights(tmp_path / "w.safetensors")


@pytest.mark.parametrize("content", [{}, [1, 2], {"state_dict": {"a": 3}}, torch.ones(3), {"epoch": 3}])
def test_a_file_without_weights_says_so(tmp_path, content):
    torch.save(content, tmp_path / "w.pt")
    with pytest.raises(ModelError, match="has no weights: neither tensors by name"):
        read_weights(tmp_path / "w.pt")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"bias": None}, "missing are bias$"),
        ({"bias": None, "offset": torch.ones(3)}, "missing are bias; unknown are offset$"),
        ({"bias": torch.ones(4)}, r"of another shape are bias \(bias has \(4,\) instead of \(3,\)\)$"),
        ({f"more.{n}": torch.ones(1) for n in range(7)}, r"unknown are more\.0, .*, more\.4 and 2 more$"),
    ],
)
def test_names_that_do_not_fit_are_told(tmp_path, changes, words):
    weights = {name: tensor for name, tensor in (WEIGHTS | changes).items() if tensor is not None}
    with pytest.raises(ModelError, match=rf"w\.pt has not the weights of this network: {words}"):
        fill(layer(), weights, tmp_path / "w.pt")


def test_some_names_may_be_of_no_use(tmp_path):
    filled = fill(layer(), WEIGHTS | {"head.weight": torch.ones(1)}, tmp_path / "w.pt", unused=("head.",))
    assert filled.bias.tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("names", "prefixes", "wanted"),
    [
        ([], ("net.",), []),
        (["net.a", "net.b"], ("model.net.", "net."), ["a", "b"]),
        (["model.net.a"], ("model.net.", "net."), ["a"]),
        (["net.a", "b"], ("net.",), ["net.a", "b"]),
    ],
)
def test_prefixes(names, prefixes, wanted):
    assert list(without_prefix(dict.fromkeys(names, torch.ones(1)), *prefixes)) == wanted


def test_other_names():
    new = renamed({"a": torch.ones(1), "b": torch.zeros(1)}, {"a": "c"}.get)
    assert list(new) == ["c"]
