"""What networks of ultralytics (AGPL-3.0, installed with the extra `ultralytics` alone) have in common."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
import yaml

from model_handlers.errors import ModelError

_BINS = 16
SCALES = ("n", "s", "m", "l", "x")
# What ultralytics' checkpoints name beside tensors and plain data: modules, settings of the training, numbers, paths.
NAMED = ("ultralytics.", "torch.nn.", "torch.Size", "numpy.", "pathlib.", "builtins.getattr", "clip.model.")


def untrained(kind: str, description: str, **changes: Any) -> Any:
    """The network of this class of ultralytics, built from the package's own description of it with these changes.

    The description inside a checkpoint is never used: ultralytics evaluates some of its strings as Python. ModelError
    when ultralytics is not installed.
    """
    with _quietly():
        try:
            tasks: Any = import_module("ultralytics.nn.tasks")
        except ImportError as error:
            raise ModelError("YOLO needs the package ultralytics: install manyfaces[ultralytics]") from error
    package = Path(import_module("ultralytics").__file__ or "").parent
    text = (package / "cfg" / "models" / description).read_text(encoding="utf-8")
    return getattr(tasks, kind)(yaml.safe_load(text) | changes, verbose=False)


def reach(logits: torch.Tensor) -> torch.Tensor:
    """(N,64,h,w), logits of distances from the middle of each cell -> (N,4,h*w): left, top, right, bottom, in cells.

    A distance is the expectation over 16 bins (X. Li et al., Generalized Focal Loss, 2020).
    """
    bins = torch.arange(_BINS, dtype=torch.float32, device=logits.device)[:, None]
    return (logits.flatten(2).unflatten(1, (4, _BINS)).softmax(2) * bins).sum(2)


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
