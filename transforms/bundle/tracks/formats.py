"""The formats of tracks by name."""

import re

from model_handlers import named
from transforms.bundle.tracks.format import TrackFormat

FORMATS = {name: f"{__package__}.{name}:FORMAT" for name in ("trackverse", "mot", "coco_video")}
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")


def load_format(name: str) -> TrackFormat:
    """The format of this name, or at this place `module:attribute`; ValueError if there is none."""
    found = named.load("format", name, FORMATS)
    if not isinstance(found, TrackFormat):
        raise ValueError(f"format {name!r}: this is a {type(found).__name__} and no TrackFormat.")
    if not _NAME.fullmatch(found.name):
        raise ValueError(f"format {name!r}: {found.name!r} is no name of a folder (small letters, digits, - and _).")
    return found
