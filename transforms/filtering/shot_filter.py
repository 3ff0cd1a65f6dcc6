"""A filter of shots: what it measures of a frame, and the one score that it makes of all of them.

It is found by name, or as `module:attribute` of one's own. The configuration has the limits that the score must keep,
so that one and the same filter can ask for at least, or for at most, so much.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from model_handlers import named
from model_handlers.interface import Array, Pixels
from transforms.tables.reasons import Rejected

MOST_BYTES = 65_536  # of what is measured of a frame: what is as large as a frame must not be kept

_BUILT_IN = "transforms.filtering.built_in"
FILTERS = {
    name: f"{_BUILT_IN}:{name.upper()}"
    for name in ("dark", "blurred", "static", "letterbox", "text_overlay", "flat_colours")
}


def mean(measured: Sequence[Array]) -> float:
    """The mean of a number a frame, of those that are finite; NaN if none is."""
    values = np.asarray(measured, np.float64)
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if finite.size else float("nan")


@dataclass(frozen=True, slots=True)
class ShotFilter:
    """`measure` of each sampled frame, RGB uint8 (H,W,3), read-only; `score` of what it gave for all of them, in order.

    What `measure` gives is a number or an array of numbers, at most 65,536 bytes; the frame itself is then forgotten.
    Both depend on nothing but what they are given. A score that is not finite keeps no limit.
    """

    measure: Callable[[Pixels], Any]
    score: Callable[[Sequence[Array]], float] = mean


def load_filter(name: str) -> ShotFilter:
    """The filter of this name or place; ValueError if there is none."""
    found = named.load("filter", name, FILTERS)
    if not isinstance(found, ShotFilter):
        raise ValueError(f"filter {name!r}: this is a {type(found).__name__} and no ShotFilter.")
    return found


def measured(name: str, pixels: Pixels) -> Array:
    """What the filter measures of a frame; ValueError if that is not a few numbers, RuntimeError if it fails."""
    found = np.asarray(_ask(name, load_filter(name).measure, pixels))
    if found.dtype.kind not in "biuf" or found.nbytes > MOST_BYTES:
        raise ValueError(
            f"filter {name!r} measures {found.nbytes} bytes of {found.dtype} of a frame; it may be numbers, and "
            f"{MOST_BYTES} bytes of them"
        )
    return found


def score(name: str, frames: Sequence[Array]) -> float:
    """The filter's score of a shot, from what it measured of its frames; RuntimeError if it fails."""
    made = load_filter(name).score
    return float(_ask(name, lambda given: float(made(given)), frames))


def _ask(name: str, function: Callable[[Any], Any], given: Any) -> Any:
    """A stranger's function may raise anything; what it was is said with the filter's name."""
    try:
        return function(given)
    except (Rejected, MemoryError, OSError):  # these have a meaning of their own
        raise
    except Exception as error:
        said = " ".join(str(error).split())
        raise RuntimeError(f"filter {name!r}: {type(error).__name__}: {said}") from error
