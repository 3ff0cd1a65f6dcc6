"""The formats of a bundle by name."""

import re

from model_handlers import named
from transforms.bundle.sink import Format

FORMATS = {name: f"{__package__}.{name}:FORMAT" for name in ("recordio", "webdataset", "tfrecord", "arcface")}
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")


def load_format(name: str) -> Format:
    """The format of this name, or at this place `module:attribute`; ValueError if there is none."""
    found = named.load("sink", name, FORMATS)
    if not isinstance(found, Format):
        raise ValueError(f"sink {name!r}: this is a {type(found).__name__} and no Format.")
    if not _NAME.fullmatch(found.name):
        raise ValueError(f"sink {name!r}: {found.name!r} is no name of a folder (small letters, digits, - and _).")
    return found
