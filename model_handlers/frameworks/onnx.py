"""ONNX Runtime behind Beam's RunInference."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
from apache_beam.ml.inference.base import ModelHandler

from model_handlers.interface import Answer, Array, Request

Outputs = tuple[Array, ...]

_LOG = logging.getLogger(__name__)
_PROVIDERS: dict[str, list[Any]] = {
    "cpu": ["CPUExecutionProvider"],
    # the heuristic choice of convolution is the same on every start; the exhaustive one depends on timing
    "cuda": [("CUDAExecutionProvider", {"cudnn_conv_algo_search": "HEURISTIC"}), "CPUExecutionProvider"],
}
# The sessions in use in this process, by file, device and threads; several threads may run one.
_SESSIONS: WeakValueDictionary[tuple[str, str, int], Any] = WeakValueDictionary()
_LOADING = Lock()
_MEMORY_SIGNS = ("out of memory", "failed to allocate memory", "cuda_error_out_of_memory", "bad_alloc", "bfcarena")


class OnnxHandler(ModelHandler[Request, Answer, Any]):
    """Answers requests with one ONNX model of one input.

    The inputs of a batch's requests run in fixed shapes of `batch_size` examples, the last padded with zeros, so that a
    result does not depend on what else is in the batch; a file whose own batch size is fixed runs in that. A batch that
    fails is split and its requests retried singly. `path` is the model file, or gives it when called on the worker. A
    process loads a model once, however many steps use it.
    """

    def __init__(
        self,
        path: Path | Callable[[], Path],
        *,
        name: str = "onnx",
        batch_size: int = 1,
        device: str = "cpu",
        threads: int = 1,
    ) -> None:
        if device not in _PROVIDERS:
            raise ValueError(f"{name}: there is no device {device!r}; give cpu or cuda.")
        if batch_size < 1 or threads < 1:
            raise ValueError(f"{name}: batch_size and threads must be at least 1.")
        super().__init__(min_batch_size=batch_size, max_batch_size=batch_size)
        self._path, self._name, self._batch_size, self._device, self._threads = path, name, batch_size, device, threads

    def load_model(self) -> Any:
        """The session, on the device asked for; DeviceMissing, in one sentence, where that device is not there."""
        path = self._path() if callable(self._path) else self._path
        key = str(path), self._device, self._threads
        with _LOADING:
            session = _SESSIONS.get(key)
            if session is None:
                session = _SESSIONS[key] = _load(*key, self._name)
            return session

    def run_inference(
        self, batch: Sequence[Request], model: Any, inference_args: dict[str, Any] | None = None
    ) -> Iterable[Answer]:
        """One Answer for each request, in order; a request that fails alone carries its error."""
        try:
            return self._answers(batch, model)
        except Exception as error:
            if len(batch) == 1:
                return [_failure(batch[0], error, self._name)]
        _LOG.warning("%s: a batch of %d requests failed; retrying them singly", self._name, len(batch))
        return [answer for request in batch for answer in self.run_inference([request], model)]

    def _answers(self, batch: Sequence[Request], session: Any) -> list[Answer]:
        inputs = [example for request in batch for example in request.inputs]
        results = iter(self._run(inputs, session))
        return [Answer(tuple(next(results) for _ in request.inputs), request.carry) for request in batch]

    def _run(self, inputs: list[Array], session: Any) -> Iterable[Outputs]:
        """The outputs of each input, without the batch axis; a file of one fixed batch size is run in that."""
        feed = session.get_inputs()[0]
        fixed = feed.shape[0] if feed.shape else None
        size = fixed if isinstance(fixed, int) and fixed > 0 else self._batch_size
        for start in range(0, len(inputs), size):
            examples = inputs[start : start + size]
            padding = [np.zeros_like(examples[0])] * (size - len(examples))
            outputs = session.run(None, {feed.name: np.stack([*examples, *padding])})
            for i in range(len(examples)):
                yield tuple(output[i] for output in outputs)

    def get_num_bytes(self, batch: Sequence[Request]) -> int:
        """The bytes of the inputs; Beam's default would pickle the batch."""
        return sum(example.nbytes for request in batch for example in request.inputs)

    def get_metrics_namespace(self) -> str:
        """Beam's inference metrics stand under `model/<name>`."""
        return f"model/{self._name}"

    def batch_elements_kwargs(self) -> Mapping[str, Any]:
        """Batches of one fixed size: Beam's own choice collapses for models of linear cost."""
        return {"min_batch_size": self._batch_size, "max_batch_size": self._batch_size}


class DeviceMissing(RuntimeError):
    """ONNX Runtime cannot use the device on this machine."""


def _load(path: str, device: str, threads: int, name: str) -> Any:
    import onnxruntime

    if device == "cuda":
        _require_cuda(onnxruntime, name)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=_PROVIDERS[device])
    if device == "cuda" and "CUDAExecutionProvider" not in session.get_providers():
        raise DeviceMissing(f"{name}: {_NO_CUDA}")
    return session


_NO_CUDA = (
    "the configuration asks for cuda, but ONNX Runtime cannot use it here; "
    "install manyfaces[gpu] instead of [cpu] on a machine with an NVIDIA driver, or set the device to cpu."
)


def _require_cuda(onnxruntime: Any, name: str) -> None:
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        raise DeviceMissing(f"{name}: {_NO_CUDA}")
    if hasattr(onnxruntime, "preload_dlls"):
        onnxruntime.preload_dlls()  # the CUDA libraries of the nvidia-* packages, where they are installed


def _failure(request: Request, error: Exception, name: str) -> Answer:
    text = " ".join(str(error).split()) or type(error).__name__
    memory = isinstance(error, MemoryError) or any(sign in text.lower() for sign in _MEMORY_SIGNS)
    _LOG.warning("%s: a request failed alone: %s", name, text[:300])
    return Answer((), request.carry, error=text[:500], out_of_memory=memory)
