"""MTCNN: a cascade of three small networks that finds faces with five landmarks, whole in one module.

K. Zhang et al., Joint Face Detection and Alignment using Multi-task Cascaded Convolutional Networks, 2016. Layers,
steps and roundings are those of facenet-pytorch 2.6.0 (T. Esler, 2024), whose weights these are.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.ops import nms

from model_handlers.errors import ModelError
from model_handlers.networks.weights import fill, read_weights

MOST_FACES = 64  # of one image; of more the most certain are given
WINDOW, STRIDE = 12, 2  # of the first network, pixels: what it sees of a level at once, and from one to the next
SIDES = (24, 48)  # of what the second and the third network see of a box, pixels
OVERLAP_IN_LEVEL, OVERLAP = 0.5, 0.7  # with more than this, the less certain of two boxes goes
GREY, LEVELS = 127.5, 128  # pixels become -1 to 1


def network(
    path: Path, smallest: int = 20, factor: float = 0.709, thresholds: tuple[float, float, float] = (0.6, 0.7, 0.7)
) -> nn.Module:
    """The cascade with the weights that the conversion `mtcnn` merges.

    `smallest`: the side of the smallest faces, pixels; `factor`: from one level of the pyramid of sizes to the next;
    `thresholds`: what a box's score must reach in each of the three networks. The defaults are facenet-pytorch's.
    """
    if smallest < WINDOW or not 0 < factor < 1 or len(thresholds) != 3:
        raise ModelError(
            f"{path}: network_options of mtcnn must be: smallest at least {WINDOW} pixels, factor between 0 and 1, "
            "thresholds three numbers"
        )
    return fill(Mtcnn(smallest, factor, thresholds), read_weights(path), path)


class Mtcnn(nn.Module):
    """All three networks and what is done between them; what is found in an image depends on that image alone."""

    def __init__(self, smallest: int, factor: float, thresholds: tuple[float, float, float]) -> None:
        super().__init__()
        self.pnet, self.rnet, self.onet = _pnet(), _rnet(), _onet()
        self._scale, self._factor, self._thresholds = WINDOW / smallest, factor, thresholds

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Of RGB uint8 pixels (N,H,W,3): boxes (N,64,4), scores (N,64), landmarks (N,64,5,2), by falling score.

        Boxes and landmarks are in pixels; where there is no face, all numbers are 0.
        """
        scores, shifts, windows, apart = self._windows(pixels.permute(0, 3, 1, 2).float())
        found = [self._faces(image, scores[n], shifts[n], windows, apart) for n, image in enumerate(pixels)]
        boxes, certain, landmarks = (torch.stack([_padded(one) for one in part]) for part in zip(*found, strict=True))
        return boxes, certain, landmarks

    def _windows(self, planes: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """What the first network says of all windows of all levels, planes (N,3,H,W).

        Scores (N,M) and shifts (N,M,4) of the windows (M,4), pixels; a distance (M,1) for each, which takes windows of
        different levels out of each other's reach. All coordinates are whole numbers.
        """
        height, width = planes.shape[2:]
        empty = planes.new_zeros(len(planes), 0, 4)
        parts = [(empty[..., 0], empty, empty[0], empty[0, :, :1])]
        scale = self._scale
        while min(height, width) * scale >= WINDOW:
            level = functional.interpolate(planes, (int(height * scale + 1), int(width * scale + 1)), mode="area")
            logits, shifts = self.pnet((level - GREY) / LEVELS)
            rows, columns = (torch.arange(count, device=planes.device) for count in logits.shape[2:])
            corners = STRIDE * torch.cartesian_prod(rows, columns).flip(1).float()
            windows = torch.cat([((corners + 1) / scale).floor(), ((corners + WINDOW) / scale).floor()], dim=1)
            apart = torch.full_like(windows[:, :1], 2 * max(height, width) * len(parts))
            parts.append((logits.softmax(1)[:, 1].flatten(1), shifts.flatten(2).transpose(1, 2), windows, apart))
            scale *= self._factor
        scores, shifts, windows, apart = zip(*parts, strict=True)
        return torch.cat(scores, 1), torch.cat(shifts, 1), torch.cat(windows), torch.cat(apart)

    def _faces(
        self, pixels: Tensor, scores: Tensor, shifts: Tensor, windows: Tensor, apart: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Boxes (F,4), scores (F,) and landmarks (F,5,2) of one image (H,W,3)."""
        first, second, third = self._thresholds
        sums = _sums(pixels)

        likely = torch.nonzero(scores >= first)[:, 0]
        boxes, scores, shifts = windows[likely], scores[likely], shifts[likely]
        kept = nms(boxes + apart[likely], scores, OVERLAP_IN_LEVEL)
        kept = kept[nms(boxes[kept], scores[kept], OVERLAP)]
        boxes = _with_pixels(_squared(_shifted(boxes[kept], shifts[kept], 0)), sums)

        logits, shifts = self.rnet(_cut(sums, boxes, SIDES[0]))
        scores, boxes, shifts = _above(second, logits.softmax(1)[:, 1], boxes, shifts)
        kept = nms(boxes, scores, OVERLAP)
        boxes = _with_pixels(_squared(_shifted(boxes[kept], shifts[kept], 1)), sums)

        logits, shifts, places = self.onet(_cut(sums, boxes, SIDES[1]))
        scores, boxes, shifts, places = _above(third, logits.softmax(1)[:, 1], boxes, shifts, places)
        sizes = boxes[:, None, 2:] - boxes[:, None, :2] + 1
        landmarks = places.unflatten(1, (2, 5)).transpose(1, 2) * sizes + boxes[:, None, :2] - 1
        boxes = _shifted(boxes, shifts, 1)
        kept = _apart(boxes, scores)
        return boxes[kept], scores[kept], landmarks[kept]


class _Net(nn.Module):
    """Layers one after the other, and heads that all see what comes out of the last."""

    def __init__(self, layers: dict[str, nn.Module], heads: dict[str, nn.Module]) -> None:
        super().__init__()
        self._layers, self._heads = tuple(layers), tuple(heads)
        for name, module in (layers | heads).items():
            self.add_module(name, module)

    def forward(self, given: Tensor) -> tuple[Tensor, ...]:
        for name in self._layers:
            given = getattr(self, name)(given)
        return tuple(getattr(self, name)(given) for name in self._heads)


class _Flat(nn.Module):
    """(N,C,H,W) -> (N,W*H*C): the order in which the weights want it."""

    def forward(self, given: Tensor) -> Tensor:
        return given.permute(0, 3, 2, 1).flatten(1)


def _pnet() -> nn.Module:
    layers = _convolution(1, 3, 10, 3) | {"pool1": nn.MaxPool2d(2, 2, ceil_mode=True)}
    layers |= _convolution(2, 10, 16, 3) | _convolution(3, 16, 32, 3)
    return _Net(layers, {"conv4_1": nn.Conv2d(32, 2, 1), "conv4_2": nn.Conv2d(32, 4, 1)})


def _rnet() -> nn.Module:
    layers = _convolution(1, 3, 28, 3) | {"pool1": nn.MaxPool2d(3, 2, ceil_mode=True)}
    layers |= _convolution(2, 28, 48, 3) | {"pool2": nn.MaxPool2d(3, 2, ceil_mode=True)}
    layers |= _convolution(3, 48, 64, 2)
    layers |= {"flat": _Flat(), "dense4": nn.Linear(576, 128), "prelu4": nn.PReLU(128)}
    return _Net(layers, {"dense5_1": nn.Linear(128, 2), "dense5_2": nn.Linear(128, 4)})


def _onet() -> nn.Module:
    layers = _convolution(1, 3, 32, 3) | {"pool1": nn.MaxPool2d(3, 2, ceil_mode=True)}
    layers |= _convolution(2, 32, 64, 3) | {"pool2": nn.MaxPool2d(3, 2, ceil_mode=True)}
    layers |= _convolution(3, 64, 64, 3) | {"pool3": nn.MaxPool2d(2, 2, ceil_mode=True)}
    layers |= _convolution(4, 64, 128, 2)
    layers |= {"flat": _Flat(), "dense5": nn.Linear(1152, 256), "prelu5": nn.PReLU(256)}
    heads = {"dense6_1": nn.Linear(256, 2), "dense6_2": nn.Linear(256, 4), "dense6_3": nn.Linear(256, 10)}
    return _Net(layers, heads)


def _convolution(number: int, before: int, after: int, kernel: int) -> dict[str, Any]:
    return {f"conv{number}": nn.Conv2d(before, after, kernel), f"prelu{number}": nn.PReLU(after)}


def _sums(pixels: Tensor) -> Tensor:
    """(H+1,W+1,3) whole numbers: the sum of all pixels above and left of each place.

    F. Crow, Summed-area tables for texture mapping, SIGGRAPH 1984. In large images they run over; their differences are
    right all the same.
    """
    padded = functional.pad(pixels.int(), (0, 0, 1, 0, 1, 0))
    return padded.cumsum(0, dtype=torch.int32).cumsum(1, dtype=torch.int32)


def _whole(boxes: Tensor, sums: Tensor) -> Tensor:
    """First and last column and row of the boxes within the image: x1, y1, x2, y2; the first ones count from 1."""
    height, width = sums.shape[0] - 1, sums.shape[1] - 1
    (x1, y1), (x2, y2) = boxes[:, :2].long().clamp(min=1).unbind(1), boxes[:, 2:].long().unbind(1)
    return torch.stack([x1, y1, x2.clamp(max=width), y2.clamp(max=height)], dim=1)


def _with_pixels(boxes: Tensor, sums: Tensor) -> Tensor:
    """The boxes that have a part of the image in them."""
    whole = _whole(boxes, sums)
    return boxes[(whole[:, 2:] >= whole[:, :2]).all(1)]


def _cut(sums: Tensor, boxes: Tensor, side: int) -> Tensor:
    """What lies in the boxes, (B,3,side,side), -1 to 1.

    Each pixel is the mean of all pixels of the image that it touches, as PyTorch's `interpolate(mode="area")` has it.
    """
    x1, y1, x2, y2 = _whole(boxes, sums).unbind(1)
    (left, right), (top, bottom) = _bins(x1 - 1, x2, side), _bins(y1 - 1, y2, side)
    total = _at(sums, bottom, right) - _at(sums, top, right) - _at(sums, bottom, left) + _at(sums, top, left)
    areas = (bottom - top)[:, :, None] * (right - left)[:, None, :]
    return ((total / areas[..., None] - GREY) / LEVELS).permute(0, 3, 1, 2)


def _bins(starts: Tensor, ends: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Where each of `count` pixels begins and ends between `starts` and `ends`, two of (B,count)."""
    places, lengths = torch.arange(count, device=starts.device), (ends - starts)[:, None]
    first, behind = places * lengths // count, ((places + 1) * lengths + count - 1) // count
    return starts[:, None] + first, starts[:, None] + behind


def _at(sums: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    return sums[rows[:, :, None], columns[:, None, :]]


def _above(threshold: float, scores: Tensor, *others: Tensor) -> list[Tensor]:
    passed = torch.nonzero(scores > threshold)[:, 0]
    return [part[passed] for part in (scores, *others)]


def _shifted(boxes: Tensor, shifts: Tensor, more: int) -> Tensor:
    """The boxes, each side moved by its shift, which is in widths or heights of the box and `more` pixels."""
    sizes = boxes[:, 2:] - boxes[:, :2] + more
    return boxes + shifts * sizes.repeat(1, 2)


def _squared(boxes: Tensor) -> Tensor:
    """Boxes as wide as high, the longer of both, about the same centres."""
    sizes = boxes[:, 2:] - boxes[:, :2]
    side = sizes.max(1, keepdim=True).values
    corners = boxes[:, :2] + sizes * 0.5 - side * 0.5
    return torch.cat([corners, corners + side], dim=1)


def _apart(boxes: Tensor, scores: Tensor) -> Tensor:
    """The boxes kept, by falling score: one goes when it shares too much of itself, or of a kept one, with that."""
    order = torch.sort(scores, descending=True, stable=True).indices
    boxes = boxes[order]
    areas = (boxes[:, 2:] - boxes[:, :2] + 1).prod(1)
    corner1 = torch.maximum(boxes[:, None, :2], boxes[None, :, :2])
    corner2 = torch.minimum(boxes[:, None, 2:], boxes[None, :, 2:])
    shared = (corner2 - corner1 + 1).clamp(min=0).prod(2)
    share = shared / torch.minimum(areas[:, None], areas[None])
    close = (share > OVERLAP).cpu().numpy()
    kept: list[int] = []
    for number in range(len(close)):
        if not np.any(close[number, kept]):
            kept.append(number)
    return order[kept]


def _padded(part: Tensor) -> Tensor:
    whole = part.new_zeros(MOST_FACES, *part.shape[1:])
    whole[: len(part)] = part[:MOST_FACES]
    return whole
