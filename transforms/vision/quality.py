"""How good a face crop is to look at."""

import cv2

from model_handlers.interface import Array


def sharpness(crop: Array) -> float:
    """Variance of the Laplacian of the grey crop (H,W,3) RGB uint8; grey levels squared, larger is sharper.

    It depends on the crop's size: compare crops of one size only. (J. Pech-Pacheco et al., ICPR 2000.)
    """
    return float(cv2.Laplacian(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), cv2.CV_64F).var())
