"""Loading networks: once in a process, however many steps use one."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any
from weakref import WeakValueDictionary

from model_handlers.errors import ModelError
from model_handlers.frameworks.network import Network

# Of each framework, whose module here has `load(Loading) -> Network`: the package that it needs, and what brings that.
FRAMEWORKS = {
    "onnx": ("onnxruntime", "manyfaces[cpu] or manyfaces[gpu]"),
    "torch": ("torch", "manyfaces[torch]"),
    "tensorflow": ("tensorflow", "manyfaces[tensorflow]"),
    "litert": ("ai_edge_litert", "manyfaces[litert]"),
    "dlib": ("dlib", "manyfaces[dlib]"),
}
_NETWORKS: WeakValueDictionary[str, Network] = WeakValueDictionary()  # those in use, by all that they were loaded with
_LOADING = Lock()
_LOCKS: dict[str, Lock] = {}  # of networks being loaded, by the same


@dataclass(frozen=True, slots=True)
class Loading:
    """A file, what runs it, and where.

    `file` is the model's, or gives it when called on the worker. `network` and its options, sorted, say what PyTorch
    puts the weights into: a name of `model_handlers.networks` or `module:attribute`. `precision` is fp32, or on a GPU
    fp16 or bf16.
    """

    framework: str
    file: Path | Callable[[], Path]
    name: str
    network: str | None = None
    options: tuple[tuple[str, Any], ...] = ()
    device: str = "cpu"
    threads: int = 1
    precision: str = "fp32"


def is_installed(framework: str) -> bool:
    """Whether the framework's package can be imported here."""
    return find_spec(FRAMEWORKS[framework][0]) is not None


def framework_module(framework: str) -> Any:
    """The framework's module here, which imports its package."""
    return import_module(f"{__package__}.{framework}")


def _is_loaded_beside_others(loading: Loading) -> bool:
    """Not those for a GPU, of which the process chooses one, and not of frameworks with settings for all of it."""
    return loading.framework == "onnx" and loading.device == "cpu"


def load_network(loading: Loading) -> Network:
    """The network, which a process loads once; it is let go when nobody uses it any more.

    DeviceMissing, in one sentence, where the device is not there; ModelError for a file that does not fit, or where the
    framework is not installed.
    """
    if not is_installed(loading.framework):
        package, extra = FRAMEWORKS[loading.framework]
        raise ModelError(f"model {loading.name!r} needs {package}: install {extra}.")
    path = loading.file() if callable(loading.file) else loading.file
    here = replace(loading, file=path)
    key = repr(here)
    with _LOADING:
        own = _LOCKS.setdefault(key if _is_loaded_beside_others(here) else "", Lock())
    with own:  # no network is loaded twice
        network = _NETWORKS.get(key)
        if network is None:
            network = _NETWORKS[key] = framework_module(loading.framework).load(here)
        return network
