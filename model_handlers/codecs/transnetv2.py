"""TransNetV2: transitions between shots (T. Soucek, J. Lokoc, TransNet V2, 2020)."""

import numpy as np

from model_handlers.interface import Array, Codec

SHAPE = (100, 27, 48, 3)


def codec() -> Codec:
    """The probability of each frame of a window that it is part of a transition."""
    return Codec("cuts", encode, decode, version=1)


def encode(window: Array) -> tuple[Array, None]:
    """(100,27,48,3) uint8 RGB, as it is; ValueError for another window."""
    if window.shape != SHAPE or window.dtype != np.uint8:
        raise ValueError(f"a window is uint8 {SHAPE}, not {window.dtype} {window.shape}")
    return window, None


def decode(outputs: tuple[Array, ...], context: None) -> Array:
    """Output: (100,)."""
    return outputs[0].astype(np.float32)
