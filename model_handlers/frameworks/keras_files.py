"""What a Keras file would build, read before Keras does: nothing but Keras's own layers, and none that run code."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import keras

from model_handlers.errors import ModelError

# Layers of Keras that run what the file holds, or open other files that it names.
_UNSAFE = {"Lambda", "TorchModuleWrapper", "TFSMLayer", "JaxLayer", "FlaxLayer"}
_UNSAFE |= {"StringLookup", "IntegerLookup", "TextVectorization"}
# Where Keras has what a file may name; the last three are of training, which a part of a network may have had.
_KINDS = ["layers", "models", "initializers", "regularizers", "constraints", "dtype_policies", "quantizers"]
_KINDS += ["optimizers", "losses", "metrics"]
# What stands for plain data, or for the network as a whole.
_MARKS = {"Functional", "TensorShape", "slice", "__keras_tensor__", "__tensor__", "__numpy__", "__tuple__"}
_OPERATIONS = ("keras.ops", "keras.src.ops")


def check_architecture(path: Path, name: str) -> None:
    """ModelError, in one sentence, unless the file builds a network of Keras's own layers alone.

    Keras's `safe_mode` refuses most of this too, but has been circumvented again and again, and releases before 3.11
    did not heed it for HDF5 files, whose Lambda layers hold marshalled code (CVE-2025-1550, -8747, -9905, -9906).
    """
    for block in _objects(_architecture(path, name)):
        if (kind := _refused(block)) is not None:
            called = f" ({_name(block)!r})" if _name(block) else ""
            raise ModelError(
                f"model {name!r}: its file holds {kind}{called}, and only Keras's own layers are built, without those "
                "that run code or read other files; nothing of it was run. Save the network without it, or export it "
                "to ONNX."
            )


def _architecture(path: Path, name: str) -> Any:
    """The JSON in which the file says how its network is built."""
    try:
        if path.suffix == ".keras":
            with zipfile.ZipFile(path) as archive:
                told = json.loads(archive.read("config.json"))
            return {key: value for key, value in told.items() if key != "compile_config"}  # it is not compiled
        if path.suffix in (".h5", ".hdf5"):
            with h5py.File(path, "r") as file:
                return json.loads(file.attrs["model_config"])
    except Exception as error:  # a damaged archive fails in many ways
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise ModelError(
            f"model {name!r}: {path} is no whole model as Keras saves it, with its architecture: {said}; correct its "
            "sources."
        ) from error
    raise ModelError(f"model {name!r}: {path} is no file of Keras, whose names end in .keras, .h5 or .hdf5.")


def _objects(told: Any) -> Iterator[dict[str, Any]]:
    """Every block of the JSON that stands for an object, at any depth."""
    left = [told]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            if "class_name" in value:
                yield value
            left.extend(value.values())
        elif isinstance(value, list):
            left.extend(value)


def _refused(block: dict[str, Any]) -> str | None:
    """What the block stands for, if Keras must not build it."""
    kind, module = str(block["class_name"]), str(block.get("module") or "keras")
    registered = str(block.get("registered_name") or "")
    if ">" in registered:  # a package's own, which Keras takes before its own of that name
        return registered
    if kind in _UNSAFE or module.partition(".")[0] not in ("keras", "builtins"):
        return kind
    if kind == "function":
        called = str(block.get("config"))
        return None if hasattr(keras.activations, called) else f"the function {called}"
    if kind in _MARKS or module.startswith(_OPERATIONS):
        return None
    return None if any(isinstance(getattr(getattr(keras, one), kind, None), type) for one in _KINDS) else kind


def _name(block: dict[str, Any]) -> str:
    config = block.get("config")
    return str(block.get("name") or (config.get("name", "") if isinstance(config, dict) else ""))
