"""Who plays: people cut out of photographs around head and shoulders, each in several looks, and in any clothes."""

import csv
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
import yaml

from model_handlers.geometry import resize
from model_handlers.interface import Array, Pixels
from model_handlers.models import catalogue, store
from model_handlers.models.loaded import LoadedModel, load_model
from model_handlers.models.roles import KnownModels
from transforms.videos.reader import VideoReader

LISTED = Path(__file__).with_name("people.yaml")
LOOKS = 3  # of a person, at least; photographs are turned until there are so many
_SCORE = 0.5  # of a face that is cut out, at least
_ABOVE, _ASIDE, _BELOW = 0.9, 1.9, 1.6  # what is cut out around a face, in its heights and widths
_FACE = 170  # pixels; higher faces are made so high, a little more than what a film shows


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A person in one photograph, cut out: pixels (H,W,3) RGB, opaque (H,W) 0 to 1, face (4,) where the face is."""

    pixels: Pixels
    opaque: Array
    face: Array

    @property
    def below(self) -> float:
        """How much there is under the face, in heights of it."""
        return float((len(self.pixels) - self.face[3]) / (self.face[3] - self.face[1]))


Cast = Mapping[str, Sequence[Look]]  # the looks of each person


def people_of_packages() -> Cast:
    """The looks of the people in people.yaml, each with at least LOOKS."""
    looks: dict[str, list[Look]] = defaultdict(list)
    for row in yaml.safe_load(LISTED.read_text(encoding="utf-8")):
        path = store.fetch_file(row["source"], row["sha256"])
        for photograph in _pictures(path, row.get("seconds")):
            for who, look in zip(row["who"], cut_outs(photograph, len(row["who"])), strict=True):
                if who:
                    looks[who].append(look)
    return {who: enough(own, number) for number, (who, own) in enumerate(looks.items())}


def people_of_photographs(data: Path, folder: str) -> Cast:
    """The looks of those who are alone on the photographs below a folder that `images.csv` of `data` lists."""
    looks: dict[str, list[Look]] = defaultdict(list)
    with (data / "images.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["file"].startswith(folder) and row["identity"] and "|" not in row["identity"]:
                looks[row["identity"]] += cut_outs(_picture(data / row["file"]), 1)
    return dict(looks)


def _pictures(path: Path, seconds: Sequence[float] | None) -> Iterator[Pixels]:
    if seconds is None:
        yield _picture(path)
        return
    with VideoReader(str(path)) as reader:
        for second in seconds:
            yield reader.read(reader.number_at(second))


def _picture(path: Path) -> Pixels:
    return np.asarray(cv2.cvtColor(cv2.imread(str(path), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB), np.uint8)


def cut_outs(photograph: Pixels, count: int) -> list[Look]:
    """So many people of a photograph, those with the largest faces, from left to right.

    ValueError if fewer faces are found.
    """
    found = _detector()(photograph)
    boxes = found.boxes[found.scores >= _SCORE]
    largest = np.argsort(-np.prod(boxes[:, 2:] - boxes[:, :2], axis=1))[:count]
    if len(largest) < count:
        raise ValueError(f"{len(largest)} faces were found where {count} are to be cut out")
    return [cut_out(photograph, box) for box in sorted(boxes[largest], key=lambda box: box[0])]


def cut_out(photograph: Pixels, face: Array) -> Look:
    """The head and the shoulders around a face (4,).

    A photograph that ends too soon under the chin goes on with its last line, so that there are clothes.
    """
    scale = min(1.0, _FACE / float(face[3] - face[1]))
    photograph = resize(photograph, *(round(side * scale) for side in photograph.shape[1::-1]))
    face = face * scale
    width, height = face[2:] - face[:2]
    out = np.array([_ASIDE * width, _ABOVE * height, _ASIDE * width, _BELOW * height]) * (-1, -1, 1, 1)
    size = np.array(photograph.shape[1::-1] * 2)
    x1, y1, x2, y2 = np.clip(np.rint(face + out), 0, size).astype(int)
    own = np.asarray(face - (x1, y1, x1, y1), np.float32)
    missing = max(0, round(float(face[3] + out[3])) - y2)
    pixels = cv2.copyMakeBorder(photograph[y1:y2, x1:x2], 0, missing, 0, 0, cv2.BORDER_REPLICATE)
    return Look(pixels, _bust(pixels.shape[:2], own), own)


def _bust(size: tuple[int, ...], face: Array) -> Array:
    """(H,W) 1 on an ellipse around the head and on shoulders under it, 0 elsewhere, with soft edges."""
    (x1, y1, x2, y2), mask = face, np.zeros(size, np.float32)
    wide, high, middle = x2 - x1, y2 - y1, (x1 + x2) / 2
    head = np.array([middle, (y1 + y2) / 2 - 0.1 * high, 0.85 * wide, 0.9 * high])
    cv2.ellipse(mask, (_at(*head[:2]), _at(*(2 * head[2:])), 0), 1, -1)
    shoulders = [(-0.5, -0.1), (0.5, -0.1), (1.4, 0.45), (1.7, 1.0), (1.7, 4), (-1.7, 4), (-1.7, 1.0), (-1.4, 0.45)]
    corners = np.array([_at(middle + x * wide, y2 + y * high) for x, y in shoulders], np.int32)
    cv2.fillPoly(mask, [corners], 1)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), 0.06 * wide, borderType=cv2.BORDER_REPLICATE))


def _at(x: float, y: float) -> tuple[int, int]:
    return round(float(x)), round(float(y))


def enough(looks: Sequence[Look], seed: int) -> list[Look]:
    """The looks, and of those who have fewer than LOOKS also turned ones."""
    rng = np.random.default_rng(seed)
    return [*looks, *(turned(looks[n % len(looks)], rng) for n in range(LOOKS - len(looks)))]


def dye(look: Look, colour: Array) -> Look:
    """The look with everything under the chin in a colour (3,) RGB, light and shade as they were."""
    grey = cv2.cvtColor(look.pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)[..., None]
    clothes = np.clip(colour * (0.35 + grey / 160), 0, 255)
    _, y1, _, y2 = look.face
    rows = np.arange(len(look.pixels), dtype=np.float32)
    under = np.clip((rows - y2 - 0.1 * (y2 - y1)) / (0.1 * (y2 - y1)), 0, 1)[:, None, None]
    return Look((look.pixels * (1 - under) + clothes * under).astype(np.uint8), look.opaque, look.face)


def turned(look: Look, rng: np.random.Generator) -> Look:
    """The look as another photograph might have it: left and right exchanged, narrower or wider, lit from a side, soft.

    The vectors of the two faces are 0.1 to 0.3 apart; those of two photographs of one person 0.2 to 0.4.
    """
    height, width = look.opaque.shape
    to = (round(width * rng.uniform(0.82, 1.18)), height)
    x1, y1, x2, y2 = look.face
    face = np.array([(width - x2) * to[0] / width, y1, (width - x1) * to[0] / width, y2], np.float32)
    pixels = cv2.resize(look.pixels[:, ::-1], to, interpolation=cv2.INTER_LINEAR)
    dark, bright = rng.permutation([0.45, 1.25])
    shade = np.interp(np.arange(to[0]), (face[0], face[2]), (dark, bright)).astype(np.float32)
    lit = np.clip(pixels * shade[:, None], 0, 255).astype(np.uint8)
    soft = cv2.GaussianBlur(lit, (0, 0), rng.uniform(0.5, 2.5))
    return Look(soft, cv2.resize(look.opaque[:, ::-1], to, interpolation=cv2.INTER_LINEAR), face)


@lru_cache
def _detector() -> LoadedModel:
    return load_model(KnownModels(catalogue.load()).of({"face": 640}, face="centerface")["face"])
