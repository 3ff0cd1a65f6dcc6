"""Pixels of image files as upright sRGB, whatever the file's format, colours and orientation."""

import numpy as np
from PIL import Image as Pillow
from PIL import ImageCms

from model_handlers.interface import Pixels
from transforms.images import light, profiles
from transforms.images.channels import colour_and_alpha
from transforms.images.header import BROKEN, Header, line
from transforms.images.jpeg import Jpeg
from transforms.images.jpeg_pixels import Channels, decode_jpeg
from transforms.images.orientation import turn
from transforms.tables.reasons import Rejected

_CHANNELS: dict[int, Channels] = {1: "GRAY", 4: "CMYK"}
_WHITE = (255, 255, 255)


def decode(data: bytes, header: Header, at_least: tuple[int, int] | None = None) -> Pixels:
    """The first frame as upright sRGB (H,W,3) uint8, alpha on white; Rejected `broken_image` if that fails.

    With `at_least` (width, height, of the upright image) a JPEG may come at 1/2, 1/4 or 1/8, but never below that.
    """
    if isinstance(header.facts, Jpeg):
        pixels, _ = decode_jpeg(data, header.facts, _channels(header), _scale(header, at_least))
        return turn(pixels if header.plain else _srgb_of_jpeg(pixels, header), header.orientation)
    colour, alpha = _decode_pillow(header)
    return turn(_on_white(_to_srgb(colour, header), alpha), header.orientation)


def is_sound(data: bytes, header: Header) -> bool:
    """Whether decoders have nothing to complain of, found by decoding; Rejected `broken_image` if that fails."""
    if isinstance(header.facts, Jpeg):
        # small and without colour: every coefficient is still read, and that is all that is wanted
        return decode_jpeg(data, header.facts, "CMYK" if header.facts.components == 4 else "GRAY", 8)[1]
    _decode_pillow(header)
    return header.sound


def _channels(header: Header) -> Channels:
    assert isinstance(header.facts, Jpeg)
    return "RGB" if header.plain else _CHANNELS.get(header.facts.components, "RGB")


def _scale(header: Header, at_least: tuple[int, int] | None) -> int:
    if at_least is None:
        return 1
    room = min(header.width / max(1, at_least[0]), header.height / max(1, at_least[1]))
    return next((scale for scale in (8, 4, 2) if room >= scale), 1)


def _srgb_of_jpeg(pixels: Pixels, header: Header) -> Pixels:
    """Stored grey (H,W,1), colour (H,W,3) or CMYK (H,W,4) as sRGB; Adobe stores CMYK inverted."""
    assert isinstance(header.facts, Jpeg)
    if pixels.shape[2] == 4:
        ink = 255 - pixels if header.facts.adobe is not None else pixels
        return _to_srgb(Pillow.frombytes("CMYK", ink.shape[1::-1], ink.tobytes()), header)
    return _to_srgb(Pillow.fromarray(pixels if pixels.shape[2] == 3 else pixels[..., 0]), header)


def _decode_pillow(header: Header) -> tuple[Pillow.Image, Pillow.Image | None]:
    """Colour and alpha as they are stored."""
    assert header.opened is not None
    assert not isinstance(header.facts, Jpeg)
    try:
        header.opened.load()
        return colour_and_alpha(header.opened, header.facts)
    except Pillow.DecompressionBombError as bomb:
        raise Rejected("too_many_pixels", str(bomb)) from None
    except BROKEN as error:
        raise Rejected("broken_image", line(error)) from None


def _to_srgb(image: Pillow.Image, header: Header) -> Pixels:
    """An image of mode L, RGB, CMYK or LAB by its colour space; a profile that cannot be used is as none."""
    try:
        if image.mode == "LAB":
            image = profiles.lab_to_srgb(image)
        elif header.profile and not profiles.is_srgb(header.profile, image.mode):
            image = profiles.to_srgb(image, header.profile) or image
    except ImageCms.PyCMSError as error:
        raise Rejected("broken_image", line(error)) from None
    pixels = np.asarray(image.convert("RGB"))
    return pixels if header.light is None else light.to_srgb(pixels, header.light)


def _on_white(pixels: Pixels, alpha: Pillow.Image | None) -> Pixels:
    if alpha is None:
        return pixels
    white = Pillow.new("RGB", alpha.size, _WHITE)
    white.paste(Pillow.fromarray(pixels), mask=alpha)
    return np.asarray(white)
