"""One handler for Beam's RunInference, whatever framework runs the network."""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from threading import BoundedSemaphore
from typing import Any

import numpy as np
from apache_beam.metrics.metric import Metrics
from apache_beam.ml.inference.base import ModelHandler

from model_handlers.frameworks.devices import is_gpu
from model_handlers.frameworks.loading import Loading, load_network
from model_handlers.frameworks.network import Network, is_out_of_memory
from model_handlers.interface import Answer, Array, Input, Request, parts

_LOG = logging.getLogger(__name__)
# What fits into the memory of this process's device, examples at a time, where that is less than was asked for.
_FITS: dict[str, int] = {}
# A worker's threads encode and decode while the GPU works for one of them. Two batches are under way at a time: while
# one is computed the next is copied, and memory holds no more than those, however many threads there are.
_GPU_TURNS = BoundedSemaphore(2)


class NetworkHandler(ModelHandler[Request, Answer, Network]):
    """Answers requests with one network.

    The inputs of a batch's requests run in fixed shapes of `batch_size` examples, the last padded with zeros, so that a
    result does not depend on what else is in the batch; a file whose own batch size is fixed runs in that. A batch that
    does not fit into memory is halved, and so are all that follow. A batch that fails otherwise is split and its
    requests retried singly.

    `copies`: None, and each process loads the network for itself; or how many the processes of a worker share.
    `warm_up` gives an example that runs once when the network is loaded, before anybody waits for it.
    """

    def __init__(
        self,
        loading: Loading,
        *,
        batch_size: int = 1,
        copies: int | None = None,
        warm_up: Callable[[], Input] | None = None,
    ) -> None:
        if batch_size < 1 or loading.threads < 1:
            raise ValueError(f"{loading.name}: batch_size and threads must be at least 1.")
        super().__init__(min_batch_size=batch_size, max_batch_size=batch_size)
        self._loading, self._batch_size, self._copies, self._warm_up = loading, batch_size, copies, warm_up
        self._where = f"{loading.name} on {loading.device} in {loading.precision}"
        namespace = self.get_metrics_namespace()
        self._examples = Metrics.distribution(namespace, "examples_per_batch")
        self._microseconds = Metrics.distribution(namespace, "microseconds_per_example")
        self._memory = Metrics.distribution(namespace, "device_memory_bytes")

    def load_model(self) -> Network:
        """The network, on the device asked for; DeviceMissing, in one sentence, where that device is not there."""
        network = load_network(self._loading)
        if self._warm_up is not None:
            self._run([self._warm_up()], network)
        return network

    def run_inference(
        self, batch: Sequence[Request], model: Network, inference_args: dict[str, Any] | None = None
    ) -> Iterable[Answer]:
        """One Answer for each request, in order; a request that fails alone carries its error."""
        try:
            return self._answers(batch, model)
        except Exception as error:
            if len(batch) == 1:
                return [_failure(batch[0], error, self._loading.name)]
        _LOG.warning("%s: a batch of %d requests failed; retrying them singly", self._loading.name, len(batch))
        return [answer for request in batch for answer in self.run_inference([request], model)]

    def _answers(self, batch: Sequence[Request], network: Network) -> list[Answer]:
        inputs = [example for request in batch for example in request.inputs]
        results = iter(self._run(inputs, network))
        return [Answer(tuple(next(results) for _ in request.inputs), request.carry) for request in batch]

    def _run(self, inputs: list[Input], network: Network) -> list[tuple[Array, ...]]:
        """The outputs of each input, without the batch axis, in order; inputs of one shape run together."""
        found: list[tuple[Array, ...]] = [()] * len(inputs)
        alike = defaultdict(list)
        for number, example in enumerate(inputs):
            alike[tuple(part.shape for part in parts(example))].append(number)
        for numbers in alike.values():
            while numbers:
                size = self._size(network)
                now = numbers[:size]
                try:
                    outputs = self._batch([inputs[number] for number in now], size, network)
                except Exception as error:
                    if not is_out_of_memory(error) or size == 1 or _own_size(network):
                        raise
                    _FITS[self._where] = size // 2
                    _LOG.warning("%s: no memory for %d examples at a time; halved", self._loading.name, size)
                    continue
                for place, number in enumerate(now):
                    found[number] = tuple(output[place] for output in outputs)
                numbers = numbers[size:]
        return found

    def _size(self, network: Network) -> int:
        return _own_size(network) or min(self._batch_size, _FITS.get(self._where, self._batch_size))

    def _batch(self, examples: list[Input], size: int, network: Network) -> tuple[Array, ...]:
        start = time.perf_counter()
        columns = zip(*map(parts, examples), strict=True)
        stacked = [_stacked(column, size) for column in columns]
        with _GPU_TURNS if is_gpu(self._loading.device) else nullcontext():
            outputs = network.run(*stacked)
        self._examples.update(len(examples))
        self._microseconds.update(round(1e6 * (time.perf_counter() - start) / len(examples)))
        if held := network.memory():
            self._memory.update(held)
        return outputs

    def get_num_bytes(self, batch: Sequence[Request]) -> int:
        """The bytes of the inputs; Beam's default would pickle the batch."""
        return sum(part.nbytes for request in batch for example in request.inputs for part in parts(example))

    def get_metrics_namespace(self) -> str:
        """Beam's inference metrics stand under `model/<name>`."""
        return f"model/{self._loading.name}"

    def batch_elements_kwargs(self) -> Mapping[str, Any]:
        """Batches of one fixed size: Beam's own choice collapses for models of linear cost."""
        return {"min_batch_size": self._batch_size, "max_batch_size": self._batch_size}

    def share_model_across_processes(self) -> bool:
        """Whether the processes of a worker call copies of the network that live in processes of their own."""
        return self._copies is not None

    def model_copies(self) -> int:
        """How many copies a worker has, where its processes share them."""
        return self._copies or 1


def _own_size(network: Network) -> int:
    """The batch size that the file itself fixes; 0 where it is free."""
    feeds = network.feeds()
    return (feeds[0].shape[0] or 0) if feeds and feeds[0].shape else 0


def _stacked(column: tuple[Array, ...], size: int) -> Array:
    if size == 1:
        return column[0][None]  # a view: copying an image takes a millisecond
    return np.stack([*column, *[np.zeros_like(column[0])] * (size - len(column))])


def _failure(request: Request, error: Exception, name: str) -> Answer:
    text = " ".join(str(error).split()) or type(error).__name__
    _LOG.warning("%s: a request failed alone: %s", name, text[:300])
    return Answer((), request.carry, error=text[:500], out_of_memory=is_out_of_memory(error))
