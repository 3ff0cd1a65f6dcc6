"""How good a face crop is to look at, and how good an example of a face."""

import cv2

from model_handlers.interface import Array
from transforms.vision.pose import Pose

_ENOUGH_SHARPNESS = 500.0  # from here on a crop gets no better for being sharper
_ENOUGH_SHARE = 0.2  # of the frame's area, likewise


def sharpness(crop: Array) -> float:
    """Variance of the Laplacian of the grey crop (H,W,3) RGB uint8; grey levels squared, larger is sharper.

    It depends on the crop's size: compare crops of one size only. (J. Pech-Pacheco et al., ICPR 2000.)
    """
    return float(cv2.Laplacian(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), cv2.CV_64F).var())


def frontality(pose: Pose) -> float:
    """1 for a face that looks straight ahead, less for every degree, at least 0: yaw counts most, roll least."""
    return max(0.0, 1 - (1.5 * abs(pose.yaw) + abs(pose.pitch) + 0.5 * abs(pose.roll)) / 270)


def composite(sharp: float, frontal: float, score: float, face_ratio: float) -> float:
    """The weighted quality, 0 to 1: of sharpness, frontality, detection score and the face's share of the frame.

    The weights, here and in `frontality`, are those of earlier systems for face datasets: a convention.
    """
    return (
        0.30 * min(sharp / _ENOUGH_SHARPNESS, 1)
        + 0.35 * frontal
        + 0.25 * score
        + 0.10 * min(face_ratio / _ENOUGH_SHARE, 1)
    )
