"""Networks in Keras files (`.keras`, `.h5`, `.hdf5`), run by TensorFlow. A SavedModel is a folder, and not taken."""

import os
from contextlib import suppress
from typing import Any

from model_handlers.errors import ModelError
from model_handlers.frameworks.devices import DeviceMissing, gpu_number, is_gpu
from model_handlers.frameworks.loading import Loading
from model_handlers.frameworks.network import Feed
from model_handlers.interface import Array

_LEVEL = "TF_CPP_MIN_LOG_LEVEL"
_asked_for = os.environ.get(_LEVEL)
os.environ[_LEVEL] = _asked_for or "3"  # failures alone: TensorFlow reads it now, and never again
with suppress(ImportError):
    # PyTorch loads triton when it compiles; if TensorFlow was first, their two LLVMs end the process (triton 3.9)
    import triton  # noqa: F401
import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

from model_handlers.frameworks.keras_files import check_architecture  # noqa: E402

if _asked_for is None:
    del os.environ[_LEVEL]


class KerasNetwork:
    """A Keras model on its device; several threads may run it at once."""

    def __init__(self, model: Any, device: str) -> None:
        self._device = device
        self._feeds = tuple(Feed(one.name, one.dtype, tuple(one.shape)) for one in model.inputs)
        flat = keras.Model(model.inputs, model.outputs)  # takes a list, whatever the model's own form is

        def outputs(*batches: Any) -> tuple[Any, ...]:
            found = keras.tree.flatten(flat(list(batches), training=False))
            return tuple(tf.cast(one, tf.float32) if one.dtype.is_floating else one for one in found)

        # called as it is, a small model takes twenty times as long as its graph, which is traced once for each shape
        self._outputs, self._graphs = tf.function(outputs, autograph=False), dict[Any, Any]()

    def feeds(self) -> tuple[Feed, ...]:
        """The model's inputs."""
        return self._feeds

    def run(self, *batches: Array) -> tuple[Array, ...]:
        """The model's outputs, in the order in which Keras lists them; all floating point numbers are float32."""
        with tf.device(self._device):
            given = [tf.constant(batch) for batch in batches]
            shapes = tuple((batch.shape, batch.dtype.str) for batch in batches)
            if shapes not in self._graphs:
                self._graphs[shapes] = self._outputs.get_concrete_function(*given)
            return tuple(one.numpy() for one in self._graphs[shapes](*given))

    def memory(self) -> int:
        """What TensorFlow's allocator has given out of the GPU."""
        return int(tf.config.experimental.get_memory_info(self._device)["current"]) if "GPU" in self._device else 0


def load(loading: Loading) -> KerasNetwork:
    """The file's model on its device.

    ModelError for a file that would run code of its own, DeviceMissing where TensorFlow cannot use the device.
    """
    if (backend := keras.backend.backend()) != "tensorflow":
        raise ModelError(
            f"model {loading.name!r}: Keras is set to run on {backend} here, not on TensorFlow; correct $KERAS_BACKEND "
            "or ~/.keras/keras.json."
        )
    assert not callable(loading.file)
    number = gpu_number(loading.device, "TensorFlow") if is_gpu(loading.device) else None
    check_architecture(loading.file, loading.name)
    # the first model of a process starts TensorFlow, and what that was started with stays
    with suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(loading.threads)
        tf.config.threading.set_inter_op_parallelism_threads(loading.threads)
    device = _use_cpu() if number is None else _use_gpu(number, loading)
    with tf.device(device):
        return KerasNetwork(keras.saving.load_model(loading.file, compile=False, safe_mode=True), device)


def _use_cpu() -> str:
    with suppress(RuntimeError):  # a GPU that another model of this process has already
        tf.config.set_visible_devices([], "GPU")  # TensorFlow takes the memory of all that it sees
    return "CPU:0"


def _use_gpu(number: int, loading: Loading) -> str:
    """Show TensorFlow this GPU alone, which it then calls its first."""
    there = tf.config.list_physical_devices("GPU")
    try:
        if number >= len(there):
            raise RuntimeError("it was built without CUDA, or misses CUDA's libraries")
        tf.config.set_visible_devices(there[number], "GPU")
        tf.config.experimental.set_memory_growth(there[number], True)
    except RuntimeError as error:
        raise DeviceMissing(
            f"{loading.name}: the configuration asks for {loading.device}, but TensorFlow cannot use it here "
            f"({str(error).rstrip('.')}); install tensorflow[and-cuda], give all models one device, or set the device "
            "to cpu."
        ) from error
    tf.config.experimental.enable_tensor_float_32_execution(False)  # fp32 is what was asked for
    tf.config.experimental.enable_op_determinism()  # the fastest kernel of the moment is another one on every start
    return "GPU:0"
