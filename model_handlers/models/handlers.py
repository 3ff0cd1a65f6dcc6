"""From an entry of the catalogue to what runs it and what reads it."""

from functools import partial
from typing import TYPE_CHECKING, Any

from model_handlers import named
from model_handlers.codecs import CODECS
from model_handlers.errors import ModelError
from model_handlers.interface import Answer, Codec, Request
from model_handlers.models import store
from model_handlers.models.catalogue import Entry

if TYPE_CHECKING:
    from apache_beam.ml.inference.base import ModelHandler


def handler(
    entry: Entry, *, device: str = "cpu", batch_size: int | None = None, threads: int = 1
) -> "ModelHandler[Request, Answer, Any]":
    """The handler of the entry's framework for RunInference; it fetches and loads the model on the worker.

    `batch_size`: examples at a time; None for the catalogue's on a GPU and for one on a CPU, where the time is linear
    in the examples and padding would be work for nothing. ModelError for a framework without a handler.
    """
    # whoever starts a run answers for the licence, before any worker loads the model
    path = partial(store.ensure, entry, accept_noncommercial=True)
    size = batch_size or (1 if device == "cpu" else entry.batch_size)
    if entry.framework == "onnx":
        from model_handlers.frameworks.onnx import OnnxHandler

        return OnnxHandler(path, name=entry.name, batch_size=size, device=device, threads=threads)
    raise ModelError(f"model {entry.name!r} runs in {entry.framework}, for which there is no handler yet.")


def numbers_from(entry: Entry) -> dict[str, Any]:
    """All of a catalogue's entry that the model's numbers depend on, as plain data.

    That is the file, the codec with its version (None where there is no such codec yet), and the codec's options.
    """
    return {
        "sha256": entry.sha256,
        "codec": entry.codec,
        "codec_version": codec(entry).version if entry.codec_is_here() else None,
        "options": entry.options,
        "dimension": entry.dimension,
    }


def codec(entry: Entry) -> Codec:
    """The codec of the entry, made with its options.

    ModelError when there is no such codec, when it is for another task, or when an option does not suit it.
    """
    try:
        make = named.load("codec", entry.codec, CODECS)
        made = make(**entry.options)
    except TypeError as error:
        raise ModelError(
            f"model {entry.name!r}: codec {entry.codec!r} does not take all of its options: {', '.join(entry.options)}."
        ) from error
    except ValueError as error:
        raise ModelError(f"model {entry.name!r}: {str(error).rstrip('.')}.") from error
    except Exception as error:  # a codec may come from anywhere
        raise ModelError(
            f"model {entry.name!r}: codec {entry.codec!r} fails: {type(error).__name__}: {error}."
        ) from error
    if not isinstance(made, Codec):
        raise ModelError(f"model {entry.name!r}: codec {entry.codec!r} gives a {type(made).__name__} and no Codec.")
    if made.task != entry.task:
        raise ModelError(
            f"model {entry.name!r}: its task is {entry.task}, but codec {entry.codec!r} is for {made.task}."
        )
    return made
