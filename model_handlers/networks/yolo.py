"""YOLOv8-pose and YOLO11-pose of ultralytics (AGPL-3.0, installed with the extra `ultralytics` alone)."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
import yaml

from model_handlers.errors import ModelError
from model_handlers.networks.checkpoints import read_checkpoint
from model_handlers.networks.weights import fill

# The package's own descriptions of the architectures. The one inside a checkpoint is never used: ultralytics evaluates
# some of its strings as Python.
_DESCRIPTIONS = {8: "cfg/models/v8/yolov8-pose.yaml", 11: "cfg/models/11/yolo11-pose.yaml"}
_SCALES = ("n", "s", "m", "l", "x")
# What ultralytics' checkpoints name beside tensors and plain data: modules, settings of the training, numbers, paths.
_NAMED = ("ultralytics.", "torch.nn.", "numpy.", "pathlib.", "builtins.getattr")
_BINS = 16  # a side's distance is the expectation over these, in strides


class _Pose(torch.nn.Module):
    """(N,H,W,3) uint8 RGB -> (N,56,places): centre x, y, width, height in pixels, score, 17 x, y, visibility."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self._model = model

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        planes = pixels.permute(0, 3, 1, 2).float() / 255
        places: torch.Tensor = self._model(planes)[0]
        return places


def network(path: Path, version: int = 8, scale: str = "n") -> torch.nn.Module:
    """YOLOv8-pose or YOLO11-pose of one scale with the file's weights, batch normalization folded into convolutions.

    The file is a checkpoint of ultralytics, of which the tensors alone are read, or a state dict in any form.
    ModelError when it is of another version or scale, or when ultralytics is not installed.
    """
    if version not in _DESCRIPTIONS or scale not in _SCALES:
        raise ModelError(
            f"network 'yolo' is of version 8 or 11 and of scale {', '.join(_SCALES)}, not {version} and {scale!r}; "
            "correct network_options"
        )
    weights = read_checkpoint(path, _NAMED)
    model = _untrained(version, scale)
    try:
        fill(model, weights, path)
    except ModelError as error:
        raise ModelError(
            f"{error}; it was read as YOLO version {version}, scale {scale}: see network_options"
        ) from error
    model = model.eval().fuse(verbose=False)
    head = model.model[-1]
    # ultralytics' own keeps what belongs to the last input's shape on the module, where threads would share it
    head._inference = partial(_places, strides=[int(stride) for stride in head.stride])
    return _Pose(model)


def _untrained(version: int, scale: str) -> Any:
    with _quietly():
        try:
            tasks: Any = import_module("ultralytics.nn.tasks")
        except ImportError as error:
            raise ModelError("network 'yolo' needs the package ultralytics: install manyfaces[ultralytics]") from error
    package = Path(import_module("ultralytics").__file__ or "").parent
    description = yaml.safe_load((package / _DESCRIPTIONS[version]).read_text(encoding="utf-8"))
    return tasks.PoseModel(description | {"scale": scale, "nc": 1}, verbose=False)


@contextmanager
def _quietly() -> Iterator[None]:
    """While ultralytics is imported: its settings go to a folder that is then deleted, and it asks nobody.

    What it writes into the environment is taken back, so that processes started from here do not inherit it.
    """
    before = dict(os.environ)
    with TemporaryDirectory() as folder:
        os.environ.setdefault("YOLO_CONFIG_DIR", folder)
        os.environ.setdefault("YOLO_OFFLINE", "true")
        os.environ.setdefault("YOLO_VERBOSE", "false")
        try:
            yield
        finally:
            for name in os.environ.keys() - before.keys():
                del os.environ[name]
            os.environ.update(before)


def _places(raw: Mapping[str, Any], strides: list[int]) -> torch.Tensor:
    """What the head's maps mean, (N,56,places); places lie in the middle of cells, level by level, row by row.

    Distances are expectations over bins (X. Li et al., Generalized Focal Loss, 2020); a keypoint is given in half cells
    from a corner of its cell, as ultralytics' head defines it (8.4, nn/modules/head.py).
    """
    boxes, scores, points = (raw[name] for name in ("boxes", "scores", "kpts"))
    centres, stride = _grid([level.shape[2:] for level in raw["feats"]], strides, boxes.device)
    bins = torch.arange(_BINS, dtype=torch.float32, device=boxes.device)
    reach = (boxes.unflatten(1, (4, _BINS)).softmax(2) * bins[:, None]).sum(2)
    first, second = reach[:, :2], reach[:, 2:]  # left and top, right and bottom
    box = torch.cat([centres + (second - first) / 2, first + second], 1) * stride
    points = points.unflatten(1, (-1, 3))
    x_y = (points[:, :, :2] * 2 + centres - 0.5) * stride
    return torch.cat([box, scores.sigmoid(), torch.cat([x_y, points[:, :, 2:].sigmoid()], 2).flatten(1, 2)], 1)


def _grid(sizes: list[Any], strides: list[int], device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """The centres (2,places) of all cells, in cells, and the stride (places,) of each."""
    centres, steps = [], []
    for (height, width), stride in zip(sizes, strides, strict=True):
        y, x = (torch.arange(length, dtype=torch.float32, device=device) + 0.5 for length in (height, width))
        centres.append(torch.stack([x.repeat(height), y.repeat_interleave(width)]))
        steps.append(torch.full((height * width,), float(stride), device=device))
    return torch.cat(centres, 1), torch.cat(steps)
