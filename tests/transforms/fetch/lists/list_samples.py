"""Small lists of every format, and what a reading of them comes to."""

import bz2
import gzip
import io
import json
import lzma

import pyarrow as pa
import pyarrow.parquet as pq

from transforms.fetch.lists.image_settings import ManifestSettings
from transforms.fetch.lists.manifest import to_listed_image
from transforms.fetch.lists.read import read_records
from transforms.fetch.lists.record import BadRow
from transforms.tables.reasons import Rejected

URLS = [f"http://a.example/{number}" for number in range(8)]


def csv_text(cell='caption {}, "x"', mark=","):
    """Eight rows; the caption of each is a quoted cell."""
    rows = [f'{url}{mark}"{cell.format(place)}"'.replace('"x"', '""x""') for place, url in enumerate(URLS)]
    return "\n".join([f"url{mark}caption", *rows]) + "\n"


def parquet_bytes(columns=None, **options):
    """A parquet file of the URLs and other columns."""
    out = io.BytesIO()
    pq.write_table(pa.table({"url": URLS, **(columns or {"caption": ["x"] * len(URLS)})}), out, **options)
    return out.getvalue()


def packed(kind, content):
    """The content packed as the ending of a name says."""
    if kind == "zst":
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, "zstd") as out:
            out.write(content)
        return sink.getvalue().to_pybytes()
    return {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress}[kind](content)


def samples():
    """Lists of eight items each, by the name of the file."""
    objects = [{"url": url, "caption": f"é {place}"} for place, url in enumerate(URLS)]
    text = csv_text().encode()
    return {
        "m.csv": text,
        "m.tsv": csv_text(mark="\t").encode(),
        "m.txt": "\n".join(URLS).encode(),
        "m.jsonl": "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in objects).encode(),
        "m.json": json.dumps(objects, indent=1).encode(),
        "utf16.csv": csv_text().encode("utf-16"),
        "utf32.jsonl": "\n".join(map(json.dumps, objects)).encode("utf-32"),
        "m.parquet": parquet_bytes(),
        **{f"m.csv.{kind}": packed(kind, text) for kind in ("gz", "bz2", "xz", "zst")},
    }


def verdicts(path, settings=None):
    """For each row its URL, or its reason code and detail."""
    settings = settings or ManifestSettings()
    found = []
    for record in read_records(str(path), settings):
        try:
            found.append(to_listed_image(record, settings).url)
        except Rejected as why:
            found.append((why.code, why.detail))
    return found


def rows(path, **settings):
    """The records, each a dict or a BadRow."""
    return list(read_records(str(path), ManifestSettings(**settings)))


def urls(path, **settings):
    """The URLs of the rows that can be read, and None for each that cannot."""
    return [None if isinstance(row, BadRow) else row["url"] for row in rows(path, **settings)]
