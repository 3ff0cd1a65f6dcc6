"""The codec of an entry of the catalogue."""

from model_handlers import named
from model_handlers.codecs import CODECS
from model_handlers.errors import ModelError
from model_handlers.interface import Codec
from model_handlers.models.catalogue import Entry


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
