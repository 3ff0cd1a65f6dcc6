"""The headers of image files: how large a picture will be and what its numbers mean, before anything is decoded.

Each format's own module makes a copy of the file that holds the pixels and nothing else; only that is given to the one
decoder of the format, so that no other part of a file can cost its picture, or more memory than its pixels.
"""

import io
import struct
import warnings
from dataclasses import dataclass

from PIL import Image as Pillow
from PIL import UnidentifiedImageError

from transforms.images import avif
from transforms.images.gif import read_gif
from transforms.images.jpeg import Jpeg, plain_jpeg, read_jpeg
from transforms.images.jpeg_pixels import check_scans
from transforms.images.light import Light
from transforms.images.orientation import exif_orientation, upright_size
from transforms.images.png import Png, read_png
from transforms.images.profiles import is_srgb
from transforms.images.settings import AcceptSettings
from transforms.images.sniff import sniff
from transforms.images.tiff import Tiff, read_tiff
from transforms.images.webp import read_webp
from transforms.tables.reasons import Rejected

# our own cap is asked first, file by file; Pillow's is for the whole process
warnings.filterwarnings("ignore", category=Pillow.DecompressionBombWarning)
# what Pillow's readers are known to raise on damaged files
BROKEN = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    LookupError,
    TypeError,
    ArithmeticError,
    RuntimeError,
    struct.error,
)


@dataclass(frozen=True, slots=True, eq=False)
class Header:
    """What an image file says of itself; sizes are of the upright image, pixels.

    `plain`: RGB or grey, 8 bits, opaque, sRGB. `sound`: its container is well formed. `orientation`: EXIF's, 1 to 8.
    `profile`, `light`: its colour space, by ICC or by numbers; neither: sRGB. `facts`: what its format's module found.
    `opened`: by Pillow, not decoded; None for JPEG, which it does not decode.
    """

    format: str
    width: int
    height: int
    plain: bool = True
    sound: bool = True
    orientation: int = 1
    profile: bytes = b""
    light: Light | None = None
    facts: Jpeg | Png | Tiff | None = None
    opened: Pillow.Image | None = None


def read_header(data: bytes, accept: AcceptSettings) -> Header:
    """The header of an image that is let in; Rejected says why one is not."""
    kind = sniff(data)
    if kind not in accept.formats:
        raise Rejected("not_an_image", f"{kind} is not among the formats accepted")
    if kind == "jpeg" and (jpeg := plain_jpeg(data)):
        _check_size(jpeg.width, jpeg.height, accept)
        return Header("jpeg", jpeg.width, jpeg.height, facts=jpeg)
    read = {"jpeg": _jpeg, "png": _png, "webp": _webp, "gif": _gif, "bmp": _bmp, "tiff": _tiff, "avif": _avif}[kind]
    try:
        return read(data, accept)
    except Pillow.DecompressionBombError as bomb:
        raise Rejected("too_many_pixels", str(bomb)) from None
    except BROKEN as error:
        raise Rejected("broken_image", line(error)) from None


def _jpeg(data: bytes, accept: AcceptSettings) -> Header:
    jpeg = read_jpeg(data)
    _check_size(jpeg.width, jpeg.height, accept)
    if not jpeg.one_scan:
        check_scans(data, jpeg)
    orientation = exif_orientation(jpeg.exif)
    plain = jpeg.components in (1, 3) and is_srgb(jpeg.icc, "L" if jpeg.components == 1 else "RGB")
    size = upright_size(jpeg.width, jpeg.height, orientation)
    return Header("jpeg", *size, plain=plain, orientation=orientation, profile=jpeg.icc, facts=jpeg)


def _png(data: bytes, accept: AcceptSettings) -> Header:
    png = read_png(data)
    _check_size(png.width, png.height, accept)
    opened = _open(png.file, "png")
    orientation = exif_orientation(png.exif)
    light = None if png.light is None or png.light.is_srgb() else png.light
    return Header(
        "png",
        *upright_size(*opened.size, orientation),
        plain=_is_plain(opened, png.profile) and light is None and png.depth <= 8 and not png.key,
        sound=png.sound,
        orientation=orientation,
        profile=png.profile,
        light=light,
        facts=png,
        opened=opened,
    )


def _webp(data: bytes, accept: AcceptSettings) -> Header:
    webp = read_webp(data)
    _check_size(webp.width, webp.height, accept)  # the decoder makes room for two canvases when it opens the file
    opened = _open(webp.file, "webp")
    orientation = exif_orientation(webp.exif)
    return Header(
        "webp",
        *upright_size(*opened.size, orientation),
        plain=_is_plain(opened, webp.profile),
        sound=webp.sound,
        orientation=orientation,
        profile=webp.profile,
        opened=opened,
    )


def _tiff(data: bytes, accept: AcceptSettings) -> Header:
    tiff = read_tiff(data)
    if tiff.tile[0] * tiff.tile[1] > accept.max_pixels:  # the decoder makes room for a whole one
        raise Rejected("too_many_pixels", f"a tile of {tiff.tile[0]} x {tiff.tile[1]}")
    opened = _open(tiff.file, "tiff")
    _check_size(*opened.size, accept)
    size = upright_size(*opened.size, tiff.orientation)
    return Header(
        "tiff", *size, plain=False, orientation=tiff.orientation, profile=tiff.profile, facts=tiff, opened=opened
    )


def _avif(data: bytes, accept: AcceptSettings) -> Header:
    opened = _open(avif.only_pixels(data), "avif")
    _check_size(*opened.size, accept)
    # Pillow tells of irot and imir as if they were EXIF
    orientation = exif_orientation(opened.info.get("exif", b""))
    profile = opened.info.get("icc_profile", b"")
    light = None if profile else avif.light_of(data)
    return Header(
        "avif",
        *upright_size(*opened.size, orientation),
        plain=False,
        orientation=orientation,
        profile=profile,
        light=light,
        opened=opened,
    )


def _gif(data: bytes, accept: AcceptSettings) -> Header:
    gif = read_gif(data)
    _check_size(gif.width, gif.height, accept)
    opened = _open(gif.file, "gif")
    return Header("gif", *opened.size, plain=False, opened=opened)


def _bmp(data: bytes, accept: AcceptSettings) -> Header:
    opened = _open(data, "bmp")
    _check_size(*opened.size, accept)
    return Header("bmp", *opened.size, plain=False, opened=opened)


def _open(data: bytes, kind: str) -> Pillow.Image:
    try:
        return Pillow.open(io.BytesIO(data), formats=[kind.upper()])
    except UnidentifiedImageError:
        raise ValueError(f"a {kind} file whose header Pillow does not read") from None  # its own words have an address


def _is_plain(opened: Pillow.Image, profile: bytes) -> bool:
    return opened.mode in ("RGB", "L") and is_srgb(profile, opened.mode)


def _check_size(width: int, height: int, accept: AcceptSettings) -> None:
    if width * height > accept.max_pixels:
        raise Rejected("too_many_pixels", f"{width} x {height}")
    if width < 1 or height < 1:
        raise Rejected("broken_image", f"{width} x {height} pixels")
    if min(width, height) < accept.min_side:
        raise Rejected("too_small_image", f"{width} x {height}")
    if accept.max_aspect and max(width, height) > accept.max_aspect * min(width, height):
        raise Rejected("bad_aspect", f"{width} x {height}")


def line(error: BaseException) -> str:
    """An error in one line, for the ledger."""
    return f"{type(error).__name__}: {error}".splitlines()[0]
