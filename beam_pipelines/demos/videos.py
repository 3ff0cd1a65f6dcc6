"""The demos of the recipes for videos: videos made of real photographs, served by this machine."""

import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import yaml

import configs
from beam_pipelines.demos.photographs import DemoRow, Page, new_folder, run_recipe
from beam_pipelines.demos.slideshow import FPS, Slide, write_slideshow
from beam_pipelines.reports.sheet import write_sheet
from model_handlers.interface import Array
from model_handlers.models import store

_OVERRIDES = {
    "face_generation": ["faces.min_sharpness=35"],  # photographs that move are softer than film
    "face_clips": ["clips.lmdb=true"],
    "object_tracks": [
        "objects.frame_rate=8",
        "tracks.min_area=0.05",
        "clips.max_side=320",
        "objects.appearance_model=mobilenetv2-appearance",
        "bundle.formats=[trackverse, mot, coco_video]",
    ],
    "anonymize": ["covers.find.detector_side=320"],  # the faces are large
    "person_clustering": ["sampling.seconds=0.5", "detections.max_faces=6"],
}
_MP4 = {"Content-Type": "video/mp4"}
_SIDE = 720  # pixels
_SECONDS = 4  # of each photograph
# the videos: id, and the photographs that they show one after the other
_VIDEOS = {
    "speech-1": ("obama-1", "obama-2"),
    "speech-2": ("obama-3",),
    "speech-3": ("biden-1", "obama-4"),
    "portrait-1": ("biden-1",),
    "portrait-2": ("astronaut-1", "hill-1"),
    "portrait-3": ("hill-1", "astronaut-1", "lake-1"),
    "landscape-1": ("lake-1",),
}
# several people at once, for the recipes that follow or cover them
_GROUPS: dict[str, tuple[str, ...]] = {"group-1": ("pitch-1", "friends-1")}
_SERIES = {  # people who come back, some of them in other clothes
    "series-1": ("obama-1", "biden-1", "obama-2", "astronaut-1", "obama-3", "biden-1"),
    "series-2": ("hanks-1", "pitch-1", "hill-1", "friends-1", "hanks-1", "hill-1"),
    "landscape-1": ("lake-1",),
}


def videos(folder: Path, shows: Mapping[str, Sequence[str]]) -> Iterator[tuple[DemoRow, Page]]:
    """The videos, each made in the folder of the photographs that it shows."""
    listed = {row["id"]: row for row in yaml.safe_load((configs.FOLDER / "demo-photographs.yaml").read_text("utf-8"))}
    for name, shown in shows.items():
        slides = [Slide(_photograph(listed[one]), _SECONDS * FPS, bool(n % 2)) for n, one in enumerate(shown)]
        path = folder / f"{name}.mp4"
        write_slideshow(str(path), slides, _SIDE, _SIDE)
        who = " ".join(dict.fromkeys(listed[one]["who"] for one in shown))
        yield DemoRow(name, f"/{name}.mp4", who, ", ".join(shown)), Page(200, _MP4, path.read_bytes())


def _photograph(listed: dict[str, str]) -> Array:
    path = store.fetch_file(listed["source"], listed["sha256"])
    image = np.asarray(cv2.imread(str(path), cv2.IMREAD_COLOR_RGB))
    return image[: image.shape[1]]  # of a portrait the upper square, where the head is


def _hostile(video: bytes) -> Iterator[tuple[DemoRow, Page]]:
    """Rows that must end in the ledger, each for its own reason."""
    page = b"<!doctype html><title>Not here</title><p>This is no video.</p>"
    yield DemoRow("bad-404", "/missing.mp4", "", "not there"), Page(404, {}, page)
    yield DemoRow("bad-html", "/page.html", "", "an HTML page"), Page(200, {"Content-Type": "text/html"}, page)
    yield DemoRow("bad-cut", "/cut.mp4", "", "a truncated file"), Page(200, _MP4, video[: len(video) // 3])
    playlist = b"#EXTM3U\n#EXTINF:10,\nfile:///etc/passwd\n"
    yield DemoRow("bad-list", "/list.mp4", "", "a playlist called .mp4"), Page(200, _MP4, playlist)
    private = {"Location": "http://169.254.169.254/latest/meta-data/"}
    yield DemoRow("bad-redirect", "/redirect.mp4", "", "redirect to a private address"), Page(302, private, b"")


def _shows(name: str) -> Mapping[str, Sequence[str]]:
    """The videos of a recipe's demo."""
    if name == "person_clustering":
        return _SERIES
    return _VIDEOS | _GROUPS if name in ("object_tracks", "anonymize") else _VIDEOS


def run(name: str, output: str) -> None:
    """Make the videos, serve them, run the recipe on them, show what came of it."""
    started = time.monotonic()
    folder = new_folder(output)
    print("== videos of real photographs, and models (fetched once, then cached)", file=sys.stderr)
    with tempfile.TemporaryDirectory() as made:
        good = list(videos(Path(made), _shows(name)))
    overrides = ["manifest.columns.id=id", "manifest.rows_per_shard=4", *_OVERRIDES[name]]
    run_recipe(name, overrides, good + list(_hostile(good[0][1].body)), folder)
    sheet = folder / "sheet.png"
    shown = write_sheet(str(folder), str(sheet))
    print(f"{shown}, {time.monotonic() - started:.0f} s. A picture of them: {sheet}")
