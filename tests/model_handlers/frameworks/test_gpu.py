"""What only a GPU can show: the same numbers as a CPU, half precision, and memory that ends."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the environment of the frameworks, .venv-frameworks")

from safetensors.torch import save_file  # noqa: E402

from model_handlers.frameworks import handler as handlers  # noqa: E402
from model_handlers.frameworks.devices import DeviceMissing, gpus  # noqa: E402
from model_handlers.frameworks.handler import NetworkHandler  # noqa: E402
from model_handlers.frameworks.loading import Loading  # noqa: E402
from model_handlers.interface import Request  # noqa: E402
from model_handlers.models import catalogue  # noqa: E402
from model_handlers.models.examples import example_input  # noqa: E402
from model_handlers.models.handlers import Placement, handler  # noqa: E402
from tests.model_handlers.frameworks.torch_network import plain  # noqa: E402
from tests.model_handlers.networks import kprpe_weights  # noqa: E402

pytestmark = [
    pytest.mark.frameworks,
    pytest.mark.gpu,
    pytest.mark.skipif(not gpus(), reason="needs an NVIDIA GPU, which this machine has not"),
]
NETWORKS = "tests.model_handlers.frameworks.torch_network"


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    torch.manual_seed(3)
    path = tmp_path_factory.mktemp("gpu") / "weights.pt"
    torch.save(plain().state_dict(), path)
    return path


def outputs(runs: NetworkHandler, examples) -> np.ndarray:
    answers = list(runs.run_inference([Request((one,), None) for one in examples], runs.load_model()))
    assert [answer.error for answer in answers] == [None] * len(examples)
    return np.stack([answer.outputs[0][0] for answer in answers])


@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 1e-4), ("fp16", 1e-2), ("bf16", 5e-2)])
def test_it_gives_the_numbers_of_a_cpu_whatever_is_in_the_batch(weights, precision, tolerance):
    examples = list(np.random.default_rng(2).normal(size=(11, 3, 16, 16)).astype(np.float32))
    place = f"{NETWORKS}:network"
    wanted = outputs(NetworkHandler(Loading("torch", weights, "small", place)), examples)
    loading = Loading("torch", weights, "small", place, device="cuda:0", precision=precision)
    runs = NetworkHandler(loading, batch_size=4)
    found = outputs(runs, examples)
    assert np.abs(found - wanted).max() < tolerance * np.abs(wanted).max()
    assert outputs(runs, examples[::-1]).tobytes() == found[::-1].tobytes()
    assert runs.load_model().memory() > 0


@pytest.mark.parametrize(("precision", "least"), [("fp32", 0.999999), ("bf16", 0.9995)])
def test_kprpe(tmp_path, precision, least):
    made = kprpe_weights.made(kprpe_weights.shapes(24, 16, 3))
    save_file({name: torch.from_numpy(np.asarray(one)) for name, one in made.items()}, tmp_path / "w.safetensors")
    loading = Loading("torch", tmp_path / "w.safetensors", "kprpe", "vit_kprpe", device="cuda", precision=precision)
    found = outputs(NetworkHandler(loading, batch_size=4), kprpe_weights.faces())
    wanted = np.load(kprpe_weights.EXPECTED)["y"]
    cosines = (found * wanted).sum(1) / np.linalg.norm(found, axis=1) / np.linalg.norm(wanted, axis=1)
    assert cosines.min() > least


def test_where_memory_ends_the_batch_is_halved(monkeypatch):
    """Each example takes a twentieth of the card, so that 32 do not fit and 16 do."""
    monkeypatch.setattr(handlers, "_FITS", {})
    loading = Loading("torch", __file__, "greedy", f"{NETWORKS}:greedy", device="cuda:0")  # no weights are read
    found = outputs(NetworkHandler(loading, batch_size=32), list(np.arange(40, dtype=np.float32).reshape(40, 1)))
    assert found.ravel().tolist() == list(range(40))
    assert list(handlers._FITS.values()) == [16]
    torch.cuda.empty_cache()


def test_onnx():
    onnxruntime = pytest.importorskip("onnxruntime")
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        pytest.skip("needs onnxruntime-gpu")
    entry = catalogue.load().get("dlib-resnet")
    given = [example_input(entry)] * 3
    wanted, found = outputs(handler(entry), given), outputs(handler(entry, Placement("cuda:0")), given)
    assert np.abs(found - wanted).max() < 1e-3


def test_a_gpu_that_is_not_there(weights):
    loading = Loading("torch", weights, "small", f"{NETWORKS}:network", device=f"cuda:{gpus()}")
    with pytest.raises(DeviceMissing, match="numbered from 0"):
        NetworkHandler(loading).load_model()
