"""Weights of noise for networks of the catalogue: as heavy as the real ones, which no package carries."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from model_handlers.models.catalogue import Entry, Source
from model_handlers.weights.cache import sha256_of


def with_weights(entry: Entry, folder: Path) -> Entry:
    """The model with a file of generated weights in `folder` as its source; KeyError for a network without a recipe."""
    import torch

    torch.manual_seed(1)
    path = folder / f"{entry.name}.pt"
    torch.save(_STATES[entry.network or ""](**entry.network_options), path)
    return entry.model_copy(update={"sources": (Source(uri=str(path), sha256=sha256_of(path)),)})


def _yolo(**options: Any) -> dict[str, Any]:
    from model_handlers.networks.yolo import build

    return dict(build(**options).state_dict())


def _retinaface(normalization: str = "bgr") -> dict[str, Any]:
    from model_handlers.networks.retinaface import RetinaFace

    state = dict(RetinaFace(normalization).state_dict())
    for name, values in state.items():
        if name.startswith("ClassHead") and name.endswith("bias"):
            values[0::2] += 4  # of a picture's thousands of anchors a few are to be faces, not half
    return state


def _vit_kprpe(size: str = "base") -> dict[str, Any]:
    from model_handlers.networks.vit_kprpe import SIZES, VitKprpe

    return dict(VitKprpe(SIZES[size]).state_dict())


_STATES: dict[str, Callable[..., dict[str, Any]]] = {"yolo": _yolo, "retinaface": _retinaface, "vit_kprpe": _vit_kprpe}
