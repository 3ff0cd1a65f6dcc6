"""Networks in TensorFlow Lite files (`.tflite`), run by LiteRT on the CPU."""

from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from model_handlers.frameworks.devices import DeviceMissing, is_gpu
from model_handlers.frameworks.loading import Loading
from model_handlers.frameworks.network import Feed
from model_handlers.interface import Array


class LiteRtNetwork:
    """A file's interpreters: each serves one thread at a time, so that there are as many as ever ran at once."""

    def __init__(self, loading: Loading) -> None:
        self._file, self._name, self._threads = str(loading.file), loading.name, loading.threads
        self._idle = [self._interpreter()]
        self._feeds = tuple(_feed(one) for one in self._idle[0].get_input_details())

    def feeds(self) -> tuple[Feed, ...]:
        """The file's inputs; of a quantized one the numbers that its integers stand for, float32."""
        return self._feeds

    def run(self, *batches: Array) -> tuple[Array, ...]:
        """The file's outputs, quantized ones as float32."""
        try:
            interpreter = self._idle.pop()
        except IndexError:  # all that there are run for other threads
            interpreter = self._interpreter()
        # after a failure it is not taken back: its shapes may be in between
        outputs = self._outputs(interpreter, batches)
        self._idle.append(interpreter)
        return outputs

    def memory(self) -> int:
        """0: it runs on the CPU."""
        return 0

    def _interpreter(self) -> Any:
        made = Interpreter(model_path=self._file, num_threads=self._threads)
        made.allocate_tensors()
        return made

    def _outputs(self, interpreter: Any, batches: tuple[Array, ...]) -> tuple[Array, ...]:
        inputs = interpreter.get_input_details()
        resized = False
        for one, batch in zip(inputs, batches, strict=True):
            if tuple(one["shape"]) != batch.shape:
                interpreter.resize_tensor_input(one["index"], batch.shape, strict=True)
                resized = True
        if resized:
            interpreter.allocate_tensors()
        for one, batch in zip(inputs, batches, strict=True):
            interpreter.set_tensor(one["index"], _quantized(batch, one))
        interpreter.invoke()
        outputs = tuple(
            _as_numbers(interpreter.get_tensor(one["index"]), one) for one in interpreter.get_output_details()
        )
        for output in outputs:  # a shape written into the graph may undo the batch, and the runtime does not mind
            if output.ndim == 0 or len(output) != len(batches[0]):
                raise RuntimeError(
                    f"the file gives an output of the shape {output.shape} for {len(batches[0])} examples: its graph "
                    "is for another batch size than its input says"
                )
        return outputs


def load(loading: Loading) -> LiteRtNetwork:
    """The file's network; DeviceMissing for any device but the CPU."""
    if is_gpu(loading.device):
        raise DeviceMissing(
            f"{loading.name}: the configuration asks for {loading.device}, but LiteRT runs on the CPU here; set the "
            "device to cpu, or take the same model in another framework's file."
        )
    return LiteRtNetwork(loading)


def _feed(told: Any) -> Feed:
    dtype = "float32" if _quantization(told) else np.dtype(told["dtype"]).name
    # the signature has -1 for a length that may be changed; any other is built into the graph
    return Feed(told["name"], dtype, tuple(int(length) if length > 0 else None for length in told["shape_signature"]))


def _quantization(told: Any) -> tuple[float, int] | None:
    """Scale and zero point of a quantized tensor: a number is scale * (integer - zero point)."""
    scale, zero = told["quantization"]
    return (scale, zero) if scale and np.issubdtype(told["dtype"], np.integer) else None


def _quantized(batch: Array, told: Any) -> Array:
    quantization = _quantization(told)
    if quantization is None:
        return batch
    scale, zero = quantization
    limits = np.iinfo(told["dtype"])
    rounded: Array = np.clip(np.rint(batch / np.float32(scale)) + zero, limits.min, limits.max)
    return rounded.astype(told["dtype"])


def _as_numbers(output: Array, told: Any) -> Array:
    quantization = _quantization(told)
    if quantization is None:
        return output.astype(np.float32) if output.dtype == np.float16 else output
    scale, zero = quantization
    return (output.astype(np.float32) - np.float32(zero)) * np.float32(scale)
