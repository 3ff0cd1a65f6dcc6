"""Image files of strangers: what they are, by their first bytes and header, and their pixels as upright sRGB.

Nothing is decoded before the header has said how large it will be. Formats are told by content; each file is given to
one decoder only, that of the format it claims.
"""

import io
import struct
import warnings
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from PIL import Image as Pillow
from PIL import ImageCms

from model_handlers.interface import Pixels
from transforms.media.jpeg import plain_jpeg_size
from transforms.media.settings import AcceptSettings
from transforms.tables.reasons import Rejected

# our own cap is asked first, file by file; Pillow's is for the whole process
warnings.filterwarnings("ignore", category=Pillow.DecompressionBombWarning)
_MAX_SCANS = 200  # of a progressive JPEG; each costs a pass over all pixels, and no encoder makes a tenth of them
_ORIENTATION = 0x0112  # EXIF tag
_SMALL_PROFILE = 65_536  # bytes; those of sRGB have a few thousand
_TAIL = 64  # bytes after a JPEG's end marker that are no sign of truncation
# the flags for grey are those of the scale alone; the ones for colour would mean BGR and contradict COLOR_RGB
_REDUCED = {2: cv2.IMREAD_REDUCED_GRAYSCALE_2, 4: cv2.IMREAD_REDUCED_GRAYSCALE_4, 8: cv2.IMREAD_REDUCED_GRAYSCALE_8}
# what Pillow's decoders are known to raise on damaged files
_BROKEN = (
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
# the orientations 2 to 8 of EXIF as (transpose, flip code of cv2 or None)
_UPRIGHT: dict[int, tuple[bool, int | None]] = {
    2: (False, 1),
    3: (False, -1),
    4: (False, 0),
    5: (True, None),
    6: (True, 1),
    7: (True, -1),
    8: (True, 0),
}


@dataclass(frozen=True, slots=True, eq=False)
class Header:
    """What an image file says of itself; sizes are of the upright image, pixels.

    `plain`: RGB or grey, 8 bits, opaque, sRGB. `orientation`: EXIF's, 1 to 8. `opened`: by Pillow, not decoded; None
    where the header could be read without it.
    """

    format: str
    width: int
    height: int
    orientation: int
    plain: bool
    opened: Pillow.Image | None


def sniff(data: bytes) -> str:
    """The format by the first bytes, lower case; Rejected `not_an_image` for what is none of those known."""
    head = data[:16]
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return "gif"
    if head[4:12] in (b"ftypavif", b"ftypavis"):
        return "avif"
    if head[:4] in (b"II*\0", b"MM\0*"):
        return "tiff"
    if head[:2] == b"BM" and head[6:10] == b"\0\0\0\0":
        return "bmp"
    raise Rejected("not_an_image", f"starts with {head!r}" if head else "no bytes")


def read_header(data: bytes, accept: AcceptSettings) -> Header:
    """The header of an image that is let in; Rejected says why one is not."""
    kind = sniff(data)
    if kind not in accept.formats:
        raise Rejected("not_an_image", f"{kind} is not among the formats accepted")
    if kind == "jpeg" and (size := plain_jpeg_size(data)):
        _check_size(*size, accept)
        return Header(kind, *size, orientation=1, plain=True, opened=None)
    try:
        opened = _open(data, kind)
        _check_size(*opened.size, accept)
        orientation = _orientation(opened)
    except Pillow.DecompressionBombError as bomb:
        raise Rejected("too_many_pixels", str(bomb)) from None
    except _BROKEN as error:
        raise Rejected("broken_image", _line(error)) from None
    width, height = opened.size if orientation < 5 else opened.size[::-1]
    if kind == "jpeg" and "progressive" in opened.info and data.count(b"\xff\xda") > _MAX_SCANS:
        raise Rejected("broken_image", f"more than {_MAX_SCANS} scans")
    opaque = opened.mode in ("RGB", "L") and "transparency" not in opened.info
    plain = opaque and _is_srgb(opened.info.get("icc_profile", b""))
    return Header(kind, width, height, orientation, plain, opened)


def _open(data: bytes, kind: str) -> Pillow.Image:
    return Pillow.open(io.BytesIO(data), formats=[kind.upper()])


def _check_size(width: int, height: int, accept: AcceptSettings) -> None:
    if width * height > accept.max_pixels:
        raise Rejected("too_many_pixels", f"{width} x {height}")
    if width < 1 or height < 1:
        raise Rejected("broken_image", f"{width} x {height} pixels")
    if min(width, height) < accept.min_side:
        raise Rejected("too_small_image", f"{width} x {height}")
    if accept.max_aspect and max(width, height) > accept.max_aspect * min(width, height):
        raise Rejected("bad_aspect", f"{width} x {height}")


def _orientation(opened: Pillow.Image) -> int:
    if opened.format == "PNG" and "exif" not in opened.info:
        return 1  # Pillow would decode all pixels to look for EXIF data behind them
    try:
        value = opened.getexif().get(_ORIENTATION, 1)
    except _BROKEN:
        return 1  # a broken EXIF block says nothing of the pixels
    return value if value in _UPRIGHT else 1


def decode(data: bytes, header: Header, at_least: tuple[int, int] | None = None) -> Pixels:
    """The first frame as upright sRGB (H,W,3) uint8, alpha on white; Rejected `broken_image` if that fails.

    With `at_least` (width, height, of the upright image) a JPEG may come at 1/2, 1/4 or 1/8, but never below that.
    """
    scale = _scale(header, at_least) if header.format == "jpeg" else 1
    # what does not end as a JPEG ends goes to Pillow, which tells truncated data from trailing data
    if header.format == "jpeg" and header.plain and b"\xff\xd9" in data[-_TAIL:]:
        image = _decode_cv2(data, scale)
        if image is not None:
            return _turn(image, header.orientation)
    try:
        opened = header.opened or _open(data, header.format)
        return _turn(_decode_pillow(opened, scale), header.orientation)
    except Pillow.DecompressionBombError as bomb:
        raise Rejected("too_many_pixels", str(bomb)) from None
    except (*_BROKEN, ImageCms.PyCMSError) as error:
        raise Rejected("broken_image", _line(error)) from None


def _scale(header: Header, at_least: tuple[int, int] | None) -> int:
    if at_least is None:
        return 1
    room = min(header.width / max(1, at_least[0]), header.height / max(1, at_least[1]))
    return next((scale for scale in (8, 4, 2) if room >= scale), 1)


def _decode_cv2(data: bytes, scale: int) -> Pixels | None:
    flags = _REDUCED.get(scale, 0) | cv2.IMREAD_IGNORE_ORIENTATION | cv2.IMREAD_COLOR_RGB
    try:
        return cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        return None


def _decode_pillow(opened: Pillow.Image, scale: int) -> Pixels:
    if scale > 1:
        opened.draft(None, (opened.width // scale, opened.height // scale))
    opened.load()
    return np.asarray(_to_srgb(_eight_bits(opened)))


def _eight_bits(image: Pillow.Image) -> Pillow.Image:
    """Grey of 16 or 32 bits as 8, the upper ones; other modes as they are."""
    if image.mode.startswith("I"):
        wide = np.asarray(image).astype(np.int64).clip(0, 65535)
        return Pillow.fromarray((wide >> 8).astype(np.uint8))
    if image.mode == "F":
        raise ValueError("pixels are floating-point numbers of unknown range")
    return image


def _to_srgb(image: Pillow.Image) -> Pillow.Image:
    profile = image.info.get("icc_profile", b"")
    if image.mode in ("P", "PA", "LA", "La", "RGBa") or "transparency" in image.info:
        image = image.convert("RGBA")
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    if not _is_srgb(profile) and image.mode in ("RGB", "RGBA", "CMYK", "L"):
        image = _convert_profile(image, profile)
    image = image.convert("RGB")
    if alpha is None:
        return image
    white = Pillow.new("RGB", image.size, (255, 255, 255))
    white.paste(image, mask=alpha)
    return white


def _convert_profile(image: Pillow.Image, profile: bytes) -> Pillow.Image:
    """Through the embedded profile to sRGB; a profile that is broken or made for another mode is as none."""
    opaque = image.convert("RGB") if image.mode == "RGBA" else image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        converted = ImageCms.profileToProfile(opaque, source, _srgb(), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return opaque
    return opaque if converted is None else converted


@lru_cache(maxsize=1)
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def _is_srgb(profile: bytes) -> bool:
    """Whether the profile is sRGB by its own description, or is none that can be read."""
    return not profile or (len(profile) <= _SMALL_PROFILE and _names_srgb(profile))


@lru_cache(maxsize=64)
def _names_srgb(profile: bytes) -> bool:
    try:
        name = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile))).strip().lower()
    except (ImageCms.PyCMSError, OSError, ValueError):
        return True
    return "srgb" in name or name == "c2"  # a widespread small sRGB profile calls itself c2


def _turn(image: Pixels, orientation: int) -> Pixels:
    """The image upright."""
    if orientation not in _UPRIGHT:
        return image
    transpose, flip = _UPRIGHT[orientation]
    image = cv2.transpose(image) if transpose else image
    return image if flip is None else cv2.flip(image, flip)


def encode(image: Pixels, format_name: str, quality: int) -> bytes:
    """RGB uint8 (H,W,3) as a jpeg, webp or png file; `quality` 1 to 100 is of the first two."""
    options = {
        "jpeg": (".jpg", [cv2.IMWRITE_JPEG_QUALITY, quality]),
        "webp": (".webp", [cv2.IMWRITE_WEBP_QUALITY, quality]),
        "png": (".png", [cv2.IMWRITE_PNG_COMPRESSION, 3]),
    }
    suffix, parameters = options[format_name]
    done, file = cv2.imencode(suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR), parameters)
    if not done:
        raise ValueError(f"an image of shape {image.shape} cannot be written as {format_name}")
    return bytes(file)


def _line(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".splitlines()[0]
