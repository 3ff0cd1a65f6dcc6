"""Frames of high dynamic range as the standard range that models and viewers of files expect.

The white of graphics, 203 candela per square metre (ITU-R BT.2408), becomes nearly white, and what is brighter still
keeps its order and its hue.
"""

from functools import cache
from typing import Any, cast

import numpy as np

from model_handlers.interface import Pixels

Codes = np.ndarray[Any, np.dtype[np.uint16]]
Floats = np.ndarray[Any, np.dtype[np.float32]]
PQ, HLG = 16, 18  # transfer characteristics by their numbers in ITU-T H.273
_WHITE = 203.0  # candela per square metre
_HLG_PEAK = 1000.0  # of the display that HLG is graded on, where its system gamma is 1.2 (BT.2100)
_KNEE = 0.8  # from here on, in shares of white, light is compressed
_GAMMA = 2.4  # of the display of standard range (BT.1886)
_STEPS = 4096  # between black and white, before it becomes 8 bits
# light of the primaries of BT.709 in those of BT.2020 (BT.2087)
_FROM_709 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
_TO_709 = np.linalg.inv(_FROM_709).astype(np.float32)
_LUMINANCE = np.array([0.2627, 0.6780, 0.0593], dtype=np.float32)  # BT.2020


def to_standard(codes: Codes, transfer: int) -> Pixels:
    """RGB (H,W,3) uint8, BT.709, of RGB (H,W,3) uint16 over the full range, BT.2020, coded by PQ or HLG."""
    light = _light(transfer)[codes]
    if transfer == HLG:
        light *= (light @ _LUMINANCE)[..., None] ** np.float32(0.2) * np.float32(_HLG_PEAK / _WHITE)
    light = np.maximum(light @ _TO_709.T, 0)
    brightest = light.max(axis=2)
    over = brightest > _KNEE
    light[over] *= (_compressed(brightest[over]) / brightest[over])[:, None]
    return cast(Pixels, _codes_of_roots()[np.rint(np.sqrt(light) * (_STEPS - 1)).astype(np.uint16)])


def _compressed(light: Floats) -> Floats:
    """Light above the knee, of which any amount stays below white; smooth at the knee."""
    room = np.float32(1 - _KNEE)
    return cast(Floats, np.float32(1) - room * np.exp((np.float32(_KNEE) - light) / room))


@cache
def _light(transfer: int) -> Floats:
    """(65536,) light of each code: for PQ in shares of white on the display, for HLG of the scene, 0 to 1 (BT.2100)."""
    code = np.arange(65_536) / 65_535
    if transfer == HLG:
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        return np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12).astype(np.float32)
    root = code ** (32 / 2523)
    ratio = np.maximum(root - 3424 / 4096, 0) / (2413 / 128 - 2392 / 128 * root)
    return (10_000 / _WHITE * ratio ** (16_384 / 2610)).astype(np.float32)


@cache
def _codes_of_roots() -> Pixels:
    """(_STEPS,) the 8 bits for square roots of light between black and white: dark light needs the finer steps."""
    return np.rint(255 * (np.arange(_STEPS) / (_STEPS - 1)) ** (2 / _GAMMA)).astype(np.uint8)
