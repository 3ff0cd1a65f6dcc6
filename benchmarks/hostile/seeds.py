"""Small whole files of every format that the project reads: what the campaign mutates."""

import gzip
import io
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from tests.videos import File, number_frames, write

SIDE = (64, 48)


def _picture(mode: str = "RGB") -> Image.Image:
    width, height = SIDE
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    colours = np.stack([x * 4, y * 5, (x + y) * 2], axis=-1).astype(np.uint8)
    return Image.fromarray(colours).convert(mode)


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def images() -> dict[str, bytes]:
    """Pictures of every format, by a name that says what is special about each."""
    exif = Image.Exif()
    exif[0x0112] = 6
    frames = [_picture().rotate(angle) for angle in (90, 180)]
    grey16 = Image.fromarray(np.arange(64 * 48, dtype=np.uint16).reshape(48, 64) * 20)
    animated = {"save_all": True, "append_images": frames, "duration": 80}
    return {
        "jpeg": _saved(_picture(), "JPEG"),
        "jpeg-progressive": _saved(_picture(), "JPEG", progressive=True),
        "jpeg-grey": _saved(_picture("L"), "JPEG", exif=exif),
        "jpeg-cmyk": _saved(_picture("CMYK"), "JPEG", restart_marker_rows=1),
        "mpo": _saved(_picture(), "MPO", save_all=True, append_images=frames),
        "png": _saved(_picture(), "PNG", exif=exif),
        "png-alpha": _saved(_picture("RGBA"), "PNG"),
        "png-palette": _saved(_picture("P"), "PNG", transparency=0),
        "png-16": _saved(grey16, "PNG"),
        "apng": _saved(_picture(), "PNG", **animated),
        "webp": _saved(_picture(), "WEBP", exif=exif),
        "webp-lossless": _saved(_picture("RGBA"), "WEBP", lossless=True),
        "webp-animated": _saved(_picture(), "WEBP", **animated),
        "gif": _saved(_picture("P"), "GIF"),
        "gif-animated": _saved(_picture("P"), "GIF", **animated),
        "avif": _saved(_picture(), "AVIF", exif=exif),
        "tiff": _saved(_picture(), "TIFF", exif=exif),
        "tiff-lzw": _saved(_picture("L"), "TIFF", compression="tiff_lzw"),
        "tiff-jpeg": _saved(_picture(), "TIFF", compression="jpeg"),
        "tiff-16": _saved(grey16, "TIFF", compression="tiff_adobe_deflate"),
        "bmp": _saved(_picture(), "BMP"),
        "bmp-palette": _saved(_picture("P"), "BMP"),
    }


def videos() -> dict[str, bytes]:
    """Videos of half a second in every container."""
    vp8 = {"deadline": "realtime", "cpu-used": "8"}
    kinds = {
        "mp4": File(), "mov": File(), "mkv": File(), "ts": File(), "flv": File(), "avi": File("mpeg4", options={}),
        "webm": File("libvpx", options=vp8), "mpg": File("mpeg2video", options={}),
        "mp4-fragmented": File(mux={"movflags": "frag_keyframe+empty_moov"}),
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        return {
            name: write(
                Path(folder) / f"{name}.{name.partition('-')[0]}", number_frames(12, (160, 128)), file
            ).read_bytes()
            for name, file in kinds.items()
        }


def _rows() -> Iterator[dict[str, str]]:
    for number in range(12):
        caption = 'he said "no", and left' if number == 4 else "two\nlines" if number == 7 else f"caption {number}"
        yield {"id": f"n{number}", "url": f"https://example.com/{number}.jpg", "caption": caption}


def _separated(separator: str) -> bytes:
    lines = ["id,url,caption".replace(",", separator)]
    for row in _rows():
        cells = [f'"{cell.replace(chr(34), chr(34) * 2)}"' if not cell.isalnum() else cell for cell in row.values()]
        lines.append(separator.join(cells if separator == "," else [" ".join(cell.split()) for cell in row.values()]))
    return "\n".join(lines).encode()


def lists() -> dict[str, bytes]:
    """Lists of twelve rows in every format; the keys are file names."""
    rows = list(_rows())
    parquet = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows), parquet)
    jsonl = "\n".join(map(json.dumps, rows)).encode()
    return {
        "list.csv": _separated(","),
        "list.tsv": _separated("\t"),
        "utf16.csv": _separated(",").decode().encode("utf-16"),
        "list.csv.gz": gzip.compress(_separated(","), mtime=0),
        "list.jsonl": jsonl,
        "list.jsonl.gz": gzip.compress(jsonl, mtime=0),
        "array.jsonl": json.dumps(rows).encode(),
        "list.txt": "\n".join(row["url"] for row in rows).encode(),
        "list.parquet": parquet.getvalue(),
    }
