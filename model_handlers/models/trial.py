"""A trial before a run: a model's file, its codec and its entry in the catalogue must fit each other."""

from importlib.util import find_spec
from typing import Any

import numpy as np

from model_handlers.errors import ModelError
from model_handlers.frameworks.onnx import DeviceMissing
from model_handlers.interface import EXPRESSIONS, Array, Detections, Request
from model_handlers.models.catalogue import Entry
from model_handlers.models.handlers import codec, handler

_SIDE = 96  # of the example image, pixels
_LANDMARKS = np.array([(34, 40), (62, 40), (48, 56), (37, 70), (59, 70)], dtype=np.float32)
# what decode must give for one example, where that is one array
_SHAPES = {"keypoints": (17, 3), "expression": (len(EXPRESSIONS),), "cuts": (100,)}
_MESH = (468, 3)
_TYPES = {"float32": "float", "float64": "double"}  # ONNX Runtime's names, where they differ from NumPy's


def example(task: str) -> tuple[Any, ...]:
    """Arguments for the `encode` of a task's codec: a picture of fixed noise, and where a face would lie in it."""
    noise = np.random.default_rng(1).integers(0, 256, (_SIDE, _SIDE, 3), dtype=np.uint8)
    if task == "cuts":
        return (np.broadcast_to(noise[:27, :48], (100, 27, 48, 3)),)
    more: dict[str, tuple[Any, ...]] = {
        "keypoints": (np.array([8, 8, 88, 88], dtype=np.float32),),
        "mesh": (_LANDMARKS,),
        "embedding": (_LANDMARKS, None),
        "expression": (_LANDMARKS,),
    }
    return (noise, *more.get(task, ()))


def try_model(entry: Entry, device: str = "cpu") -> None:
    """Run the model once on an example of its task.

    ModelError, in one sentence that names model and key, where file, codec and catalogue contradict each other. Nothing
    is tried on a machine without the device, or without ONNX Runtime: the job then runs elsewhere.
    """
    if find_spec("onnxruntime") is None:
        return
    made = codec(entry)
    given, context = made.encode(*example(entry.task))
    runs = handler(entry, device=device)
    try:
        session = runs.load_model()
    except DeviceMissing:
        return
    except ModelError:
        raise
    except Exception as error:
        raise _misfit(entry, f"its file cannot be loaded: {_text(error)}; correct its sources") from error
    _check_input(entry, given, session.get_inputs())
    (answer,) = runs.run_inference([Request((given,), None)], session)
    if answer.error is not None:
        raise _misfit(entry, f"its file fails on an example of codec {entry.codec!r}: {answer.error}")
    (outputs,) = answer.outputs
    try:
        result = made.decode(outputs, context)
    except Exception as error:
        shapes = ", ".join(str(output.shape) for output in outputs)
        raise _misfit(
            entry,
            f"codec {entry.codec!r} cannot read the file's {len(outputs)} outputs, {shapes} an example "
            f"({_text(error)}); correct codec or sources",
        ) from error
    _check_result(entry, result)


def wrong_dimension(entry: Entry, vector: Array) -> str:
    """The sentence for an embedding whose length is not the catalogue's."""
    shown = str(vector.size) if vector.ndim == 1 else f"shape {vector.shape}"
    return (
        f"model {entry.name!r}: its dimension in the catalogue is {entry.dimension}, its file gives vectors of {shown}"
    )


def _check_input(entry: Entry, given: Array, inputs: list[Any]) -> None:
    """What the codec makes must be what the file takes: one input, of this type and shape behind the batch axis."""
    if len(inputs) != 1:
        names = ", ".join(one.name for one in inputs)
        raise _misfit(entry, f"its file has {len(inputs)} inputs ({names}), and one is fed; correct its sources")
    (wanted,) = inputs
    made, known = (None, *given.shape), wanted.shape
    fits = len(made) == len(known) and all(
        not isinstance(size, int) or size == own for own, size in zip(made[1:], known[1:], strict=True)
    )
    kind = _TYPES.get(given.dtype.name, given.dtype.name)
    if not fits or wanted.type != f"tensor({kind})":
        takes = f"{wanted.type} of the shape {tuple(known)}"
        raise _misfit(
            entry,
            f"codec {entry.codec!r} makes an input tensor({kind}) of the shape {made}, its file takes {takes}; correct "
            "options.side (detector_side, where a stage sets that), codec or sources",
        )


def _check_result(entry: Entry, result: Any) -> None:
    """The result for one example must be what the task's codecs give."""
    if entry.dimension is not None:
        if result.shape != (entry.dimension,):
            raise ModelError(f"{wrong_dimension(entry, result)}; correct dimension.")
        return
    if isinstance(result, Detections | float):
        return
    array, shape = (result[0], _MESH) if entry.task == "mesh" else (result, _SHAPES[entry.task])
    if array.shape != shape:
        raise _misfit(
            entry,
            f"codec {entry.codec!r} reads {array.shape} numbers off its file, not {shape}; correct codec or sources",
        )


def _misfit(entry: Entry, why: str) -> ModelError:
    return ModelError(f"model {entry.name!r}: {why}.")


def _text(error: Exception) -> str:
    return (" ".join(str(error).split()) or type(error).__name__)[:300]
