"""BRISQUE's support vector regression, as pypi's brisque carries it -> ONNX.

input (N,36) float64, features -> score (N,1). The sources are libsvm's text file, and a pickle with the features'
ranges, two lists of numbers, which is read with every class and function refused.
"""

import io
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from onnx import TensorProto

from model_handlers.interface import Array
from model_handlers.weights.convert import ConversionError
from model_handlers.weights.convert.onnx_graph import OnnxGraph

MAX_BYTES = 2**20
FEATURES = 36


def convert(paths: Sequence[Path]) -> bytes:
    """The ONNX file's bytes; ConversionError when the files are not such a regression and its ranges."""
    machine, ranges = paths
    header, rows = _read(machine, _machine)
    low, high = _read(ranges, _ranges)
    graph = OnnxGraph("brisque")

    def number(value: Any) -> str:
        return graph.constant(value, np.float64)

    # features to -1 to 1, then a Gaussian round each support vector
    scaled = graph.add(
        "Sub", [graph.add("Mul", ["input", number(2 / (high - low))]), number(2 * low / (high - low) + 1)]
    )
    apart = graph.add(
        "Sub", [graph.add("Unsqueeze", [scaled, graph.constant([1], np.int64)]), number(rows[None, :, 1:])]
    )
    squares = graph.add("ReduceSum", [graph.add("Mul", [apart, apart]), graph.constant([2], np.int64)], keepdims=0)
    near = graph.add("Exp", [graph.add("Mul", [squares, number(-header["gamma"])])])
    # weights of a thousand and more cancel out: the sum needs double precision
    total = graph.add("Sub", [graph.add("MatMul", [near, number(rows[:, :1])]), number(header["rho"])])
    score = graph.add("Cast", [total], to=TensorProto.FLOAT)
    return graph.to_bytes({"input": (TensorProto.DOUBLE, ("N", FEATURES))}, {"score": (score, ("N", 1))})


def _read(path: Path, parse: Any) -> Any:
    if path.stat().st_size > MAX_BYTES:
        raise ConversionError(f"{path} is larger than {MAX_BYTES} bytes")
    try:
        return parse(path.read_bytes())
    except (ValueError, TypeError, LookupError, AttributeError, EOFError, pickle.UnpicklingError) as error:
        raise ConversionError(f"{path} is no part of BRISQUE: {error}") from error


def _machine(content: bytes) -> tuple[dict[str, float], Array]:
    """gamma and rho, and for each support vector its weight and 36 features."""
    head, _, body = content.decode("ascii").partition("\nSV\n")
    header = dict(line.split(maxsplit=1) for line in head.splitlines())
    if (header["svm_type"], header["kernel_type"]) != ("epsilon_svr", "rbf"):
        raise ValueError(f"a machine of type {header['svm_type']} with kernel {header['kernel_type']}")
    rows = np.array([_row(line) for line in body.splitlines()])
    if rows.shape != (int(header["total_sv"]), FEATURES + 1) or not np.isfinite(rows).all():
        raise ValueError(f"support vectors {rows.shape}, expected {header['total_sv']} of {FEATURES} features")
    return {name: float(header[name]) for name in ("gamma", "rho")}, rows


def _row(line: str) -> list[float]:
    weight, *pairs = line.split()
    numbered = [pair.split(":") for pair in pairs]
    if [int(number) for number, _ in numbered] != list(range(1, FEATURES + 1)):
        raise ValueError(f"a support vector without each of {FEATURES} features")
    return [float(weight), *(float(value) for _, value in numbered)]


class _PlainUnpickler(pickle.Unpickler):
    """Reads dicts, lists and numbers, and refuses whatever has a name."""

    def find_class(self, module: str, name: str, /) -> Any:
        raise pickle.UnpicklingError(f"it names {module}.{name}")


def _ranges(content: bytes) -> tuple[Array, Array]:
    """The least and greatest value of each feature."""
    found = _PlainUnpickler(io.BytesIO(content)).load()
    low, high = (np.array([float(value) for value in found[key]]) for key in ("min_", "max_"))
    if low.shape != (FEATURES,) or high.shape != (FEATURES,) or not (low < high).all():
        raise ValueError("no ranges of 36 features")
    return low, high
