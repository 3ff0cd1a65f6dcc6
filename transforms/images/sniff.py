"""What an image file is, by its first bytes: never by its name or by what a server says of it."""

from transforms.tables.reasons import Rejected

_HEAD = 512  # bytes of a `ftyp` box that are looked at; real ones have 20 to 40
_BMP_HEADERS = frozenset({12, 40, 52, 56, 64, 108, 124})  # lengths of the second header, one for each version
_AVIF = frozenset({b"avif", b"avis"})
_HEIF = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"heif", b"mif1", b"msf1", b"miaf"})


def sniff(data: bytes) -> str:
    """The format, lower case; Rejected `not_an_image` for what is none of those known."""
    head = data[:18]
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return "gif"
    if head[4:8] == b"ftyp":
        return _by_brands(data)
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0"):  # the last is BigTIFF, which Pillow reads in this byte order only
        return "tiff"
    # "BM" alone may be a text's beginning; what stands behind the file's size is not reserved in practice
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADERS:
        return "bmp"
    raise Rejected("not_an_image", f"starts with {head[:16]!r}" if head else "no bytes")


def _by_brands(data: bytes) -> str:
    """avif if that is among the brands of the `ftyp` box, the major one or a compatible one (ISO/IEC 14496-12, 4.3)."""
    end = min(int.from_bytes(data[:4], "big"), _HEAD)
    brands = {data[8:12], *(data[at : at + 4] for at in range(16, end - 3, 4))}
    if brands & _AVIF:
        return "avif"
    what = "HEIC, which is not decoded" if brands & _HEIF else "a film or another ISO media file"
    raise Rejected("not_an_image", f"{what}: brand {data[8:12]!r}")
