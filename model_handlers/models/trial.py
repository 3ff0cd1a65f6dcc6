"""A trial before a run: a model's file, its codec and its entry in the catalogue must fit each other."""

from typing import Any

from model_handlers.errors import ModelError
from model_handlers.frameworks.devices import DeviceMissing
from model_handlers.frameworks.loading import is_installed
from model_handlers.frameworks.network import Feed
from model_handlers.interface import EXPRESSIONS, Array, Detections, Input, Plates, Request, parts
from model_handlers.models.catalogue import Entry
from model_handlers.models.codecs import codec
from model_handlers.models.examples import example
from model_handlers.models.handlers import Placement, handler

# what decode must give for one example, where that is one array
_SHAPES = {"keypoints": (17, 3), "expression": (len(EXPRESSIONS),), "cuts": (100,)}
_MESH = (468, 3)


def try_model(entry: Entry, placement: Placement = Placement()) -> None:
    """Run the model once on an example of its task.

    ModelError, in one sentence that names model and key, where file, codec and catalogue contradict each other. Nothing
    is tried on a machine without the device, or without the framework: the job then runs elsewhere.
    """
    if not is_installed(entry.framework):
        return
    made = codec(entry)
    given, context = made.encode(*example(entry.task))
    runs = handler(entry, placement)
    try:
        network = runs.load_model()
    except DeviceMissing:
        return
    except ModelError:
        raise
    except Exception as error:
        raise _misfit(entry, f"its file cannot be loaded: {_text(error)}; correct its sources") from error
    _check_input(entry, given, network.feeds())
    (answer,) = runs.run_inference([Request((given,), None)], network)
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


def _check_input(entry: Entry, given: Input, feeds: tuple[Feed, ...]) -> None:
    """What the codec makes must be what the file takes, where that says so: inputs, their types, their shapes."""
    made = parts(given)
    if feeds and len(feeds) != len(made):
        names = ", ".join(feed.name for feed in feeds)
        raise _misfit(
            entry,
            f"its file has {len(feeds)} inputs ({names}), and codec {entry.codec!r} makes {len(made)}; correct "
            "its sources",
        )
    for array, feed in zip(made, feeds, strict=False):
        shape = (None, *array.shape)
        fits = len(shape) == len(feed.shape) and all(
            wanted is None or wanted == own for own, wanted in zip(shape[1:], feed.shape[1:], strict=True)
        )
        if not fits or array.dtype.name != feed.dtype:
            raise _misfit(
                entry,
                f"codec {entry.codec!r} makes an input of {array.dtype.name} and the shape {shape}, its file takes "
                f"{feed.dtype} and the shape {feed.shape}; correct options.side (detector_side, where a stage sets "
                "that), codec or sources",
            )


def _check_result(entry: Entry, result: Any) -> None:
    """The result for one example must be what the task's codecs give."""
    if entry.dimension is not None:
        if result.shape != (entry.dimension,):
            raise ModelError(f"{wrong_dimension(entry, result)}; correct dimension.")
        return
    if isinstance(result, Detections | Plates | float):
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
