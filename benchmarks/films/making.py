"""The films: those looked at while the settings were chosen, and those that are only measured."""

import csv
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from benchmarks.films.composing import RATE, SIZE, Shot, frames, script
from benchmarks.films.people import Cast, people_of_packages, people_of_photographs
from benchmarks.films.reading import Film
from benchmarks.films.scores import Faces
from model_handlers.interface import Pixels
from tests.videos import File, fitted, photograph, write
from transforms.videos.reader import VideoReader

SECONDS = 70.0
CASTS = {  # of the films to choose by; the first three play most
    "office": ("obama", "biden", "hill", "mandic", "collins"),
    "poker": ("rachel", "chandler", "langer", "ross", "monica", "phoebe"),
    "lounge": ("lounge-1", "lounge-2", "lounge-3", "window-1", "window-2", "window-3", "window-4"),
    "club": ("club-1", "club-2", "party-2", "club-3", "club-4", "party-4", "party-5"),
    "stairs": ("stairs-4", "obama", "stairs-5", "biden", "langer"),
    "alone": ("obama",),
}
JUDGES = {  # of the films to judge by: places among ten people
    "five": (0, 1, 2, 3, 4),
    "others": (5, 6, 7, 8, 9),
    "even": (8, 6, 4, 2, 0),
    "odd": (9, 7, 5, 3, 1),
    "all": tuple(range(10)),
    "single": (3,),
}
TALKING = ("asl/", "grid/")  # folders of labelled videos of one person each
BACKGROUNDS = ("street-1", "party-1", "lake-1", "hill-1", "friends-1")
_HOW = File(fps=Fraction(25, 2), options={"preset": "ultrafast", "crf": "28"})
_BLUR = 14  # pixels: of a background; no face is left in it
_WIDER = 1.25  # than a frame, a background


def films_to_choose_by(folder: Path) -> list[Film]:
    """Films of the people of published packages."""
    people = people_of_packages()
    return [
        _film(name, {who: people[who] for who in cast}, seed, folder) for seed, (name, cast) in enumerate(CASTS.items())
    ]


def films_to_judge_by(data: Path, folder: Path) -> list[Film]:
    """Films of other people, of the labelled photographs and videos of MANYFACES_TEST_DATA."""
    people = people_of_photographs(data, "images/lfw/")
    names = sorted(people)
    composed = [
        _film(name, {names[place]: people[names[place]] for place in cast}, 100 + seed, folder)
        for seed, (name, cast) in enumerate(JUDGES.items())
    ]
    return [*composed, _talking(data, folder)]


def _film(name: str, cast: Cast, seed: int, folder: Path) -> Film:
    return film(name, script(cast, [background(photograph(one)) for one in BACKGROUNDS], SECONDS, seed), folder)


def film(name: str, shots: Sequence[Shot], folder: Path) -> Film:
    """Write a film of these shots into the folder."""
    played: list[Faces] = []

    def pixels() -> Iterator[Pixels]:
        for frame, faces in frames(shots):
            played.append(faces)
            yield frame

    file = write(folder / f"{name}.mp4", pixels(), _HOW)
    names = {part.who for shot in shots for part in shot.parts}
    return Film(name, file, tuple(sorted(names)), played)


def background(picture: Pixels) -> Pixels:
    """The picture, blurred, as high as a frame and wider."""
    width, height = round(SIZE[0] * _WIDER), SIZE[1]
    scale = max(width / picture.shape[1], height / picture.shape[0])
    larger = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(larger, (0, 0), _BLUR)
    return np.asarray(cv2.resize(blurred[:height, :width], (width, height)), np.uint8)


def _talking(data: Path, folder: Path) -> Film:
    """The labelled videos of one talking person each, one after the other, two videos of a person never in a row."""
    with (data / "videos.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if any(part in row["file"] for part in TALKING)]
    clips = sorted((row["file"].rpartition("/")[2][::-1], row["identities"], data / row["file"]) for row in rows)
    played: list[Faces] = []

    def pixels() -> Iterator[Pixels]:
        for _, who, path in clips:
            with VideoReader(str(path)) as reader:
                times = np.arange(0, reader.seconds - 1 / RATE, 1 / RATE)
                for number in [reader.number_at(float(time)) for time in times]:
                    played.append([(who, None)])
                    yield fitted(reader.read(number), SIZE)

    file = write(folder / "talking.mp4", pixels(), _HOW)
    return Film("talking", file, tuple(sorted({who for _, who, _ in clips})), played)
