"""How well the persons of face_generation agree with labelled videos, and with labelled photographs made into videos.

    MANYFACES_TEST_DATA=FOLDER python -m benchmarks.persons

FOLDER has `videos.csv` and `images.csv` with the columns `file` and `identity` (of videos: `identities`); those that
name one person take part. Of each person with several photographs, three at a time become a video, panned over for a
second each. A frame's label belongs to its largest face. The settings are those of configs/face_generation.yaml, but
small and soft faces are let in.
"""

import csv
import os
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from beam_pipelines import config as configuration
from beam_pipelines.demos.photographs import Page, serve
from beam_pipelines.driver.order import Order
from beam_pipelines.driver.run import run
from benchmarks.results import report
from tests.videos import pan, write
from transforms.evaluation.agreement import Agreement, measure
from transforms.tables.shards import read_column

SMALL_AND_SOFT = ("fetch.accept.min_height=0", "faces.min_face_px=40")
VIDEOS = (*SMALL_AND_SOFT, "faces.min_sharpness=20", "sampling.per_segment=6", "sampling.near_keys=false")
PHOTOGRAPHS = (*SMALL_AND_SOFT, "faces.min_sharpness=5", "sampling.method=every_frames", "sampling.frames=6")
SIDE, FRAMES, TOGETHER = 640, 30, 3  # of a video of photographs: pixels, frames of each, photographs


@dataclass(frozen=True, slots=True)
class Film:
    """A video of one person."""

    video_id: str
    person: str
    file: Path


def labelled_videos(data: Path) -> list[Film]:
    """The videos of one person."""
    with (data / "videos.csv").open(newline="", encoding="utf-8") as file:
        rows = [(row["file"], row["identities"]) for row in csv.DictReader(file)]
    people = [(path, person) for path, person in rows if person and " " not in person]
    return [Film(f"v{i:03d}", person, data / path) for i, (path, person) in enumerate(people)]


def labelled_photographs(data: Path, folder: Path) -> list[Film]:
    """Videos of the photographs of every person who has several; they are written into the folder."""
    photographs = defaultdict(list)
    with (data / "images.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["identity"] and "|" not in row["identity"]:
                photographs[row["identity"]].append(data / row["file"])
    films: list[Film] = []
    for person, paths in photographs.items():
        for start in range(0, len(paths) if len(paths) > 1 else 0, TOGETHER):
            name = f"p{len(films):03d}"
            films.append(Film(name, person, write(folder / f"{name}.mp4", _pans(paths[start : start + TOGETHER]))))
    return films


def _pans(paths: Sequence[Path]) -> Iterator[np.ndarray]:
    for path in paths:
        image = cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
        yield from pan(image, FRAMES, (SIDE, SIDE), (0.3, 0.1), zoom=1.1)


def agreement(films: Sequence[Film], overrides: Sequence[str], output: Path) -> tuple[int, Agreement]:
    """Serve and run the films; how many faces count, and how their persons agree with the labels."""
    pages = {f"/{film.video_id}/{film.file.name}": Page(200, {}, film.file.read_bytes()) for film in films}
    with serve(pages) as port:
        manifest = output / "list.csv"
        lines = [f"{path.split('/')[1]},http://127.0.0.1:{port}{path}" for path in pages]
        manifest.write_text("\n".join(["video_id,url", *lines]) + "\n")
        allowed = f"fetch.allow_hosts=['127.0.0.1:{port}']"
        recipe, settings = configuration.load("face_generation", [allowed, *overrides])
        run(Order(recipe, settings, str(manifest), str(output / "run")))
    faces = _largest(str(output / "run"))
    table = read_column(str(output / "run"), "identities", ["face_id", "identity"])
    found = dict(zip(table["face_id"].to_pylist(), table["identity"].fill_null(-1).to_pylist(), strict=True))
    person = {film.video_id: film.person for film in films}
    truth = np.unique([person[video] for video in faces.values()], return_inverse=True)[1]
    return len(faces), measure(truth, np.array([found.get(face, -1) for face in faces]))


def _largest(run_: str) -> dict[str, str]:
    """The largest face of each frame: face_id -> video_id."""
    table = read_column(run_, "faces", ["face_id", "frame_id", "video_id", "box"])
    largest: dict[str, tuple[float, str, str]] = {}
    for face, frame, video, (x1, y1, x2, y2) in zip(*(table[n].to_pylist() for n in table.column_names), strict=True):
        largest[frame] = max(largest.get(frame, (0.0, "", "")), ((x2 - x1) * (y2 - y1), face, video))
    return {face: video for _, face, video in largest.values()}


def main() -> None:
    """Run and print."""
    data = os.environ.get("MANYFACES_TEST_DATA")
    if not data:
        sys.exit("benchmarks.persons: set MANYFACES_TEST_DATA to the folder of labelled photographs and videos.")
    rows: list[list[str | float]] = []
    with tempfile.TemporaryDirectory() as folder:
        for name, films, overrides in (
            ("videos", labelled_videos(Path(data)), VIDEOS),
            ("photographs", labelled_photographs(Path(data), Path(folder)), PHOTOGRAPHS),
        ):
            output = Path(folder, name)
            output.mkdir()
            faces, found = agreement(films, overrides, output)
            what = f"{name}: {len(films)} films, {len({film.person for film in films})} people, {faces} faces"
            pairs = found.pairwise
            rows.append([what, pairs.precision, pairs.recall, pairs.f1, found.bcubed.f1, found.purity])
    report("persons", "persons of face_generation", ["", "precision", "recall", "F", "BCubed F", "purity"], rows)


if __name__ == "__main__":
    main()
