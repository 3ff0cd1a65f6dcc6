import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto

from model_handlers.weights.convert import CONVERSIONS, ConversionError, conversion
from model_handlers.weights.convert.onnx_graph import OnnxGraph
from model_handlers.weights.convert.tfjs import Value, convert_nodes, plain
from model_handlers.weights.convert.tfjs_file import read_graph

RANDOM = np.random.default_rng(7)
IMAGE = RANDOM.normal(size=(2, 5, 6, 3)).astype(np.float32)


def text(value: str) -> dict[str, Any]:
    return {"s": base64.b64encode(value.encode()).decode()}


def ints(*values: int) -> dict[str, Any]:
    return {"list": {"i": [str(value) for value in values]}}


def texts(*values: str) -> dict[str, Any]:
    return {"list": {"s": [base64.b64encode(value.encode()).decode() for value in values]}}


def write_model(
    folder: Path, nodes: list[dict[str, Any]], weights: dict[str, np.ndarray], half: bool = False
) -> list[Path]:
    """The two files of a graph model; `half` stores the float weights as float16."""
    specs, content = [], b""
    for name, value in weights.items():
        kind = "float32" if value.dtype.kind == "f" else "int32"
        spec: dict[str, Any] = {"name": name, "shape": list(value.shape), "dtype": kind}
        stored = np.dtype("<f4" if kind == "float32" else "<i4")
        if half and kind == "float32":
            spec["quantization"], stored = {"dtype": "float16", "original_dtype": "float32"}, np.dtype("<f2")
        specs.append(spec)
        content += value.astype(stored).tobytes()
    nodes = [{"name": "x", "op": "Placeholder"}, *({"name": name, "op": "Const"} for name in weights), *nodes]
    model = {"modelTopology": {"node": nodes}, "weightsManifest": [{"paths": ["m.bin"], "weights": specs}]}
    (folder / "m.json").write_text(json.dumps(model))
    (folder / "m.bin").write_bytes(content)
    return [folder / "m.json", folder / "m.bin"]


def run(paths: list[Path], output: str, image: np.ndarray = IMAGE) -> np.ndarray:
    graph = OnnxGraph("test")
    (value,) = convert_nodes(graph, read_graph(*paths), {"x": Value("input")}, (output,))
    sides = ["N", *image.shape[1:]]
    result = plain(graph, value)
    content = graph.to_bytes({"input": (TensorProto.FLOAT, sides)}, {"out": (result, [None] * 4)})
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return session.run(None, {"input": image})[0]


