"""CenterFace and YuNet, by which benchmarks look whether a face can still be found."""

import os
from pathlib import Path

import cv2
import numpy as np

from model_handlers.interface import Array, Pixels
from model_handlers.models import catalogue
from model_handlers.models.loaded import LoadedModel, load_model
from model_handlers.models.roles import KnownModels
from transforms.anonymizing.paint import whole_pixels

CENTER, YUNET = 0.35, 0.6  # the scores at which they find a face


def centerface() -> LoadedModel:
    """CenterFace as the recipes have it."""
    return load_model(KnownModels(catalogue.load()).of({"face": 640}, face="centerface")["face"])


def yunet_file() -> Path | None:
    """YuNet's ONNX file of the labelled data in MANYFACES_TEST_DATA, if it is there."""
    data = os.environ.get("MANYFACES_TEST_DATA")
    file = Path(data or "", "models", "yunet_s_dynamic.onnx")
    return file if data and file.exists() else None


class Finders:
    """Both detectors, or without YuNet's file CenterFace alone."""

    def __init__(self, center: LoadedModel, yunet: Path | None) -> None:
        self._center = center
        self._yunet = None if yunet is None else cv2.FaceDetectorYN.create(str(yunet), "", (640, 360), YUNET)
        self.names = ("centerface",) if yunet is None else ("centerface", "yunet")

    def __call__(self, image: Pixels) -> dict[str, Array]:
        """The boxes (N,4) of the faces in an image, by detector."""
        found = self._center(image)
        boxes = {"centerface": found.boxes[found.scores >= CENTER]}
        if self._yunet is not None:
            self._yunet.setInputSize((image.shape[1], image.shape[0]))
            faces = self._yunet.detect(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1]
            faces = np.zeros((0, 15), np.float32) if faces is None else faces
            boxes["yunet"] = np.column_stack([faces[:, :2], faces[:, :2] + faces[:, 2:4]])
        return boxes


def painted(boxes: Array, width: int, height: int) -> Array:
    """(H,W) bool: the pixels of an image that the boxes cover."""
    mask = np.zeros((height, width), bool)
    for x1, y1, x2, y2 in whole_pixels(boxes, width, height).tolist():
        mask[y1:y2, x1:x2] = True
    return mask


def on_covers(found: Array, covered: Array) -> int:
    """How many of the found boxes (N,4) lie by more than a tenth of their area in the covered pixels (H,W)."""
    whole = whole_pixels(found, covered.shape[1], covered.shape[0])
    return sum(bool(covered[y1:y2, x1:x2].mean() > 0.1) for x1, y1, x2, y2 in whole)
