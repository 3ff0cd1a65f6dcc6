"""Weights out of checkpoints that hold a whole module: tensors are read, classes neither imported nor run."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from model_handlers.errors import ModelError
from model_handlers.networks.weights import Weights, read_weights

_HELD_IN = ("ema", "model")  # the moving average of the weights is the better one, where training kept one


class _Inert:
    """Stands for every object of the pickle that is no tensor and no plain data: it holds what it is given, no more."""

    def __init__(self, *given: Any) -> None:
        """Take what the real class or function would be called with."""

    def __setstate__(self, state: Any) -> None:
        """Hold the attributes of a module; other states, such as NumPy's, are of no use."""
        if isinstance(state, dict):
            vars(self).update(state)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The tensors of a module by the names of its state dict, and the module's other attributes, as the file has them.

    A file of weights alone has no attributes. What is no plain data among them is without behaviour.
    """

    weights: Weights
    attributes: Mapping[str, Any]


def read_checkpoint(path: Path, packages: tuple[str, ...]) -> Checkpoint:
    """What a checkpoint holds of the module that is pickled in it as `ema` or `model`.

    Whatever the pickle names must begin with one of `packages`; all of it becomes objects without behaviour, so that
    neither a class nor a function of the file's choosing runs. Files of weights alone are read as `read_weights` does.
    ModelError for all others.
    """
    try:
        named = torch.serialization.get_unsafe_globals_in_checkpoint(path)
    except Exception:  # no archive of torch: safetensors, or what read_weights has a sentence for
        named = []
    if not named:
        return Checkpoint(read_weights(path), {})
    foreign = sorted(name for name in named if not name.startswith(packages))
    if foreign:
        raise ModelError(f"{path} holds more than a network, it names {foreign[0]}; nothing of it was run")
    stand_ins: list[Any] = [(_Inert, name) for name in named]
    try:
        with torch.serialization.safe_globals(stand_ins):
            found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged or hostile pickle fails in many ways
        raise ModelError(f"{path} is no checkpoint of a network: {' '.join(str(error).split())[:200]}") from error
    modules = [found[name] for name in _HELD_IN if name in found] if isinstance(found, Mapping) else []
    module = next((one for one in modules if isinstance(one, _Inert)), _Inert())
    weights = _tensors(module)
    if not weights:
        raise ModelError(f"{path} has no network with weights under {' or '.join(_HELD_IN)}")
    return Checkpoint(weights, vars(module))


def _tensors(module: _Inert) -> Weights:
    """The parameters and lasting buffers of a module and those in it; each module once, so that no loop is endless."""
    weights: Weights = {}
    seen = set()
    left: list[tuple[str, Any]] = [("", module)]
    while left:
        prefix, one = left.pop()
        if not isinstance(one, _Inert) or id(one) in seen:
            continue
        seen.add(id(one))
        passing = vars(one).get("_non_persistent_buffers_set")
        gone = passing if isinstance(passing, set) else set()
        lasting = {name: tensor for name, tensor in _held(one, "_buffers").items() if name not in gone}
        for name, tensor in (_held(one, "_parameters") | lasting).items():
            if isinstance(tensor, torch.Tensor):
                weights[f"{prefix}{name}"] = tensor
        left += [(f"{prefix}{name}.", inner) for name, inner in _held(one, "_modules").items()]
    return weights


def _held(module: _Inert, name: str) -> dict[Any, Any]:
    """What PyTorch's modules keep in dictionaries of these names; nothing where a strange file has something else."""
    held = vars(module).get(name)
    return dict(held) if isinstance(held, Mapping) else {}
