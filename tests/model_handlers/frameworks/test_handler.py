"""What the handler does around any network: shapes, memory that ends, sharing."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count
from pathlib import Path
from threading import Barrier, BrokenBarrierError

import numpy as np
import pytest

from model_handlers.frameworks import handler as handlers
from model_handlers.frameworks.handler import NetworkHandler
from model_handlers.frameworks.loading import Loading
from model_handlers.frameworks.network import Feed
from model_handlers.interface import Request


@pytest.fixture(autouse=True)
def _nothing_is_known_to_fit(monkeypatch):
    monkeypatch.setattr(handlers, "_FITS", {})


def handler(batch_size=1, **changes) -> NetworkHandler:
    return NetworkHandler(Loading("onnx", Path("none"), "fake"), batch_size=batch_size, **changes)


class Sums:
    """Adds its inputs; remembers the shapes it ran in, and has memory for `fits` examples at a time."""

    def __init__(self, fits: int = 1000, feeds: tuple[Feed, ...] = ()) -> None:
        self.fits, self.known, self.ran = fits, feeds, []

    def feeds(self):
        return self.known

    def memory(self):
        return 0

    def run(self, *batches):
        self.ran.append(tuple(batch.shape for batch in batches))
        if len(batches[0]) > self.fits:
            raise RuntimeError("CUDA error: out of memory")
        return (sum(batch.reshape(len(batch), -1).sum(axis=1) for batch in batches),)


def requests(*examples) -> list[Request]:
    return [Request((one,), number) for number, one in enumerate(examples)]


def sums(runs: NetworkHandler, network, asked) -> list[float | None]:
    return [float(a.outputs[0][0]) if a.outputs else None for a in runs.run_inference(asked, network)]


def test_nothing():
    assert sums(handler(4), Sums(), []) == []


def test_a_network_of_several_inputs():
    network = Sums()
    asked = requests(*((np.full((2, 2), n, np.float32), np.float32([10 * n])) for n in range(3)))
    assert sums(handler(2), network, asked) == [0, 14, 28]
    assert network.ran == [((2, 2, 2), (2, 1))] * 2


def test_inputs_of_one_shape_run_together_in_fixed_batches():
    network, wide, tall = Sums(), np.ones((1, 3)), np.ones((4, 1))
    assert sums(handler(2), network, requests(wide, tall, wide, tall, wide)) == [3, 4, 3, 4, 3]
    assert network.ran == [((2, 1, 3),), ((2, 1, 3),), ((2, 4, 1),)]


@pytest.mark.parametrize(
    ("fits", "sizes"), [(32, [32, 32]), (16, [32, 16, 16, 16]), (9, [32, 16, *[8] * 5]), (1, None)]
)
def test_where_memory_ends_the_batch_is_halved_and_the_size_remembered(fits, sizes):
    network, runs = Sums(fits), handler(32)
    asked = requests(*(np.float32([n]) for n in range(40)))
    assert sums(runs, network, asked) == list(range(40))
    ran = [len_ for ((len_, *_),) in network.ran]
    if sizes is not None:
        assert ran == sizes
    before = len(network.ran)
    assert sums(handler(32), network, asked[:1]) == [0]  # another step of the same model knows it
    assert network.ran[before:] == [((min(fits, ran[-1]), 1),)]


def test_an_example_that_does_not_fit_alone_is_the_only_one_lost():
    class Picky(Sums):
        def run(self, batch):
            if (batch > 100).any():
                raise MemoryError
            return super().run(batch)

    found = list(handler(4).run_inference(requests(*(np.float32([n]) for n in (1, 200, 3))), Picky()))
    assert [(a.error is None, a.out_of_memory) for a in found] == [(True, False), (False, True), (True, False)]


def test_a_file_of_one_batch_size_is_never_halved():
    network = Sums(fits=2, feeds=(Feed("x", "float32", (4, 1)),))
    found = list(handler(32).run_inference(requests(np.float32([1])), network))
    assert found[0].out_of_memory
    assert {shape[0] for (shape,) in network.ran} == {4}


def test_a_model_may_be_shared_by_the_processes_of_a_worker():
    assert not handler().share_model_across_processes()
    shared = handler(copies=3)
    assert shared.share_model_across_processes()
    assert shared.model_copies() == 3


@pytest.mark.parametrize(("device", "most"), [("cuda", 2), ("cpu", 6)])
def test_so_many_threads_may_use_a_device_at_once(device, most):
    inside, seen, entered = [], [], Barrier(most)

    class Slow(Sums):
        def run(self, batch):
            inside.append(1)
            seen.append(len(inside))
            with suppress(BrokenBarrierError):
                entered.wait(0.3)
            inside.pop()
            return super().run(batch)

    runs, network = NetworkHandler(Loading("onnx", Path("none"), "fake", device=device)), Slow()
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda n: sums(runs, network, requests(np.float32([n]))), range(6)))
    assert found == [[n] for n in range(6)]
    assert max(seen) == most


def test_an_example_warms_it_up(monkeypatch):
    network, examples = Sums(), count(1)
    monkeypatch.setattr(handlers, "load_network", lambda loading: network)
    handler(2, warm_up=lambda: np.float32([next(examples)])).load_model()
    assert network.ran == [((2, 1),)]


class Poisoned(Sums):
    """Fails on large numbers."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def run(self, batch):
        if batch.max() > 100:
            raise self.error
        return super().run(batch)


@pytest.mark.parametrize(
    ("error", "out_of_memory"),
    [
        (MemoryError(), True),
        (RuntimeError("CUDA error: out of memory"), True),
        (RuntimeError("BFCArena::AllocateRawInternal Failed to allocate memory for requested buffer"), True),
        (RuntimeError("Non-zero status code returned while running Gather"), False),
        (ValueError(""), False),
    ],
)
def test_out_of_memory_is_told_from_other_errors(error, out_of_memory):
    asked = requests(*(np.array(row) for row in ((1, 2), (1, 200), (3, 4))))
    found = list(handler(2).run_inference(asked, Poisoned(error)))
    assert [a.out_of_memory for a in found] == [False, out_of_memory, False]
    assert found[1].error
    assert "\n" not in found[1].error
    assert float(found[2].outputs[0][0]) == 7
