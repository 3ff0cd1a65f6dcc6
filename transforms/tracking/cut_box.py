"""Cutting a box with fractions of pixels out of a frame, so that a clip of such boxes does not tremble."""

import cv2
import numpy as np

from model_handlers.geometry import resize
from model_handlers.interface import Array, Pixels


def cut_box(image: Pixels, box: Array, size: tuple[int, int]) -> Pixels:
    """The part of an RGB image (H,W,3) in a box (4,) of any fractions, at the size (width, height).

    Beyond the image its border goes on. Bilinear; what shrinks by more than a third is sampled a whole number of times
    as finely and averaged. A box that moves by a tenth of a pixel moves the picture by as much, to a few hundredths.
    Boxes rounded to whole pixels, or cv2.getRectSubPix, whose size is rounded, leave a tenth to half a pixel.
    """
    x1, y1, x2, y2 = (float(value) for value in box)
    times_finer = max(1, round(max((x2 - x1) / size[0], (y2 - y1) / size[1])))
    fine = size[0] * times_finer, size[1] * times_finer
    scale_x, scale_y = fine[0] / (x2 - x1), fine[1] / (y2 - y1)
    left, top = max(int(x1) - 2, 0), max(int(y1) - 2, 0)
    near = image[top : int(y2) + 3, left : int(x2) + 3]  # OpenCV takes no image of more than 32,767 pixels
    # OpenCV puts the centre of the first pixel at 0, here it lies at one half
    moves = [(left + 0.5 - x1) * scale_x - 0.5, (top + 0.5 - y1) * scale_y - 0.5]
    matrix = np.array([[scale_x, 0, moves[0]], [0, scale_y, moves[1]]])
    found = cv2.warpAffine(near, matrix, fine, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(resize(found, *size), np.uint8)
