"""ONNX files of detectors without training: each output is a random projection of the pixels under its cell."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper

from tests.onnx_files import save

STRIDES = (8, 16, 32)
NOISE = 74  # standard deviation of uniformly random bytes


@dataclass(frozen=True)
class Head:
    """Numbers of every cell: `mean` and `spread` of each over pixels of noise, through a sigmoid if asked for."""

    name: str
    mean: Sequence[float]
    spread: float
    sigmoid: bool = False


def write_detector(
    path: Path,
    heads: Sequence[Head],
    *,
    size: tuple = (640, 640),
    batch: int | str = "N",
    each: int = 1,
    batch_axis: bool = True,
    scale: float = 1,
) -> Path:
    """Outputs NAME_STRIDE (N, cells * each, numbers), head by head; `scale` is of the input, whose pixels are 0 to 255.

    Without `batch_axis` they are (N * cells * each, numbers). Input (batch,3,height,width); `size` is width, height.
    """
    random = np.random.default_rng(1)
    nodes, weights, outputs = [], {}, []
    for head in heads:
        numbers = len(head.mean)
        rows = (0, -1, numbers) if batch_axis else (-1, numbers)
        weights[f"{head.name}_rows"] = np.array(rows, np.int64)
        for stride in STRIDES:
            name = f"{head.name}_{stride}"
            kernel = random.normal(size=(each * numbers, 3 * stride * stride))
            kernel -= kernel.mean(axis=1, keepdims=True)  # so that the brightness of a picture is nothing to it
            kernel *= head.spread / scale / NOISE / np.linalg.norm(kernel, axis=1, keepdims=True)
            weights[f"{name}_w"] = kernel.reshape(-1, 3, stride, stride).astype(np.float32)
            weights[f"{name}_b"] = np.tile(np.array(head.mean, np.float32), each)
            nodes += [
                helper.make_node("Conv", ["input", f"{name}_w", f"{name}_b"], [f"{name}_map"], strides=[stride] * 2),
                helper.make_node("Transpose", [f"{name}_map"], [f"{name}_last"], perm=[0, 2, 3, 1]),
                helper.make_node("Reshape", [f"{name}_last", f"{head.name}_rows"], [f"{name}_out"]),
                helper.make_node("Sigmoid" if head.sigmoid else "Identity", [f"{name}_out"], [name]),
            ]
            shape = (batch, None, numbers) if batch_axis else (None, numbers)
            outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
    given = helper.make_tensor_value_info("input", TensorProto.FLOAT, (batch, 3, size[1], size[0]))
    return save(path, nodes, weights, [given], outputs)
