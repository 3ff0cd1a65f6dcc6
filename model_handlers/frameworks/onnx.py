"""Networks in ONNX files, run by ONNX Runtime."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnxruntime

from model_handlers.errors import ModelError
from model_handlers.frameworks.devices import DeviceMissing, gpu_number, is_gpu
from model_handlers.frameworks.loading import Loading
from model_handlers.frameworks.network import Feed
from model_handlers.interface import Array

_TYPES = {"float": "float32", "double": "float64"}  # ONNX Runtime's names, where they differ from NumPy's
# how its versions since 1.20 say that weights lie outside of the file
_OTHER_FILES = ("External data", "external data", "model_path must not be empty")


class OnnxNetwork:
    """A session of ONNX Runtime; several threads may run it at once."""

    def __init__(self, session: Any, device: str) -> None:
        self._session, self._device = session, device
        self._names = [one.name for one in session.get_inputs()]
        self._feeds = tuple(_feed(one) for one in session.get_inputs())

    def feeds(self) -> tuple[Feed, ...]:
        """The file's inputs."""
        return self._feeds

    def run(self, *batches: Array) -> tuple[Array, ...]:
        """The file's outputs."""
        named = dict(zip(self._names, batches, strict=True))
        if not is_gpu(self._device):
            return _with_batch_axis(self._session.run(None, named), len(batches[0]))
        binding = self._session.io_binding()  # inputs and outputs are copied to and from the GPU once, by the session
        for name, batch in named.items():
            binding.bind_cpu_input(name, batch)
        for output in self._session.get_outputs():
            binding.bind_output(output.name, "cuda", int(self._device.partition(":")[2]))
        self._session.run_with_iobinding(binding)
        return _with_batch_axis(binding.copy_outputs_to_cpu(), len(batches[0]))

    def memory(self) -> int:
        """0: ONNX Runtime does not tell."""
        return 0


def load(loading: Loading) -> OnnxNetwork:
    """The file's session on its device."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = loading.threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    if not is_gpu(loading.device):
        return OnnxNetwork(_session(loading, options, ["CPUExecutionProvider"]), loading.device)
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        raise _missing(loading)
    number = gpu_number(loading.device, "ONNX Runtime")
    if hasattr(onnxruntime, "preload_dlls"):
        onnxruntime.preload_dlls()  # the CUDA libraries of the nvidia-* packages, where they are installed
    # the heuristic choice of convolution is the same on every start; the exhaustive one depends on timing
    cuda = ("CUDAExecutionProvider", {"cudnn_conv_algo_search": "HEURISTIC", "device_id": number})
    session = _session(loading, options, [cuda, "CPUExecutionProvider"])
    if "CUDAExecutionProvider" not in session.get_providers():
        raise _missing(loading)  # ONNX Runtime goes on without the GPU, and says so in its log alone
    return OnnxNetwork(session, f"cuda:{number}")


def _session(loading: Loading, options: Any, providers: list[Any]) -> Any:
    path = Path(str(loading.file))
    try:
        # given bytes and no path, ONNX Runtime reads no other file, whatever the model names
        return onnxruntime.InferenceSession(path.read_bytes(), options, providers=providers)
    except Exception as error:  # ONNX Runtime's errors have no class in common
        if any(sign in str(error) for sign in _OTHER_FILES):
            raise ModelError(
                f"model {loading.name!r}: {path} keeps weights in another file, which no hash covers and which was not "
                "read; save the model as one file."
            ) from error
        raise


def _with_batch_axis(outputs: Sequence[Array], examples: int) -> tuple[Array, ...]:
    """The outputs; those of a single example get the batch axis that the file leaves off. ValueError if of several."""
    if examples == 1:
        return tuple(output if output.shape[:1] == (1,) else output[None] for output in outputs)
    for output in outputs:
        if output.shape[:1] != (examples,):
            raise ValueError(f"an output {output.shape} of {examples} examples has no batch axis: set batch_size to 1")
    return tuple(outputs)


def _missing(loading: Loading) -> DeviceMissing:
    return DeviceMissing(
        f"{loading.name}: the configuration asks for {loading.device}, but ONNX Runtime cannot use it here; install "
        "manyfaces[gpu] instead of [cpu] on a machine with an NVIDIA driver, or set the device to cpu."
    )


def _feed(fed: Any) -> Feed:
    kind = fed.type.removeprefix("tensor(").removesuffix(")")
    shape = tuple(length if isinstance(length, int) and length > 0 else None for length in fed.shape)
    return Feed(fed.name, _TYPES.get(kind, kind), shape)
