"""An example for every task, to try and to measure models with."""

from typing import Any

import numpy as np

from model_handlers.interface import Input
from model_handlers.models.catalogue import Entry
from model_handlers.models.codecs import codec

_SIDE = 96  # of the example image, pixels
_LANDMARKS = np.array([(34, 40), (62, 40), (48, 56), (37, 70), (59, 70)], dtype=np.float32)


def example(task: str) -> tuple[Any, ...]:
    """Arguments for the `encode` of a task's codec: a picture of fixed noise, and where a face would lie in it."""
    noise = np.random.default_rng(1).integers(0, 256, (_SIDE, _SIDE, 3), dtype=np.uint8)
    if task == "cuts":
        return (np.broadcast_to(noise[:27, :48], (100, 27, 48, 3)),)
    more: dict[str, tuple[Any, ...]] = {
        "keypoints": (np.array([8, 8, 88, 88], dtype=np.float32),),
        "mesh": (_LANDMARKS,),
        "embedding": (_LANDMARKS, None),
        "expression": (_LANDMARKS,),
        "face_quality": (_LANDMARKS,),
    }
    return (noise, *more.get(task, ()))


def example_input(entry: Entry) -> Input:
    """What the model's codec makes of the example."""
    given, _ = codec(entry).encode(*example(entry.task))
    return given
