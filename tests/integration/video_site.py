"""Composed videos of known people on a server, for the recipes that start from a list of videos."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from beam_pipelines.demos.photographs import Page, serve
from tests import videos
from tests.portraits import portrait

SIZE = (1280, 720)


@dataclass(frozen=True)
class Take:
    """A pan over a photograph: so many frames, the face's box so high (share of the frame's); None: all of it."""

    photograph: str
    frames: int
    height: float | None
    centre: tuple[float, float] = (0.5, 0.45)
    mirrored: bool = False
    blur: float = 0.0  # pixels

    def picture(self) -> np.ndarray:
        if self.height is None:
            return videos.fitted(videos.photograph(self.photograph), SIZE)
        made = portrait(self.photograph, SIZE, self.centre, self.height)
        made = cv2.flip(made, 1) if self.mirrored else made
        return cv2.GaussianBlur(made, (0, 0), self.blur) if self.blur else made

    def pan(self, direction: int) -> Iterator[np.ndarray]:
        return videos.pan(self.picture(), self.frames, SIZE, shift=(0.04 * direction, 0.01), zoom=1.03)


def film(path: Path, takes: list[Take], size: tuple[int, int] = SIZE) -> Path:
    """The takes one after the other, with cuts between them, as a file."""
    frames = (frame for i, take in enumerate(takes) for frame in take.pan((-1) ** i))
    return videos.write(path, (frame if size == SIZE else cv2.resize(frame, size) for frame in frames))


@dataclass(frozen=True)
class VideoSite:
    """A server's port, the manifest of its videos, and its pages, by path."""

    port: int
    manifest: Path
    pages: dict[str, Page]


@contextmanager
def video_site(folder: Path, films: dict[str, list[Take]], others: dict[str, bytes]) -> Iterator[VideoSite]:
    """A server of the films, and of other files in their place; the manifest lists all by name, sorted."""
    pages = {}
    for name in sorted({*films, *others}):
        data = others[name] if name in others else film(folder / f"{name}.mp4", films[name]).read_bytes()
        pages[f"/{name}.mp4"] = Page(200, {"Content-Type": "video/mp4"}, data)
    with serve(pages) as port:
        manifest = folder / "videos.csv"
        with manifest.open("w", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(["video_id", "url", "mood", "note"])
            for path in pages:
                name = path[1:].removesuffix(".mp4")
                writer.writerow([name, f"http://127.0.0.1:{port}{path}", name.partition("-")[0], f"about {name}"])
        yield VideoSite(port, manifest, pages)
