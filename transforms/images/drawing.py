"""Pictures for people to look at: images in rows, words that OpenCV can write, colours that tell apart."""

import colorsys

import cv2
import numpy as np

from model_handlers.interface import Array

Colour = tuple[int, int, int]  # BGR

CELL = 120  # pixels: height of every picture on a sheet
GAP, HEADER = 6, 22  # pixels: between pictures, and the title above them
INK: Colour = (40, 40, 40)
FAINT: Colour = (125, 125, 125)
PAPER = 250
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_MOST = 200  # characters of a line: a stranger's text may have a million
_GOLDEN = 0.618034  # of the circle of hues from one colour to the next: no two of a few come near each other


def paper(height: int, width: int) -> Array:
    """An empty picture (H,W,3)."""
    return np.full((height, width, 3), PAPER, np.uint8)


def plain(text: str) -> str:
    """One line of printable ASCII, all that OpenCV can write: others become `?`, and what is too long ends in `...`."""
    line = "".join(one if " " <= one <= "~" else "?" for one in text[: _MOST + 1])
    return line if len(line) <= _MOST else f"{line[: _MOST - 3]}..."


def write(canvas: Array, text: str, at: tuple[int, int], size: float = 0.42, colour: Colour = INK) -> None:
    """Write a line on the canvas (H,W,3); `at` is the left end of its base line, x and y; what is outside is cut."""
    cv2.putText(canvas, plain(text), at, _FONT, size, colour, 1, cv2.LINE_AA)


def width_of(text: str, size: float = 0.42) -> int:
    """How wide the line is, pixels."""
    (width, _), _ = cv2.getTextSize(plain(text), _FONT, size, 1)
    return int(width)


def colour_of(number: int) -> Colour:
    """A strong colour for a number from 0 on; a few numbers that follow one another have colours that tell apart."""
    red, green, blue = colorsys.hsv_to_rgb((0.58 + number * _GOLDEN) % 1, 0.7, 0.8 if number % 2 else 0.7)
    return round(255 * blue), round(255 * green), round(255 * red)


def thumbnail(data: bytes, height: int = CELL) -> Array:
    """Decode an image file and scale it to this height, at most 1.5 times as wide; BGR (H,W,3), grey if it is none."""
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    if image is None:
        return np.full((height, height, 3), FAINT, np.uint8)
    scale = min(height / image.shape[0], 1.5 * height / image.shape[1])
    size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA))


def strip(title: str, pictures: list[Array]) -> Array:
    """Pictures (CELL,W,3) BGR side by side under a title; as wide as either needs."""
    width = max(sum(p.shape[1] + GAP for p in pictures), width_of(title) + GAP)
    row = paper(CELL + HEADER + GAP, width + GAP)
    write(row, title, (GAP, 15))
    x = GAP
    for picture in pictures:
        height, width = picture.shape[:2]
        row[HEADER : HEADER + height, x : x + width] = picture
        x += width + GAP
    return row


def below(pictures: list[Array]) -> Array:
    """Pictures (H,W,3), at least one, below one another, the narrower ones filled up with paper on the right."""
    width = max(picture.shape[1] for picture in pictures)
    pad = (np.pad(one, ((0, 0), (0, width - one.shape[1]), (0, 0)), constant_values=PAPER) for one in pictures)
    return np.vstack(list(pad))


def beside(pictures: list[Array]) -> Array:
    """Pictures (H,W,3), at least one, side by side, the lower ones filled up with paper at the bottom."""
    height = max(len(picture) for picture in pictures)
    pad = (np.pad(one, ((0, height - len(one)), (0, 0), (0, 0)), constant_values=PAPER) for one in pictures)
    return np.hstack(list(pad))


def png(picture: Array) -> bytes:
    """The picture as a PNG file."""
    done, file = cv2.imencode(".png", picture)
    if not done:
        raise ValueError(f"a picture of shape {picture.shape} cannot be written as PNG")
    return bytes(file)
