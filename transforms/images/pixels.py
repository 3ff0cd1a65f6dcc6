"""Encoded images of rows, to pixels and back."""

from model_handlers.interface import Pixels
from transforms.images.decode import decode
from transforms.images.encode import encode
from transforms.images.header import read_header
from transforms.images.settings import AcceptSettings
from transforms.tables.reasons import Rejected

# a run folder may come from elsewhere: its images get no more trust than those of the network
_ACCEPT = AcceptSettings()


def open_image(data: bytes) -> Pixels:
    """The pixels of a row's image, RGB uint8 (H,W,3); Rejected `broken_image`, or `too_many_pixels` by the header."""
    try:
        return decode(data, read_header(data, _ACCEPT))
    except Rejected as rejected:
        if rejected.code == "not_an_image":
            raise Rejected("broken_image", rejected.detail) from None
        raise


def to_jpeg(image: Pixels, quality: int) -> bytes:
    """The image as a JPEG file; the same bytes for the same pixels."""
    return encode(image, "jpeg", quality)
