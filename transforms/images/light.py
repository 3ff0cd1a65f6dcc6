"""Colour spaces that a file names by numbers (PNG's gAMA, cHRM and cICP; AVIF's nclx), and the way from them to sRGB.

Numbers become light by the transfer curve, light of one set of primaries becomes light of another by a matrix, and
light becomes sRGB's numbers.
"""

from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np

from model_handlers.interface import Array, Pixels
from transforms.images.tone import HLG, PQ, to_standard

# chromaticities x, y of red, green, blue and white, by their number in ITU-T H.273
Primaries = tuple[float, float, float, float, float, float, float, float]
SRGB: Primaries = (0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290)
_PRIMARIES: dict[int, Primaries] = {
    1: SRGB,
    5: (0.64, 0.33, 0.29, 0.60, 0.15, 0.06, 0.3127, 0.3290),
    6: (0.63, 0.34, 0.31, 0.595, 0.155, 0.07, 0.3127, 0.3290),
    7: (0.63, 0.34, 0.31, 0.595, 0.155, 0.07, 0.3127, 0.3290),
    9: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, 0.3127, 0.3290),
    11: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.314, 0.351),
    12: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.3127, 0.3290),
}
# Exponents by number in H.273; 0 stands for sRGB's own curve. The curves of BT.709 and BT.601 (1, 6, 14, 15) are those
# of cameras: what they made is shown as it is, in pictures as in films.
_EXPONENTS = {1: 0.0, 6: 0.0, 13: 0.0, 14: 0.0, 15: 0.0, 4: 2.2, 5: 2.8, 8: 1.0}
_SRGB_EXPONENT = 2.2
_NEAR = 0.05  # share of 2.2 within which an exponent is what writers put down for sRGB (libpng's threshold)
_SAME = 0.01  # of a chromaticity (libpng's tolerance for sRGB's)
_STEPS = 4096  # between black and white, by the square root of light: dark light needs the finer steps
_ROWS = 1 << 20  # pixels that are converted at a time
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


@dataclass(frozen=True, slots=True)
class Light:
    """A colour space: `exponent` of numbers to light, 0 for sRGB's curve; or `high_range`, the number of PQ or HLG."""

    primaries: Primaries
    exponent: float = 0.0
    high_range: int = 0

    def is_srgb(self) -> bool:
        """Whether numbers stay as they are."""
        near = max(abs(one - other) for one, other in zip(self.primaries, SRGB, strict=True)) <= _SAME
        return near and not self.exponent and not self.high_range


def by_gamma(gamma: int, primaries: Primaries | None) -> Light | None:
    """The light of PNG's gAMA, 100,000 over the exponent, and cHRM; None for values that say nothing."""
    if not 5_000 <= gamma <= 500_000:  # exponents of 0.2 to 20
        return None
    exponent = 100_000 / gamma
    near = abs(exponent / _SRGB_EXPONENT - 1) <= _NEAR
    return Light(primaries or SRGB, 0.0 if near else exponent)


def by_codes(primaries: int, transfer: int) -> Light | None:
    """The light of two numbers of H.273; None where one is unknown here, or says that it is unknown."""
    if transfer in (PQ, HLG) and primaries in _PRIMARIES:
        return Light(_PRIMARIES[primaries], high_range=transfer)
    if primaries not in _PRIMARIES or transfer not in _EXPONENTS:
        return None
    return Light(_PRIMARIES[primaries], _EXPONENTS[transfer])


def readable(primaries: Primaries) -> bool:
    """Whether chromaticities span a triangle with white inside: others are nonsense, or made to divide by zero."""
    if min(primaries[1::2]) < 1e-3 or max(primaries) > 1:
        return False
    columns = _xyz(primaries)
    if abs(np.linalg.det(columns)) < 1e-3:
        return False
    return bool((np.linalg.solve(columns, _white(primaries)) > 1e-3).all())


def to_srgb(image: Pixels, light: Light) -> Pixels:
    """The image (H,W,3) uint8 in sRGB, some rows at a time; PQ and HLG in the range of a common display.

    High range is taken for BT.2020's primaries, with which it nearly always comes.
    """
    if light.is_srgb():
        return image
    rows = max(1, _ROWS // image.shape[1])
    out = np.empty_like(image)
    for top in range(0, len(image), rows):
        part = image[top : top + rows]
        if light.high_range:
            out[top : top + rows] = to_standard(part.astype(np.uint16) * 257, light.high_range)
        else:
            linear = np.clip(_light_of(light.exponent)[part] @ _to_srgb(light.primaries).T, 0, 1)
            out[top : top + rows] = _numbers()[np.rint(np.sqrt(linear) * (_STEPS - 1)).astype(np.uint16)]
    return out


@lru_cache(maxsize=16)
def _light_of(exponent: float) -> Array:
    """(256,) float32: the light of each number."""
    number = np.arange(256) / 255
    if not exponent:
        return np.where(number <= 0.04045, number / 12.92, ((number + 0.055) / 1.055) ** 2.4).astype(np.float32)
    return np.power(number, exponent).astype(np.float32)


@cache
def _numbers() -> Pixels:
    """(_STEPS,) sRGB's numbers for square roots of light (IEC 61966-2-1)."""
    light = (np.arange(_STEPS) / (_STEPS - 1)) ** 2
    number = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    numbers: Pixels = np.rint(255 * number).astype(np.uint8)
    return numbers


@lru_cache(maxsize=16)
def _to_srgb(primaries: Primaries) -> Array:
    """(3,3) float32: light of these primaries in sRGB's, white adapted after Bradford."""
    scale = (_BRADFORD @ _white(SRGB)) / (_BRADFORD @ _white(primaries))
    adapted = np.linalg.inv(_BRADFORD) @ np.diag(scale) @ _BRADFORD
    matrix: Array = (np.linalg.inv(_to_xyz(SRGB)) @ adapted @ _to_xyz(primaries)).astype(np.float32)
    return matrix


def _to_xyz(primaries: Primaries) -> Array:
    columns = _xyz(primaries)
    return columns * np.linalg.solve(columns, _white(primaries))


def _xyz(primaries: Primaries) -> Array:
    """(3,3): the colours of red, green and blue in columns, each of brightness 1."""
    return np.array([(x / y, 1, (1 - x - y) / y) for x, y in zip(primaries[0:6:2], primaries[1:6:2], strict=True)]).T


def _white(primaries: Primaries) -> Array:
    x, y = primaries[6:]
    return np.array([x / y, 1, (1 - x - y) / y])
