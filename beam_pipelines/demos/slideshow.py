"""Videos made of photographs: each is panned over for a while, and then there is a cut to the next one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from model_handlers.interface import Array
from transforms.videos.clip_writer import EncodeSettings, write_mp4

FPS = 25
_GREY = 110
_ENCODING = EncodeSettings(crf=18, preset="veryfast")


@dataclass(frozen=True, slots=True, eq=False)
class Slide:
    """A photograph (H,W,3) RGB uint8 for so many frames; `left` turns the pan's direction."""

    photograph: Array
    frames: int
    left: bool = False


def fitted(photograph: Array, width: int, height: int) -> Array:
    """The whole photograph in a frame of this size, on grey."""
    scale = min(width / photograph.shape[1], height / photograph.shape[0])
    size = (min(width, round(photograph.shape[1] * scale)), min(height, round(photograph.shape[0] * scale)))
    frame = np.full((height, width, 3), _GREY, np.uint8)
    top, left = (height - size[1]) // 2, (width - size[0]) // 2
    frame[top : top + size[1], left : left + size[0]] = cv2.resize(photograph, size, interpolation=cv2.INTER_AREA)
    return frame


def pan(slide: Slide, width: int, height: int) -> Iterator[Array]:
    """The slide's frames: it moves by a twentieth of the frame, and comes as much nearer."""
    frame = fitted(slide.photograph, width, height)
    way = -0.05 if slide.left else 0.05
    for number in range(slide.frames):
        share = number / max(1, slide.frames - 1)
        scale = 1 + 0.05 * share
        x, y = width * ((1 - scale) / 2 + way * (share - 0.5)), height * (1 - scale) / 2
        move = np.array([[scale, 0, x], [0, scale, y]])
        yield np.asarray(
            cv2.warpAffine(frame, move, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        )


def write_slideshow(path: str, slides: Sequence[Slide], width: int, height: int) -> None:
    """Write the slides as an MP4 file of 25 frames a second; the same bytes every time."""
    count = sum(slide.frames for slide in slides)
    frames = (frame for slide in slides for frame in pan(slide, width, height))
    write_mp4(path, frames, [number / FPS for number in range(count)], count / FPS, _ENCODING)
