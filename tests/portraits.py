"""People of the photographs with their faces where a test wants them."""

from functools import lru_cache

import numpy as np

from model_handlers.geometry import warp
from model_handlers.models import catalogue
from model_handlers.models.loaded import LoadedModel, load_model
from model_handlers.models.roles import KnownModels
from tests.videos import SIZE, photograph


@lru_cache
def _detector() -> LoadedModel:
    return load_model(KnownModels(catalogue.load()).of({"face": 640}, face="centerface")["face"])


@lru_cache
def face_box(name: str) -> np.ndarray:
    """The box (4,) of the best face of a photograph, pixels."""
    return _detector()(photograph(name)).boxes[0]


def portrait(
    name: str, size: tuple[int, int] = SIZE, centre: tuple[float, float] = (0.5, 0.5), height: float = 0.45
) -> np.ndarray:
    """A frame of this size (width, height) with the face's centre there, its box as high, in shares of the frame."""
    x1, y1, x2, y2 = (float(value) for value in face_box(name))
    scale = height * size[1] / (y2 - y1)
    shift = np.array(centre) * size - scale * np.array([(x1 + x2) / 2, (y1 + y2) / 2])
    side = max(size)
    return warp(photograph(name), np.column_stack([np.eye(2) * scale, shift]), side)[: size[1], : size[0]]