def convolve(image: np.ndarray, kernel: np.ndarray, stride: int, same: bool, depthwise: bool) -> np.ndarray:
    """TensorFlow's convolution of NHWC with HWIO (or HWCM) kernels, by its definition."""
    high, wide = kernel.shape[:2]
    sides = image.shape[1:3]
    if same:
        totals = [max((-(-s // stride) - 1) * stride + k - s, 0) for s, k in zip(sides, (high, wide), strict=True)]
        image = np.pad(image, [(0, 0), *((t // 2, t - t // 2) for t in totals), (0, 0)])
    rows, columns = ((side - k) // stride + 1 for side, k in zip(image.shape[1:3], (high, wide), strict=True))
    out = []
    for y in range(rows):
        for x in range(columns):
            window = image[:, y * stride : y * stride + high, x * stride : x * stride + wide]
            form = "nhwc,hwcm->ncm" if depthwise else "nhwi,hwio->no"
            out.append(np.einsum(form, window, kernel).reshape(len(image), -1))
    return np.stack(out, 1).reshape(len(image), rows, columns, -1)


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("op", ["Conv2D", "DepthwiseConv2dNative"])
def test_convolutions(tmp_path: Path, op: str, padding: str, stride: int, half: bool) -> None:
    depthwise = op != "Conv2D"
    kernel = RANDOM.normal(size=(3, 2, 3, 2 if depthwise else 4)).astype(np.float16).astype(np.float32)
    attributes = {"strides": ints(1, stride, stride, 1), "padding": text(padding), "data_format": text("NHWC")}
    nodes = [{"name": "y", "op": op, "input": ["x", "k"], "attr": attributes}]
    found = run(write_model(tmp_path, nodes, {"k": kernel}, half), "y")
    np.testing.assert_allclose(found, convolve(IMAGE, kernel, stride, padding == "SAME", depthwise), atol=1e-5)


@pytest.mark.parametrize(
    ("activation", "expected"),
    [
        ("Relu", lambda v: np.maximum(v, 0)),
        ("Relu6", lambda v: np.clip(v, 0, 6)),
        ("Prelu", lambda v: np.where(v < 0, 0.25 * v, v)),
        ("LeakyRelu", lambda v: np.where(v < 0, np.float32(0.2) * v, v)),
    ],
)
def test_fused_convolution(tmp_path: Path, activation: str, expected: Any) -> None:
    kernel, bias = RANDOM.normal(size=(1, 1, 3, 4)).astype(np.float32) * 9, np.arange(4, dtype=np.float32)
    slope = np.full((1, 1, 4), 0.25, np.float32)
    attributes = {"padding": text("SAME"), "fused_ops": texts("BiasAdd", activation)}
    inputs = ["x", "k", "b", *(["s"] if activation == "Prelu" else [])]
    nodes = [{"name": "y", "op": "_FusedConv2D", "input": inputs, "attr": attributes}]
    found = run(write_model(tmp_path, nodes, {"k": kernel, "b": bias, "s": slope}), "y")
    np.testing.assert_allclose(found, expected(IMAGE @ kernel[0, 0] + bias), rtol=1e-5, atol=1e-5)


def test_elementwise_operations_follow_either_layout(tmp_path: Path) -> None:
    kernel, scale = np.eye(3, dtype=np.float32)[None, None] * 2, np.array([1, 2, 3], np.float32)
    nodes = [
        {"name": "c", "op": "Conv2D", "input": ["x", "k"], "attr": {"padding": text("VALID")}},
        {"name": "m", "op": "Mul", "input": ["c", "s"]},
        {"name": "y", "op": "AddV2", "input": ["m", "x"]},
    ]
    found = run(write_model(tmp_path, nodes, {"k": kernel, "s": scale}), "y")
    np.testing.assert_allclose(found, IMAGE * 2 * scale + IMAGE, rtol=1e-6)


def test_pad_concat_split_and_transposes_in_both_layouts(tmp_path: Path) -> None:
    kernel = np.eye(3, dtype=np.float32)[None, None]
    nodes = [
        {"name": "c", "op": "Conv2D", "input": ["x", "k"], "attr": {"padding": text("VALID")}},
        {"name": "p", "op": "Pad", "input": ["c", "pads"]},
        {"name": "t", "op": "Transpose", "input": ["p", "nchw"]},
        {"name": "j", "op": "ConcatV2", "input": ["t", "t", "one"]},
        {"name": "s", "op": "SplitV", "input": ["j", "sizes", "one"]},
        {"name": "y", "op": "Transpose", "input": ["s:1", "nhwc"]},
    ]
    weights = {
        "k": kernel, "pads": np.array([[0, 0], [1, 0], [0, 2], [0, 1]]), "nchw": np.array([0, 3, 1, 2]),
        "nhwc": np.array([0, 2, 3, 1]), "one": np.array(1), "sizes": np.array([3, 5]),
    }  # fmt: skip
    padded = np.pad(IMAGE, [(0, 0), (1, 0), (0, 2), (0, 1)])
    expected = np.concatenate([padded, padded], -1)[..., 3:]
    np.testing.assert_allclose(run(write_model(tmp_path, nodes, weights), "y"), expected, rtol=1e-6)


def simple(**changes: Any) -> list[dict[str, Any]]:
    return [{"name": "y", "op": "Conv2D", "input": ["x", "k"], "attr": {"padding": text("SAME")}} | changes]


KERNEL = {"k": np.ones((1, 1, 3, 2), np.float32)}


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ([], "no node 'y'"),
        (simple(op="PyFunc"), "PyFunc, which cannot be converted"),
        (simple(input=["x"]), "cannot be converted"),
        (simple(input=["x", "gone"]), "no node 'gone'"),
        (simple(input=["x", "k:3"]), "which nothing gives"),
        (simple(input=["y", "k"]), "cycle"),
        (simple(attr={"padding": {"s": "***"}}), "no base64"),
        (simple(attr={"padding": text("EXPLICIT")}), "padding EXPLICIT"),
        (simple(attr={"padding": text("SAME"), "data_format": text("NCHW")}), "NHWC"),
        (simple(attr={"padding": text("SAME"), "strides": ints(2, 1, 1, 1)}), "NHWC"),
        (simple(op="Reshape"), "cannot be converted"),
        (simple(attr=[]), "cannot be converted"),
        (simple(attr={"padding": 3}), "cannot be converted"),
        (simple(attr={"padding": text("SAME"), "strides": ints(1, -1, 2, 1)}), "not valid ONNX"),
    ],
)
def test_graphs_that_are_refused(tmp_path: Path, nodes: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(ConversionError, match=message):
        run(write_model(tmp_path, nodes, KERNEL), "y")


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"[]", b"null", b"[" * 100_000, b'{"modelTopology": {"node": 3}, "weightsManifest": []}',
        b'{"modelTopology": {"node": [{}]}, "weightsManifest": []}',
        b'{"modelTopology": {"node": []}, "weightsManifest": [{"weights": [{"name": "k", "shape": "a"}]}]}',
    ],
)  # fmt: skip
def test_json_that_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.json").write_bytes(content)
    (tmp_path / "m.bin").write_bytes(b"")
    with pytest.raises(ConversionError, match=r"m\.json"):
        read_graph(tmp_path / "m.json", tmp_path / "m.bin")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shape": [1, 1, 3, 3]}, "ends at byte 36, the file at 24"),
        ({"shape": [1, 1, 3, 1]}, "end at byte 12, the file at 24"),
        ({"shape": [2**40, 2**40]}, "ends at byte"),
        ({"shape": [-1, -6]}, "cannot be read"),
        ({"shape": [1] * 40}, "cannot be read"),
        ({"dtype": "string"}, "cannot be read"),
        ({"quantization": {"dtype": "uint8", "scale": 1, "min": 0}}, "cannot be read"),
    ],
)
def test_weights_that_do_not_fit(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    paths = write_model(tmp_path, simple(), KERNEL)
    model = json.loads(paths[0].read_text())
    model["weightsManifest"][0]["weights"][0] |= change
    paths[0].write_text(json.dumps(model))
    with pytest.raises(ConversionError, match=message):
        read_graph(*paths)


@pytest.mark.parametrize("name", [name for name, module in CONVERSIONS.items() if module.startswith("tfjs")])
def test_other_graphs_are_refused_by_every_model(tmp_path: Path, name: str) -> None:
    paths = write_model(tmp_path, simple(), KERNEL)
    with pytest.raises(ConversionError):
        conversion(name)(paths)
    with pytest.raises(ConversionError, match=r"model\.json and one \.bin"):
        conversion(name)(paths[:1])
