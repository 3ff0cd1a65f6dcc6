"""The demos of the recipes for images: real photographs and hostile rows, all served by this machine."""

import re
import shutil
import struct
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import cv2
import numpy as np
import yaml

import configs
from beam_pipelines import api
from beam_pipelines.errors import ConfigError
from beam_pipelines.reports.sheet import write_sheet
from model_handlers.models import store
from transforms.tables.csv_cells import csv_rows

_MANIFEST = "demo.csv"


@dataclass(frozen=True, slots=True)
class Page:
    """What the demo's server answers at one path."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class DemoRow:
    """A row of the demo's manifest: id, path on the server, who or what it shows, and what is special about it."""

    id: str
    path: str
    who: str
    note: str


def photographs() -> Iterator[tuple[DemoRow, Page]]:
    """The photographs and the second editions of some."""
    listed = yaml.safe_load((configs.FOLDER / "demo-photographs.yaml").read_text(encoding="utf-8"))
    for photo in listed:
        data = store.fetch_file(photo["source"], photo["sha256"]).read_bytes()
        name = photo["source"].rpartition("/")[2]
        yield DemoRow(photo["id"], f"/{photo['id']}/{name}", photo["who"], "photograph"), Page(200, {}, data)
        if photo.get("repost"):
            row = DemoRow(f"{photo['id']}-repost", f"/{photo['id']}/repost.jpg", photo["who"], "mirrored and smaller")
            yield row, Page(200, {}, repost(data))


def repost(data: bytes) -> bytes:
    """A second edition of a photograph: mirrored, at 80 % of its size, as JPEG of quality 80."""
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    small = cv2.resize(cv2.flip(image, 1), None, fx=0.8, fy=0.8, interpolation=cv2.INTER_AREA)
    return bytes(cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 80])[1])


def huge_png() -> bytes:
    """A PNG of 70 bytes whose header announces 60,000 x 60,000 pixels."""

    def piece(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + piece(b"IHDR", header) + piece(b"IDAT", zlib.compress(b"")) + piece(b"IEND", b"")


def _hostile(photo: bytes) -> Iterator[tuple[DemoRow, Page]]:
    """Rows that must end in the ledger, each for its own reason."""
    page = b"<!doctype html><title>Not here</title><p>This is no image.</p>"
    yield DemoRow("bad-404", "/missing.jpg", "", "not there"), Page(404, {"Content-Type": "text/html"}, page)
    yield DemoRow("bad-html", "/page.jpg", "", "an HTML page"), Page(200, {"Content-Type": "image/jpeg"}, page)
    yield DemoRow("bad-cut", "/cut.jpg", "", "a truncated JPEG"), Page(200, {}, photo[: len(photo) // 3])
    yield DemoRow("bad-huge", "/huge.png", "", "3.6 gigapixels announced"), Page(200, {}, huge_png())
    yield DemoRow("bad-noai", "/noai.jpg", "", "X-Robots-Tag: noai"), Page(200, {"X-Robots-Tag": "noai"}, photo)
    private = {"Location": "http://169.254.169.254/latest/meta-data/"}
    yield DemoRow("bad-redirect", "/redirect.jpg", "", "redirect to a private address"), Page(302, private, b"")


class _Server(ThreadingHTTPServer):
    request_queue_size = 128  # of connections not yet accepted; beyond the default of 5, a client waits for a second

    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing when a client hangs up."""


def _part(page: Page, asked: str) -> Page:
    """The page, or the bytes of it that the header Range asks for."""
    found = re.fullmatch(r"bytes=(\d+)-(\d*)", asked)
    if page.status != 200 or found is None:
        return page
    first, last = int(found[1]), min(int(found[2] or len(page.body)), len(page.body) - 1)
    told = {"Content-Range": f"bytes {first}-{last}/{len(page.body)}"}
    if first > last:
        return Page(416, {"Content-Range": f"bytes */{len(page.body)}"}, b"")
    return Page(206, page.headers | told, page.body[first : last + 1])


@contextmanager
def serve(pages: dict[str, Page]) -> Iterator[int]:
    """A server of these pages on 127.0.0.1; gives its port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            page = _part(pages.get(self.path, Page(404, {}, b"")), self.headers.get("Range", ""))
            self.send_response(page.status)
            for name, value in {**page.headers, "Content-Length": str(len(page.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(page.body)

        def log_message(self, format: str, *args: object) -> None:
            """Print no line for a request: the ledger tells what became of it."""

    server = _Server(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()


def write_manifest(rows: list[DemoRow], port: int, folder: Path) -> Path:
    """The demo's manifest: the rows, and the first of them a second time; returns its path."""
    path = folder / _MANIFEST
    with path.open("wb") as out:
        write = csv_rows(out)
        write(["id", "url", "who", "note"])
        for row in [*rows, DemoRow("twice", rows[0].path, rows[0].who, "the first row's URL again")]:
            write([row.id, f"http://127.0.0.1:{port}{row.path}", row.who, row.note])
    return path


def new_folder(output: str) -> Path:
    """The folder, empty: an earlier demo in it is deleted; ConfigError if anything else is."""
    folder = Path(output)
    if folder.exists() and any(folder.iterdir()):
        if not (folder / _MANIFEST).is_file():
            raise ConfigError(f"--output {output}: the folder is no earlier demo's; name an empty or new one.")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def run_recipe(name: str, overrides: list[str], pairs: list[tuple[DemoRow, Page]], folder: Path) -> None:
    """Serve the pages, run the recipe on their rows, print the counts."""
    with serve({row.path: page for row, page in pairs}) as port:
        manifest = write_manifest([row for row, _ in pairs], port, folder)
        print(f"== {name} on {len(pairs) + 1} rows served at 127.0.0.1:{port}", file=sys.stderr)
        served = f"fetch.allow_hosts=['127.0.0.1:{port}']"
        done = api.start(api.order(name, str(manifest), str(folder), [*overrides, served]))
    done.show()


# mirrored reposts are near-duplicates; the demo keeps them, so that more identities have two pictures
_OVERRIDES = {"webbody": ["identity.cleaning.duplicate_similarity=0.998"], "anonymize_images": []}


def run(name: str, output: str) -> None:
    """Fetch photographs and models, serve the photographs, run the recipe, show what came of it."""
    started = time.monotonic()
    folder = new_folder(output)
    print("== photographs and models (fetched once, then cached)", file=sys.stderr)
    good = list(photographs())
    overrides = [*_OVERRIDES[name], "manifest.rows_per_shard=8"]
    run_recipe(name, overrides, good + list(_hostile(good[0][1].body)), folder)
    sheet = folder / "sheet.png"
    shown = write_sheet(str(folder), str(sheet))
    print(f"{shown}, {time.monotonic() - started:.0f} s. A picture of them: {sheet}")
