"""YOLOv8-pose and YOLO11-pose of ultralytics (AGPL-3.0, installed with the extra `ultralytics` alone)."""

from pathlib import Path
from typing import Any

import torch

from model_handlers.errors import ModelError
from model_handlers.networks.checkpoints import read_checkpoint
from model_handlers.networks.ultralytics import NAMED, SCALES, reach, untrained
from model_handlers.networks.weights import fill

_DESCRIPTIONS = {8: "v8/yolov8-pose.yaml", 11: "11/yolo11-pose.yaml"}


def build(version: int = 8, scale: str = "n") -> Any:
    """ultralytics' own network without trained weights, for one class."""
    return untrained("PoseModel", _DESCRIPTIONS[version], scale=scale, nc=1)


class _Head(torch.nn.Module):
    """The layers of ultralytics' head, and what their maps mean, computed anew for every input.

    Ultralytics' own head keeps what belongs to the last input's shape on the module, where threads would share it.
    """

    def __init__(self, head: Any) -> None:
        super().__init__()
        self.i, self.f = head.i, head.f  # by which the network finds this layer's inputs
        self.boxes, self.scores, self.points = head.cv2, head.cv3, head.cv4
        self._strides = [int(stride) for stride in head.stride]

    def forward(self, levels: list[torch.Tensor]) -> torch.Tensor:
        layers = zip(self._strides, levels, self.boxes, self.scores, self.points, strict=True)
        return torch.cat([_places(s, box(x), score(x), point(x)) for s, x, box, score, point in layers], 2)


class _Pose(torch.nn.Module):
    """(N,H,W,3) uint8 RGB -> (N,56,places): centre x, y, width, height in pixels, score, 17 x, y, visibility."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self._model = model

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        places: torch.Tensor = self._model(pixels.permute(0, 3, 1, 2).float() / 255)
        return places


def network(path: Path, version: int = 8, scale: str = "n") -> torch.nn.Module:
    """YOLOv8-pose or YOLO11-pose of one scale with the file's weights, batch normalization folded into convolutions.

    The file is a checkpoint of ultralytics, of which the tensors alone are read, or a state dict in any form.
    ModelError when it is of another version or scale, or when ultralytics is not installed.
    """
    if version not in _DESCRIPTIONS or scale not in SCALES:
        raise ModelError(
            f"network 'yolo' is of version 8 or 11 and of scale {', '.join(SCALES)}, not {version} and {scale!r}; "
            "correct network_options"
        )
    weights = read_checkpoint(path, NAMED).weights
    model = build(version, scale)
    try:
        fill(model, weights, path)
    except ModelError as error:
        raise ModelError(
            f"{error}; it was read as YOLO version {version}, scale {scale}: see network_options"
        ) from error
    model = model.eval().fuse(verbose=False)
    model.model[-1] = _Head(model.model[-1])
    return _Pose(model)


def _places(stride: int, boxes: torch.Tensor, scores: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    """(N,56,h*w) of one level's maps (N,64,h,w), (N,1,h,w) and (N,51,h,w), row by row.

    A place lies in the middle of its cell; keypoints are given in pairs of cells from the cell's corner (ultralytics
    8.4, nn/modules/head.py).
    """
    y, x = (torch.arange(length, dtype=torch.float32, device=boxes.device) for length in boxes.shape[2:])
    corners = torch.stack([x.repeat(len(y)), y.repeat_interleave(len(x))])
    first, second = reach(boxes).split(2, dim=1)  # left and top, right and bottom
    keypoints = points.flatten(2).unflatten(1, (-1, 3))
    x_y = (corners + 2 * keypoints[:, :, :2]) * stride
    return torch.cat(
        [
            (corners + 0.5 + (second - first) / 2) * stride,
            (first + second) * stride,
            scores.flatten(2).sigmoid(),
            torch.cat([x_y, keypoints[:, :, 2:].sigmoid()], 2).flatten(1, 2),
        ],
        1,
    )
