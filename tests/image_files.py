"""Small image files with one thing special, made a few bytes at a time."""

import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageCms
from skimage import data

PHOTO = data.astronaut()
SMALL = np.ascontiguousarray(PHOTO[20:116, 180:260])  # 96 high, 80 wide: a face
GREY = np.asarray(Image.fromarray(SMALL).convert("L"))
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
SRGB_AS_XYZ = np.array([(0.4360, 0.3851, 0.1431), (0.2225, 0.7169, 0.0606), (0.0139, 0.0971, 0.7141)])  # D50


def saved(picture, file_format, **options):
    """A file of an array or a Pillow image, as Pillow writes it."""
    out = io.BytesIO()
    (Image.fromarray(picture) if isinstance(picture, np.ndarray) else picture).save(out, file_format, **options)
    return out.getvalue()


def linear(numbers):
    """The light, 0 to 1, of sRGB's numbers of 8 bits."""
    share = numbers / 255
    return np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)


def profile(gamma=None, name="a profile", grey=False, swapped=False):
    """An ICC profile of sRGB's primaries, red and blue exchanged if so; of that exponent, or with sRGB's own curve."""
    order = [2, 1, 0] if swapped else [0, 1, 2]
    fixed = lambda values: struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))  # noqa: E731
    curve = b"curv" + bytes(4)
    if gamma is None:
        steps = np.rint(linear(np.arange(1024) / 1023 * 255) * 65535).astype(">u2")
        curve += struct.pack(">I", len(steps)) + steps.tobytes()
    else:
        curve += struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    text = name.encode()
    tags = {b"desc": b"desc" + bytes(4) + struct.pack(">I", len(text) + 1) + text + b"\0" + bytes(79)}
    tags[b"wtpt"] = b"XYZ " + bytes(4) + fixed((0.9642, 1, 0.8249))
    if grey:
        tags[b"kTRC"] = curve
    else:
        for number, letter in zip(order, "rgb", strict=True):
            tags[letter.encode() + b"XYZ"] = b"XYZ " + bytes(4) + fixed(SRGB_AS_XYZ[:, number])
            tags[letter.encode() + b"TRC"] = curve
    return packed_profile(b"GRAY" if grey else b"RGB ", tags)


def packed_profile(space, tags, connection=b"XYZ "):
    """An ICC profile, version 2.1, of these tags."""
    table, body = struct.pack(">I", len(tags)), b""
    for tag, content in tags.items():
        table += tag + struct.pack(">II", 132 + 12 * len(tags) + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    head = struct.pack(">I4sI", 128 + len(table) + len(body), b"lcms", 0x02100000) + b"mntr" + space + connection
    head += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(128, b"\0") + table + body


def png_chunk(name, body, checksum_off=0):
    """A PNG's chunk."""
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body) ^ checksum_off)


def iccp(content):
    """A PNG's chunk of a colour profile."""
    return png_chunk(b"iCCP", b"icc\0\0" + zlib.compress(content))


def png(pixels, kind=2, depth=8, before=b"", after=b"", stream=None, end=True, width=None):
    """A PNG of an array (H,W) or (H,W,C) of unsigned integers; `before` and `after` the pixels go further chunks."""
    rows = np.ascontiguousarray(pixels, dtype=">u2" if depth == 16 else np.uint8)
    raw = b"".join(b"\0" + row.tobytes() for row in rows)
    head = struct.pack(">IIBBBBB", width or rows.shape[1], rows.shape[0], depth, kind, 0, 0, 0)
    packed = zlib.compress(raw) if stream is None else stream
    ending = png_chunk(b"IEND", b"") if end else b""
    parts = (b"\x89PNG\r\n\x1a\n", png_chunk(b"IHDR", head), before, png_chunk(b"IDAT", packed), after, ending)
    return b"".join(parts)


def tiff(pixels, photometric=2, tags=(), order="<", big=False, bits=8, padding=b""):
    """An uncompressed TIFF of an array (H,W) or (H,W,C) in one strip; `tags`: (number, type, count, bytes) more or
    instead; a number in place of the bytes is an offset."""
    samples = 1 if pixels.ndim == 2 else pixels.shape[2]
    body = pixels.astype(pixels.dtype.newbyteorder(order)).tobytes()
    short = lambda *values: (3, len(values), struct.pack(f"{order}{len(values)}H", *values))  # noqa: E731
    entries = {
        256: short(pixels.shape[1]),
        257: short(pixels.shape[0]),
        258: short(*[bits] * samples),
        259: short(1),
        262: short(photometric),
        273: None,
        277: short(samples),
        278: short(pixels.shape[0]),
        279: (4, 1, struct.pack(order + "I", len(body))),
    }
    entries.update({number: (kind, count, content) for number, kind, count, content in tags})
    room, offset, first = (8, "Q", 16) if big else (4, "I", 8)
    length = (16 if big else 6) + len(entries) * (20 if big else 12)
    beyond = b""
    table = struct.pack(order + ("Q" if big else "H"), len(entries))
    room_for_values = sum(len(e[2]) for e in entries.values() if e and not isinstance(e[2], int) and len(e[2]) > room)
    strip = first + length + room_for_values + len(padding)
    for number, entry in sorted(entries.items()):
        kind, count, content = entry or (4, 1, struct.pack(order + "I", strip))
        if isinstance(content, int):
            content = struct.pack(order + offset, content)
        elif len(content) > room:
            content, beyond = struct.pack(order + offset, first + length + len(beyond)), beyond + content
        table += struct.pack(order + "HH" + offset, number, kind, count) + content.ljust(room, b"\0")
    table += bytes(8 if big else 4)
    letters = b"II" if order == "<" else b"MM"
    head = struct.pack(order + "HHHQ", 43, 8, 0, 16) if big else struct.pack(order + "HI", 42, 8)
    return letters + head + table + beyond + padding + body


def riff(chunks, size=None):
    """A WebP's container of (name, content)."""
    packed = b"".join(name + struct.pack("<I", len(body)) + body + bytes(len(body) % 2) for name, body in chunks)
    return b"RIFF" + struct.pack("<I", 4 + len(packed) if size is None else size) + b"WEBP" + packed


def webp_chunks(file):
    """The chunks of a WebP, (name, content)."""
    at, found = 12, []
    while at < len(file):
        length = struct.unpack_from("<I", file, at + 4)[0]
        found.append((file[at : at + 4], file[at + 8 : at + 8 + length]))
        at += 8 + length + length % 2
    return found


def jpeg_segment(marker, body):
    """A segment of a JPEG with its marker and length."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def in_jpeg(file, *segments):
    """The JPEG with more segments behind its beginning."""
    return file[:2] + b"".join(segments) + file[2:]


def exif(orientation):
    """An EXIF block."""
    block = Image.Exif()
    block[0x0112] = orientation
    return block.tobytes()


def xmp(orientation):
    """An XMP packet that names an orientation."""
    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" '
        f'tiff:Orientation="{orientation}"/></rdf:RDF></x:xmpmeta>'
    ).encode()
