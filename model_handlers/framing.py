"""Whole images for networks that see one small square: scaled, cut to the middle, normalized."""

import numpy as np
from PIL import Image as Pillow

from model_handlers.interface import Array

# mean and standard deviation of R, G and B in 0 to 1
NORMALIZATIONS = {
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "clip": ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)),
}


def check_side(family: str, side: int, stride: int = 32) -> None:
    """ValueError unless the side of a square input, pixels, is a multiple of the network's coarsest stride."""
    if side < stride or side % stride:
        raise ValueError(f"{family}'s input side must be a multiple of {stride}, not {side}")


def middle_square(
    image: Array, side: int, shorter: int | None = None, resampling: Pillow.Resampling = Pillow.Resampling.BICUBIC
) -> Array:
    """The middle (side, side, 3) of the RGB uint8 image (H,W,3) after its shorter side became `shorter`, or `side`.

    The steps and their roundings are torchvision's `Resize` and `CenterCrop` on Pillow images, with which many networks
    were trained: CLIP and its like bicubically.
    """
    height, width = image.shape[:2]
    shorter = side if shorter is None else shorter
    new_width = shorter if width <= height else int(shorter * width / height)
    new_height = shorter if height <= width else int(shorter * height / width)
    left, top = round((new_width - side) / 2), round((new_height - side) / 2)
    across, down = width / new_width, height / new_height
    box = (
        left * across,
        top * down,
        (left + side) * across,
        (top + side) * down,
    )  # scaled alone, however long the rest
    return np.asarray(Pillow.fromarray(image).resize((side, side), resampling, box=box))


def to_planes(image: Array, normalization: str | None) -> Array:
    """RGB uint8 (H,W,3) as (3,H,W) float32, 0 to 1, or with the mean and deviation of NORMALIZATIONS that is named."""
    planes = np.ascontiguousarray(image.transpose(2, 0, 1)).astype(np.float32) / np.float32(255)
    if normalization is not None:
        mean, deviation = (np.array(part, dtype=np.float32)[:, None, None] for part in NORMALIZATIONS[normalization])
        planes = (planes - mean) / deviation
    return planes
