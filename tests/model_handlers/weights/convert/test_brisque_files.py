"""BRISQUE's two files, made here: what they mean, and what is refused."""

import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from model_handlers.weights.convert import ConversionError, conversion

HEADER = "svm_type epsilon_svr\nkernel_type rbf\ngamma 0.5\nnr_class 2\ntotal_sv {}\nrho -3\nSV\n"
LOW, HIGH = np.arange(36.0), np.arange(36.0) + np.linspace(1, 5, 36)


def vector(weight: float, values: np.ndarray) -> str:
    return " ".join([repr(weight), *(f"{number}:{value}" for number, value in enumerate(values.tolist(), 1))]) + " \n"


def machine(*rows: tuple[float, np.ndarray]) -> str:
    return HEADER.format(len(rows)) + "".join(vector(weight, values) for weight, values in rows)


def files(folder: Path, text: str, ranges: Any) -> list[Path]:
    (folder / "svm.txt").write_text(text)
    (folder / "ranges.pickle").write_bytes(pickle.dumps(ranges))
    return [folder / "svm.txt", folder / "ranges.pickle"]


RANGES = {"min_": LOW.tolist(), "max_": HIGH.tolist()}
ONE = machine((1.0, np.zeros(36)))


def test_arithmetic(tmp_path: Path) -> None:
    """Weights a million times as large as the score cancel out."""
    rng = np.random.default_rng(0)
    rows = [(weight, rng.uniform(-0.2, 0.2, 36)) for weight in (1e6, -1e6, 2.5)]
    content = conversion("brisque")(files(tmp_path, machine(*rows), RANGES))
    features = rng.uniform(LOW, HIGH, (3, 36))
    scaled = -1 + 2 * (features - LOW) / (HIGH - LOW)
    expected = [sum(w * np.exp(-0.5 * ((x - v) ** 2).sum()) for w, v in rows) + 3 for x in scaled]
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    (scores,) = session.run(None, {"input": features})
    np.testing.assert_allclose(scores[:, 0], expected, rtol=1e-6)


class Owns:
    def __reduce__(self) -> Any:
        return os.mkdir, ("owned",)


@pytest.mark.parametrize(
    ("text", "ranges"),
    [
        ("", RANGES),
        ("SV\n", RANGES),
        (ONE.replace("epsilon_svr", "c_svc"), RANGES),
        (ONE.replace("rbf", "linear"), RANGES),
        (ONE.replace("total_sv 1", "total_sv 2"), RANGES),
        (ONE.replace("rho -3", "rho"), RANGES),
        (ONE.replace("36:", "37:"), RANGES),
        (ONE.replace("36:0.0", "36:nan"), RANGES),
        (ONE.replace("36:0.0", ""), RANGES),
        (ONE + "é", RANGES),
        (ONE, {}),
        (ONE, [1, 2]),
        (ONE, {"min_": [0.0], "max_": [1.0]}),
        (ONE, {"min_": HIGH.tolist(), "max_": LOW.tolist()}),
        (ONE, {"min_": LOW.tolist(), "max_": ["x"] * 36}),
        (ONE, {"min_": LOW, "max_": HIGH}),  # arrays are classes
        (ONE, Owns()),
    ],
)
def test_what_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, ranges: Any) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConversionError, match="is no part of BRISQUE"):
        conversion("brisque")(files(tmp_path, text, ranges))
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize("content", [b"", b"\x80", b"x" * 2**21])
def test_pickles_that_are_none(tmp_path: Path, content: bytes) -> None:
    paths = files(tmp_path, ONE, RANGES)
    paths[1].write_bytes(content)
    with pytest.raises(ConversionError, match=str(paths[1])):
        conversion("brisque")(paths)
