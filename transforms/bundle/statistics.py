"""Statistics of a bundle: counts, channel means and deviations, quantiles of sizes."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from model_handlers.interface import Pixels

QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


@dataclass(frozen=True, slots=True)
class Moments:
    """Pixels added up: their number, and for R, G, B the sum of values and of squares, values 0 to 1."""

    pixels: int = 0
    total: tuple[float, float, float] = (0.0, 0.0, 0.0)
    squares: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __add__(self, other: "Moments") -> "Moments":
        return Moments(self.pixels + other.pixels, _add(self.total, other.total), _add(self.squares, other.squares))

    def describe(self) -> dict[str, Any]:
        """Mean and standard deviation for R, G, B; null without pixels."""
        if not self.pixels:
            return {"mean": None, "std": None}
        mean = np.array(self.total) / self.pixels
        variance = np.maximum(np.array(self.squares) / self.pixels - mean**2, 0)
        return {"mean": mean.round(6).tolist(), "std": np.sqrt(variance).round(6).tolist()}


def moments(pixels: Pixels) -> Moments:
    """The moments of an RGB image (H,W,3) uint8."""
    mean, deviation = cv2.meanStdDev(pixels)
    count = pixels.shape[0] * pixels.shape[1]
    first = mean[:, 0] / 255
    second = (deviation[:, 0] / 255) ** 2 + first**2
    return Moments(count, _three(first * count), _three(second * count))


def _three(values: NDArray[Any]) -> tuple[float, float, float]:
    red, green, blue = values.tolist()
    return red, green, blue


def _add(a: Sequence[float], b: Sequence[float]) -> tuple[float, float, float]:
    return a[0] + b[0], a[1] + b[1], a[2] + b[2]


@dataclass(frozen=True, slots=True)
class FileSummary:
    """What is in one bundle file."""

    name: str
    images: int
    failed: int
    bodies: Moments
    faces: Moments

    def dump(self) -> str:
        """As JSON, for a shard's footer."""
        kinds = {kind: [m.pixels, m.total, m.squares] for kind, m in (("bodies", self.bodies), ("faces", self.faces))}
        return json.dumps({"name": self.name, "images": self.images, "failed": self.failed, **kinds})

    @staticmethod
    def load(text: str) -> "FileSummary":
        """What `dump` wrote."""
        values = json.loads(text)
        bodies, faces = (Moments(n, tuple(a), tuple(b)) for n, a, b in (values["bodies"], values["faces"]))
        return FileSummary(values["name"], values["images"], values["failed"], bodies, faces)


def bundle_statistics(summaries: Iterable[FileSummary], keypoints: pa.Table) -> dict[str, Any]:
    """The content of `statistics.json`; `keypoints` has identity and the sizes of every image of the bundle."""
    ordered = sorted(summaries, key=lambda summary: summary.name)
    identities, images = np.unique(np.asarray(keypoints["identity"]), return_counts=True)
    return {
        "identities": len(identities),
        "images": len(keypoints),
        "failed": sum(summary.failed for summary in ordered),
        "files": len(ordered),
        "images_per_identity": _quantiles(images),
        "bodies": {
            **sum((summary.bodies for summary in ordered), Moments()).describe(),
            "crop_height": _quantiles(np.asarray(keypoints["crop_height"])),
            "crop_width": _quantiles(np.asarray(keypoints["crop_width"])),
        },
        "faces": {
            **sum((summary.faces for summary in ordered), Moments()).describe(),
            "height": _quantiles(np.asarray(keypoints["face_height"])),
            "width": _quantiles(np.asarray(keypoints["face_width"])),
        },
    }


def _quantiles(values: NDArray[Any]) -> dict[str, float] | None:
    """Quantiles by name (`0.5` is the median); None without values."""
    if not len(values):
        return None
    return dict(zip(map(str, QUANTILES), np.quantile(values, QUANTILES).tolist(), strict=True))
