"""PyTorch behind the handler: the library's own numbers, whatever is in the batch."""

import copy
import pickle
import weakref

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the environment of the frameworks, .venv-frameworks")

from model_handlers.frameworks.devices import DeviceMissing, gpus  # noqa: E402
from model_handlers.frameworks.handler import NetworkHandler  # noqa: E402
from model_handlers.frameworks.loading import Loading  # noqa: E402
from model_handlers.frameworks.torch import TorchNetwork, halved  # noqa: E402
from model_handlers.interface import Request  # noqa: E402
from tests.model_handlers.frameworks.torch_network import plain  # noqa: E402

pytestmark = pytest.mark.frameworks


@pytest.fixture(scope="module")
def module():
    torch.manual_seed(3)
    made = plain().eval()
    made(torch.rand(4, 3, 16, 16))
    return made


@pytest.fixture(scope="module")
def weights(module, tmp_path_factory):
    path = tmp_path_factory.mktemp("torch") / "weights.pt"
    torch.save(module.state_dict(), path)
    return path


def handler(path, batch_size=1, **changes) -> NetworkHandler:
    place = "tests.model_handlers.frameworks.torch_network:network"
    return NetworkHandler(Loading("torch", path, "small", place, **changes), batch_size=batch_size)


def inputs(count: int) -> list[np.ndarray]:
    random = np.random.default_rng(2)
    return [random.normal(size=(3, 16, 16)).astype(np.float32) for _ in range(count)]


def answers(runs: NetworkHandler, examples) -> list[bytes]:
    found = runs.run_inference([Request((one,), None) for one in examples], runs.load_model())
    return [answer.outputs[0][0].tobytes() for answer in found]


def test_it_gives_what_the_library_gives(module, weights):
    examples = inputs(3)
    with torch.inference_mode():
        wanted = [module(torch.from_numpy(one[None]))[0].numpy().tobytes() for one in examples]
    assert answers(handler(weights), examples) == wanted


@pytest.mark.parametrize("batch_size", [1, 3, 8])
def test_results_do_not_depend_on_the_batching(weights, batch_size):
    runs, examples = handler(weights, batch_size), inputs(11)
    alone = [answers(runs, [one])[0] for one in examples]
    assert answers(runs, examples) == alone
    assert answers(runs, examples[::-1]) == alone[::-1]
    assert [*answers(runs, examples[:4]), *answers(runs, examples[4:])] == alone


def test_a_process_loads_it_once_and_lets_it_go(weights):
    first, second = handler(weights).load_model(), handler(weights, 4).load_model()
    assert first is second
    gone = weakref.ref(first)
    del first, second
    assert gone() is None


def test_a_handler_travels_without_its_weights(weights):
    assert len(pickle.dumps(handler(weights))) < 3000


@pytest.mark.parametrize("device", ["cuda", "cuda:3"])
def test_a_gpu_that_is_not_there_is_an_error(weights, device):
    if gpus() > 3:
        pytest.skip("the device is there")
    with pytest.raises(DeviceMissing, match=rf"^the configuration asks for {device}, but PyTorch cannot use it"):
        handler(weights, device=device).load_model()


def test_weights_in_half_precision_give_what_autocast_gives(module, weights):
    """On a CPU too, whose autocast knows bf16."""
    network = handler(weights).load_model()
    examples = torch.from_numpy(np.stack(inputs(3)))
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        wanted = module(examples)
    found = TorchNetwork(halved(copy.deepcopy(module), torch.bfloat16), "cpu", torch.bfloat16).run(examples.numpy())[0]
    assert found.tobytes() == wanted.float().numpy().tobytes()
    assert np.abs(found - network.run(examples.numpy())[0]).max() > 0
