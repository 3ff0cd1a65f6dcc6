"""ICC profiles: through them to sRGB, and whether that would change anything.

A profile is judged by what it does to colours, never by its name: "sRGB linear" is not sRGB, "c2" is. Its optional
floating-point transforms (D2B, B2D) are not used, as by browsers: thousands of steps fit into a few kilobytes of them,
and each would be computed for tens of thousands of colours.
"""

import io
from functools import lru_cache

import numpy as np
from PIL import Image as Pillow
from PIL import ImageCms

MAX_BYTES = 1 << 22  # of a profile; those of printing presses, the largest, have half as many
_SMALL = 65_536  # bytes of profiles that are judged and remembered; those of sRGB have a few thousand
_NEAR = 3  # levels of 255 that a profile may move a colour and still be sRGB; rounding and black points move 2
_MAX_TAGS = 100  # of a profile; Little CMS reads no more either
_UNREADABLE = (ImageCms.PyCMSError, OSError, ValueError)


def is_srgb(profile: bytes, mode: str) -> bool:
    """Whether pixels of this mode stay as they are: no profile, sRGB's, or none that fits and can be read."""
    return not profile or (mode in ("RGB", "L") and len(profile) <= _SMALL and _moves_nothing(profile, mode))


def to_srgb(image: Pillow.Image, profile: bytes) -> Pillow.Image | None:
    """An image of mode L, RGB or CMYK as RGB; None if the profile is broken, too long, or for another kind of image."""
    if len(profile) > MAX_BYTES:
        return None
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(_without_steps(profile)))
        return ImageCms.profileToProfile(image, source, _srgb(), outputMode="RGB")
    except _UNREADABLE:
        return None


def _without_steps(profile: bytes) -> bytes:
    """The profile with its tags D2B0 to D2B3 and B2D0 to B2D3 under a name that nobody looks for (ICC.1:2022, 7.3)."""
    count = min(int.from_bytes(profile[128:132], "big"), _MAX_TAGS)
    table = bytearray(profile[132 : 132 + 12 * count])
    for at in range(0, len(table), 12):
        if table[at : at + 3] == b"D2B" or table[at : at + 3] == b"B2D":
            table[at : at + 4] = b"none"
    return profile[:132] + table + profile[132 + len(table) :]


def lab_to_srgb(image: Pillow.Image) -> Pillow.Image:
    """An image of mode LAB as RGB."""
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB"))
    converted = ImageCms.profileToProfile(image, lab, _srgb(), outputMode="RGB")
    assert converted is not None  # only with inPlace
    return converted


@lru_cache(maxsize=1)
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


@lru_cache(maxsize=64)
def _moves_nothing(profile: bytes, mode: str) -> bool:
    colours = _colours()
    if mode == "L":
        converted = to_srgb(Pillow.fromarray(colours[..., 0]), profile)
    else:
        converted = to_srgb(Pillow.fromarray(colours), profile)
    if converted is None:
        return True
    wanted = colours if mode == "RGB" else np.repeat(colours[..., :1], 3, axis=2)
    return bool(np.abs(np.asarray(converted).astype(int) - wanted).max() <= _NEAR)


@lru_cache(maxsize=1)
def _colours() -> np.ndarray:
    """(1,N,3) uint8: a grid over all colours, and all greys."""
    steps = np.arange(0, 256, 51, dtype=np.uint8)
    grid = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(1, -1, 3)
    greys = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(1, -1, 3)
    return np.concatenate([grid, greys], axis=1)
