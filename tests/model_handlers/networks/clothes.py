"""Clothes below the faces of photographs, by the rule of person clustering in one video."""

import numpy as np

from model_handlers.geometry import cut_out
from model_handlers.models import catalogue
from model_handlers.models.loaded import load_model
from model_handlers.models.roles import KnownModels
from tests.videos import photograph


def clothes_of(name: str) -> list[np.ndarray]:
    """Below each face of the photograph: three faces wide, from a fifth of one below the chin to one below it."""
    detector = load_model(KnownModels(catalogue.load()).of({"face": 640}, face="centerface")["face"])
    image = photograph(name)
    found = detector(image)
    crops = []
    for x1, y1, x2, y2 in found.boxes[found.scores > 0.6]:
        width, height = x2 - x1, y2 - y1
        top, bottom = y2 + 0.2 * height, min(y2 + height, image.shape[0] - 1)
        if bottom - top > height / 2:
            crops.append(cut_out(image, *(round(float(value)) for value in (x1 - width, top, x2 + width, bottom))))
    return crops
