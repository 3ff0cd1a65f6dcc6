"""One-time conversions of published weights: `(source paths, in the catalogue's order) -> the file's bytes`.

They make ONNX, or safetensors for PyTorch's networks.

Every conversion gives the same bytes for the same sources, so that the catalogue can pin what it makes.
"""

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from model_handlers.errors import ModelError

# name in the catalogue -> module of this package with `convert(paths) -> bytes`; onnx is imported only when one runs.
CONVERSIONS = {
    "brisque": "brisque",
    "centerface": "centerface",
    "dlib-resnet": "dlib_resnet",
    "emotion": "tfjs_models:emotion",
    "facemesh": "tfjs_models:facemesh",
    "fr-feature": "fr_feature",
    "mobilefacenet": "tfjs_models:mobilefacenet",
    "mobilenetv2": "mobilenetv2",
    "movenet": "tfjs_models:movenet",
    "mtcnn": "mtcnn",
    "nanodet": "tfjs_models:nanodet",
    "nanodet-two-sizes": "tfjs_models:nanodet_two_sizes",
    "transnetv2": "transnetv2",
}


class ConversionError(ModelError):
    """The source weights are not what the conversion can read; the message says which file and what is wrong."""


def conversion(name: str) -> Callable[[Sequence[Path]], bytes]:
    """The conversion of that name; ConversionError when there is none, or when onnx is not installed."""
    if name not in CONVERSIONS:
        raise ConversionError(f"there is no conversion {name!r}; there are: {', '.join(CONVERSIONS)}")
    module, _, function = CONVERSIONS[name].partition(":")
    try:
        loaded = import_module(f"{__name__}.{module}")
    except ModuleNotFoundError as error:
        if error.name != "onnx":
            raise
        raise ConversionError(f"conversion {name!r} needs onnx: install manyfaces[cpu] or manyfaces[gpu]") from error
    return getattr(loaded, function or "convert")  # type: ignore[no-any-return]
