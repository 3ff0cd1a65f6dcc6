"""LiteRT behind the handler: the runtime's own numbers, in any batch, for any number of threads."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert", reason="needs the environment of the frameworks, .venv-frameworks")

from ai_edge_litert.interpreter import Interpreter

from model_handlers.errors import ModelError
from model_handlers.frameworks.devices import DeviceMissing
from model_handlers.frameworks.handler import NetworkHandler
from model_handlers.frameworks.loading import Loading
from model_handlers.frameworks.network import Feed
from model_handlers.interface import Request
from model_handlers.models import catalogue, store
from model_handlers.models.catalogue import Entry
from model_handlers.models.trial import try_model
from tests.litert_files import save, tensor

pytestmark = pytest.mark.frameworks

WIDE, LONG = 64, 512


def products(path, batch=None):
    """(N,64) -> (N,7): two matrix products with a bend between them."""
    random = np.random.default_rng(1)
    weights = random.normal(size=(LONG, WIDE)), random.normal(size=(7, LONG))
    return save(
        path,
        [("FULLY_CONNECTED", ["x", "w0"], "h"), ("RELU", ["h"], "r"), ("FULLY_CONNECTED", ["r", "w1"], "y")],
        [
            *(tensor("x", (batch, WIDE)), tensor("h", (batch, LONG)), tensor("r", (batch, LONG))),
            *(tensor(f"w{n}", one.shape, values=one) for n, one in enumerate(weights)),
            tensor("y", (batch, 7)),
        ],
    )


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    return products(tmp_path_factory.mktemp("litert") / "products.tflite")


def handler(path, batch_size=1, **changes) -> NetworkHandler:
    return NetworkHandler(Loading("litert", path, "small", **changes), batch_size=batch_size)


def inputs(count: int) -> list[np.ndarray]:
    return list(np.random.default_rng(2).normal(size=(count, WIDE)).astype(np.float32))


def answers(runs: NetworkHandler, examples, network=None) -> list[bytes]:
    found = runs.run_inference([Request((one,), None) for one in examples], network or runs.load_model())
    return [answer.outputs[0][0].tobytes() for answer in found]


def by_itself(path, examples) -> list[bytes]:
    """What the runtime gives one by one."""
    runtime = Interpreter(str(path), num_threads=1)
    runtime.allocate_tensors()
    found = []
    for one in examples:
        runtime.set_tensor(runtime.get_input_details()[0]["index"], one[None])
        runtime.invoke()
        found.append(runtime.get_tensor(runtime.get_output_details()[0]["index"])[0].tobytes())
    return found


def test_it_gives_what_the_runtime_gives(network):
    examples = inputs(3)
    wanted = by_itself(network, examples)
    assert answers(handler(network), examples) == wanted
    assert len(set(wanted)) == 3


@pytest.mark.parametrize("batch_size", [1, 3, 8])
def test_results_do_not_depend_on_the_batching(network, batch_size):
    runs, examples = handler(network, batch_size), inputs(11)
    assert runs.load_model().feeds() == (Feed("x", "float32", (None, WIDE)),)
    alone = [answers(runs, [one])[0] for one in examples]
    assert answers(runs, examples) == alone
    assert answers(runs, examples[::-1]) == alone[::-1]
    assert [*answers(runs, examples[:4]), *answers(runs, examples[4:])] == alone


@pytest.mark.parametrize("batch_size", [1, 2, 8])
def test_a_file_of_one_batch_size_runs_in_that(network, tmp_path, batch_size):
    fixed = handler(products(tmp_path / "fixed.tflite", batch=3), batch_size)
    assert fixed.load_model().feeds() == (Feed("x", "float32", (3, WIDE)),)
    assert answers(fixed, inputs(5)) == answers(handler(network, 3), inputs(5))


def test_a_batch_that_the_graph_undoes_is_an_error(tmp_path):
    path = save(
        tmp_path / "flat.tflite",
        [("RESHAPE", ["x", "shape"], "y")],
        [tensor("x", (None, 2)), tensor("shape", (2,), "int32", [1, -1]), tensor("y", (1, None))],
    )
    network = handler(path, 4).load_model()
    with pytest.raises(RuntimeError, match=r"^the file gives an output of the shape \(1, 8\) for 4 examples: "):
        network.run(np.ones((4, 2), np.float32))
    (one,) = network.run(np.ones((1, 2), np.float32))
    assert one.shape == (1, 2)


def test_several_threads_at_once(network):
    runs, examples = handler(network), inputs(200)
    shared = runs.load_model()
    alone = answers(runs, examples, shared)
    with ThreadPoolExecutor(8) as threads:
        for found in threads.map(lambda _: answers(runs, examples, shared), range(8)):
            assert found == alone


@pytest.mark.parametrize(
    ("kind", "given", "expected"),
    [
        ("int8", [], []),
        ("int8", [0, 1, -1, 2.5], [0, 1, 0, 2.5]),
        ("int8", [0.2, 0.3, 62.0, 1e6], [0, 0.5, 33, 33]),  # the grid of the input; the end of the output's
        ("uint8", [0, 1, -1, 2.5], [0, 1, 0, 2.5]),
        ("uint8", [0.2, 0.3, 60.0, -1e6], [0, 0.5, 60, 0]),
    ],
)
def test_quantized_numbers_are_those_that_they_stand_for(tmp_path, kind, given, expected):
    zero = {"int8": (3, -5), "uint8": (10, 4)}[kind]
    path = save(
        tmp_path / "relu.tflite",
        [("RELU", ["x"], "y")],
        [
            tensor("x", (None, 1), kind, quantization=(0.5, zero[0])),
            tensor("y", (None, 1), kind, quantization=(0.25, zero[1])),
        ],
    )
    network = handler(path).load_model()
    assert network.feeds() == (Feed("x", "float32", (None, 1)),)
    found = [network.run(np.full((1, 1), one, np.float32))[0] for one in given]
    assert [(float(one[0, 0]), one.dtype) for one in found] == [(one, np.float32) for one in expected]


def test_whole_numbers_stay_what_they_are(tmp_path):
    path = save(
        tmp_path / "whole.tflite",
        [("RESHAPE", ["x", "shape"], "y")],
        [tensor("x", (None, 2), "uint8"), tensor("shape", (2,), "int32", [-1, 2]), tensor("y", (None, 2), "uint8")],
    )
    network = handler(path).load_model()
    assert network.feeds() == (Feed("x", "uint8", (None, 2)),)
    (found,) = network.run(np.array([[7, 255]], np.uint8))
    assert (found.tolist(), found.dtype) == ([[7, 255]], np.uint8)


@pytest.mark.parametrize("device", ["cuda", "cuda:3"])
def test_there_is_no_gpu(network, device):
    with pytest.raises(
        DeviceMissing, match=rf"^small: the configuration asks for {device}, but LiteRT runs on the CPU"
    ):
        handler(network, device=device).load_model()


def entry(path) -> Entry:
    sources = [{"uri": str(path), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}]
    about = {"name": "mine", "framework": "litert", "task": "expression", "codec": "emotion", "sources": sources}
    return Entry.model_validate(about | {"licence": "MIT", "commercial": True})


@pytest.mark.parametrize("keep", [0, 7, 0.5, 0.99])
def test_a_damaged_file(network, tmp_path, keep):
    content = network.read_bytes()
    path = tmp_path / "damaged.tflite"
    path.write_bytes(content[: int(keep * len(content)) if keep < 1 else keep])
    with pytest.raises(ModelError, match=r"^model 'mine': its file cannot be loaded: .*; correct its sources\.$") as e:
        try_model(entry(path))
    assert "\n" not in str(e.value)


def test_a_file_for_another_codec(network):
    with pytest.raises(ModelError, match=r"its file takes float32 and the shape \(None, 64\)"):
        try_model(entry(network))


@pytest.mark.integration
def test_the_real_file():
    real = catalogue.load().get("emotion-litert")
    try_model(real)
    examples = list(np.random.default_rng(3).normal(size=(4, 64, 64, 1)).astype(np.float32))
    path = store.ensure(real)
    assert answers(handler(path, 3), examples) == by_itself(path, examples)
