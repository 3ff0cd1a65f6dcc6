"""Filters: what a face must also satisfy to be kept, by name, or as `module:attribute` of one's own.

A filter is a function of a row (Face or VideoFace) that says in a few words why the face is left out, or gives None.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, Field

from model_handlers import named
from transforms.tables.reasons import Rejected

Filter = Callable[[Any], str | None]

FILTERS = {name: f"{__name__}:{name}" for name in ("upright", "whole")}
_MOST_ROLL = 45.0  # degrees: beyond, the face lies
_EDGE = 1.0  # pixels


def upright(face: Any) -> str | None:
    """Leave out faces that lie: rolled by more than 45 degrees."""
    return f"rolled by {face.roll:.0f} degrees" if abs(face.roll) > _MOST_ROLL else None


def whole(face: Any) -> str | None:
    """Leave out faces of which a landmark lies outside of their crop: the picture ends there."""
    points = np.asarray(face.crop_landmarks)
    inside = (points >= -_EDGE).all() and (points <= face.side + _EDGE).all()
    return None if inside else "a landmark lies outside of the crop"


def load_filter(name: str) -> Filter:
    """The filter of this name or place; ValueError if there is none."""
    found = named.load("filter", name, FILTERS)
    if not callable(found):
        raise ValueError(f"filter {name!r}: this is a {type(found).__name__} and no function.")
    return found  # type: ignore[no-any-return]


def check_filters(names: Sequence[str], face: Any) -> None:
    """Rejected `filtered` with the filter's name and words if one of them leaves the face out."""
    for name in names:
        if why := load_filter(name)(face):
            raise Rejected("filtered", f"{name}: {why}")


def _is_there(name: str) -> str:
    load_filter(name)
    return name


Filters = Annotated[
    tuple[Annotated[str, AfterValidator(_is_there)], ...],
    Field(
        description="what a face must also satisfy, in order: upright, whole, or `module:attribute` of one's own, a "
        "function of a face that says why it is left out, or None"
    ),
]
