"""Weights out of a file into a PyTorch module: nothing of the file is run, and every name must fit."""

import pickle
import re
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from model_handlers.errors import ModelError

Weights = dict[str, torch.Tensor]
# what checkpoints call the weights among other things
_WRAPPED_IN = ("state_dict", "model_state_dict", "model", "net", "params")
_SHOWN = 5  # names in a sentence
_COUNTER = "num_batches_tracked"  # of training; evaluation never reads it, and files from before 2018 have none


def read_weights(path: Path) -> Weights:
    """The tensors of a `.safetensors` file, or of what torch saved (weights alone, or a checkpoint that has them).

    ModelError when it is no such file, or when its pickle names anything but tensors and plain data.
    """
    if path.suffix == ".safetensors" or _is_safetensors(path):
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return dict(load_file(path))
        except (SafetensorError, OSError) as error:
            raise ModelError(f"{path} is no safetensors file: {error}") from error
    if _is_program(path):
        raise ModelError(
            f"{path} is a TorchScript archive, a program with weights; nothing of it was run. Where you trust it, save "
            "what torch.jit.load(...).state_dict() gives, or else find the weights as safetensors"
        )
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        named = re.search(r"GLOBAL (\S+)", str(error))
        raise ModelError(
            f"{path} holds more than weights{f', it names {named[1]}' if named else ''}; nothing of it was "
            "run. Save it anew as a state dict or as safetensors"
        ) from error
    except Exception as error:  # a damaged archive fails in many ways
        raise ModelError(
            f"{path} is no file of weights as torch saves it: {' '.join(str(error).split())[:200]}"
        ) from error
    return _tensors(found, path)


def fill(
    module: torch.nn.Module, weights: Mapping[str, torch.Tensor], path: Path, unused: tuple[str, ...] = ()
) -> torch.nn.Module:
    """The module with these weights, all of them and no others; ModelError names those that do not fit.

    Names that begin with one of `unused` may be in the file though the module has no use for them; counters of batches
    may be missing.
    """
    wanted = module.state_dict()
    given = {name: tensor for name, tensor in weights.items() if name in wanted or not name.startswith(unused or "\0")}
    missing = {name for name in wanted.keys() - given.keys() if not name.endswith(_COUNTER)}
    wrong = [f"missing are {_listed(missing)}"] if missing else []
    if given.keys() - wanted.keys():
        wrong.append(f"unknown are {_listed(given.keys() - wanted.keys())}")
    misshapen = {name for name in wanted.keys() & given.keys() if wanted[name].shape != given[name].shape}
    if misshapen:
        name = min(misshapen)
        shapes = f"{tuple(given[name].shape)} instead of {tuple(wanted[name].shape)}"
        wrong.append(f"of another shape are {_listed(misshapen)} ({name} has {shapes})")
    if wrong:
        raise ModelError(f"{path} has not the weights of this network: {'; '.join(wrong)}")
    module.load_state_dict(wanted | given)
    return module


def without_prefix(weights: Mapping[str, torch.Tensor], *prefixes: str) -> Weights:
    """The weights whose names have lost the first of these prefixes that all of them begin with."""
    for prefix in prefixes:
        if weights and all(name.startswith(prefix) for name in weights):
            return {name.removeprefix(prefix): tensor for name, tensor in weights.items()}
    return dict(weights)


def renamed(weights: Mapping[str, torch.Tensor], rename: Callable[[str], str | None]) -> Weights:
    """The weights under other names; those whose new name is None are left out."""
    pairs = ((rename(name), tensor) for name, tensor in weights.items())
    return {name: tensor for name, tensor in pairs if name is not None}


def _is_safetensors(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(9)[8:] == b"{"  # eight bytes of length, and then the header in JSON


def _is_program(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("/constants.pkl") for name in archive.namelist())
    except zipfile.BadZipFile:  # what it is, if not a program, torch says
        return False


def _tensors(found: Any, path: Path) -> Weights:
    while isinstance(found, Mapping):
        if found and all(isinstance(value, torch.Tensor) for value in found.values()):
            return {str(name): tensor for name, tensor in found.items()}
        inner = next((found[name] for name in _WRAPPED_IN if isinstance(found.get(name), Mapping)), None)
        if inner is None:
            break
        found = inner
    raise ModelError(f"{path} has no weights: neither tensors by name, nor a block {' or '.join(_WRAPPED_IN)} of them")


def _listed(names: Any) -> str:
    shown = sorted(names)
    more = f" and {len(shown) - _SHOWN} more" if len(shown) > _SHOWN else ""
    return ", ".join(shown[:_SHOWN]) + more
