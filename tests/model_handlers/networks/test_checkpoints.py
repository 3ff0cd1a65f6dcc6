"""Checkpoints that hold whole modules: their tensors come out, and nothing that they name is run."""

import os
import pickle
import sys
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the environment of the frameworks, .venv-frameworks")

from numpy.testing._private.utils import runstring  # noqa: E402  it runs the Python it is given
from safetensors.torch import save_file  # noqa: E402

from model_handlers.errors import ModelError  # noqa: E402
from model_handlers.networks.checkpoints import read_checkpoint  # noqa: E402

pytestmark = pytest.mark.frameworks
PACKAGES = ("torch.nn.", "numpy.", "pathlib.", "builtins.getattr", "evil.")


def module() -> "torch.nn.Module":
    torch.manual_seed(1)
    inner = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3))
    made = torch.nn.Sequential(inner, torch.nn.ReLU(), torch.nn.Linear(3, 1, bias=False))
    made.register_buffer("passing", torch.ones(1), persistent=False)
    return made


def same(weights, wanted) -> bool:
    return weights.keys() == wanted.keys() and all(torch.equal(weights[name], wanted[name]) for name in wanted)


@pytest.mark.parametrize(
    "around",
    [
        {},
        {"ema": None, "epoch": -1, "best_fitness": np.float64(0.5), "train_args": {"project": Path("a", "b")}},
        {"optimizer": {"state": {0: {"momentum": torch.ones(2)}}, "param_groups": [{"lr": 0.1}]}},
    ],
)
def test_the_state_dict_of_a_pickled_module(tmp_path, around):
    torch.save(around | {"model": module()}, tmp_path / "w.pt")
    assert same(read_checkpoint(tmp_path / "w.pt", PACKAGES).weights, module().state_dict())


def test_the_moving_average_goes_before_the_model(tmp_path):
    torch.save({"model": torch.nn.Linear(9, 9), "ema": module().half()}, tmp_path / "w.pt")
    assert same(read_checkpoint(tmp_path / "w.pt", PACKAGES).weights, module().half().state_dict())


def test_bound_methods_are_no_hindrance(tmp_path):
    made = module()
    made[0].forward = made[0].forward  # pickled as getattr(module, "forward")
    torch.save({"model": made}, tmp_path / "w.pt")
    assert "builtins.getattr" in torch.serialization.get_unsafe_globals_in_checkpoint(tmp_path / "w.pt")
    assert same(read_checkpoint(tmp_path / "w.pt", PACKAGES).weights, module().state_dict())


def test_weights_alone_are_read_too(tmp_path):
    torch.save({"state_dict": module().state_dict()}, tmp_path / "w.pt")
    save_file(module().state_dict(), tmp_path / "w.safetensors")
    for name in ("w.pt", "w.safetensors"):
        assert same(read_checkpoint(tmp_path / name, PACKAGES).weights, module().state_dict())


class Reduces:
    """Pickled as a call."""

    def __init__(self, *call):
        self.call = call

    def __reduce__(self):
        return self.call

    def __call__(self):
        """Pickle asks that what it calls be callable."""


class Sets:
    """A class of an allowed package whose state runs something."""

    def __setstate__(self, state):
        os.mkdir(state["path"])


def evil(path):
    """What a hostile file may hold in place of a module."""
    Sets.__module__ = "evil.classes"
    sets = Sets()
    sets.path = path
    linear = torch.nn.Linear(1, 1)
    return {
        "a function": Reduces(os.mkdir, (path,)),
        "a function of an allowed package": Reduces(runstring, (f"import os; os.mkdir({path!r})", {})),
        "a class of an allowed package": sets,
        "an attribute, called": Reduces(Reduces(getattr, (linear, "forward")), ()),
        "an allowed class, called": Reduces(torch.nn.Linear, (3, 3)),
    }


@pytest.mark.parametrize("kind", evil(""))
@pytest.mark.parametrize("place", ["model", "train_args", "in the module"])
def test_nothing_of_a_hostile_pickle_runs(tmp_path, monkeypatch, kind, place):
    monkeypatch.setitem(sys.modules, "evil", ModuleType("evil"))
    monkeypatch.setitem(sys.modules, "evil.classes", ModuleType("evil.classes"))
    sys.modules["evil.classes"].Sets = Sets
    bad = evil(str(tmp_path / "ran"))[kind]
    made = module()
    made.extra = bad
    checkpoint = {"model": bad} if place == "model" else {"model": module(), place: bad}
    torch.save({"model": made} if place == "in the module" else checkpoint, tmp_path / "w.pt")
    refused = place == "model" or kind in ("a function", "an attribute, called")
    with pytest.raises(ModelError) if refused else nullcontext():
        assert same(read_checkpoint(tmp_path / "w.pt", PACKAGES).weights, module().state_dict())
    assert not (tmp_path / "ran").exists()
    if kind not in ("an attribute, called", "an allowed class, called"):
        pickle.loads(pickle.dumps(bad))  # as torch.load without weights_only does
        assert (tmp_path / "ran").exists()


def test_what_is_named_and_not_allowed_is_told(tmp_path):
    torch.save({"model": module(), "more": Reduces(os.mkdir, ("x",))}, tmp_path / "w.pt")
    with pytest.raises(
        ModelError, match=r"w\.pt holds more than a network, it names \w+\.mkdir; nothing of it was run"
    ):
        read_checkpoint(tmp_path / "w.pt", PACKAGES)


def test_a_module_in_itself_is_read_once(tmp_path):
    made = module()
    made._modules["again"] = made
    for _ in range(60):  # 2 ** 60 paths
        outer = torch.nn.Module()
        outer._modules = {"a": made, "b": made, "depth": torch.nn.Identity()}
        made = outer
    torch.save({"model": made}, tmp_path / "w.pt")
    assert len(read_checkpoint(tmp_path / "w.pt", PACKAGES).weights) == len(module().state_dict())


@pytest.mark.parametrize("content", [{"model": torch.nn.ReLU()}, {"net": torch.nn.Linear(1, 1)}, [torch.nn.ReLU()]])
def test_a_file_without_a_network_says_so(tmp_path, content):
    torch.save(content, tmp_path / "w.pt")
    with pytest.raises(ModelError, match=r"w\.pt has no network with weights under ema or model$"):
        read_checkpoint(tmp_path / "w.pt", PACKAGES)


def test_parts_that_are_not_what_they_should_be(tmp_path):
    made = torch.nn.Linear(1, 1)
    vars(made).update(_modules={"a": 3}, _buffers=7, _non_persistent_buffers_set=None)
    torch.save({"model": made}, tmp_path / "w.pt")
    assert list(read_checkpoint(tmp_path / "w.pt", PACKAGES).weights) == ["weight", "bias"]


@pytest.mark.parametrize("kept", [0, 99, -200])
def test_a_damaged_file_is_a_sentence(tmp_path, kept):
    path = tmp_path / "w.pt"
    torch.save({"model": module()}, path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ModelError, match=r"w\.pt (is no|holds more)"):
        read_checkpoint(path, PACKAGES)
