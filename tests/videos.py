"""Videos that tests compose: numbered frames, photographs with pans, known cuts, times, rotations and tones.

`number_frames` draws each frame's number as a bar code along its top, which `read_number` reads back after any lossy
encoding, scaling or (once undone) rotation. `write` makes the file.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from pathlib import Path

import av
import cv2
import numpy as np

from tests import photographs

SIZE = (320, 240)  # width, height
_BITS, _CHECK = 16, 6  # of the number, and of the sum that proves it
_CELLS = 2 + _BITS + _CHECK + 2
_TICKS = 90_000  # a second, where the times are given


@dataclass(frozen=True)
class Tone:
    """A sine of `hertz` from `start` to `end`, seconds of the file."""

    hertz: float
    start: float
    end: float


@dataclass(frozen=True)
class File:
    """How a file is written; `times` (seconds, one a frame) makes the frame rate variable, `first` moves all of it."""

    codec: str = "libx264"
    fps: Fraction | int = 25
    times: Sequence[float] | None = None
    first: float = 0.0
    rotation: int = (
        0  # degrees clockwise that a player turns the frames, which are stored turned back; mp4 and mov only
    )
    options: dict[str, str] = field(default_factory=lambda: {"preset": "ultrafast", "crf": "20"})
    pixel_format: str = "yuv420p"
    tones: tuple[Tone, ...] = ()
    audio_seconds: float | None = None  # the length of the audio, where it is not that of the video
    audio_codec: str = "aac"
    rate: int = 44_100  # Hz
    channels: int = 1
    mux: dict[str, str] = field(default_factory=dict)
    pixel: Fraction = Fraction(1)  # width of a pixel over its height


def draw_number(image: np.ndarray, number: int) -> np.ndarray:
    """The image with the number as a bar code over the top tenth."""
    image = image.copy()
    height, width = image.shape[:2]
    for cell, bit in enumerate(_code(number)):
        left, right = cell * width // _CELLS, (cell + 1) * width // _CELLS
        image[: max(8, height // 10), left:right] = 235 if bit else 20
    return image


def read_number(image: np.ndarray) -> int:
    """The number that the bar code of an upright frame has; ValueError where there is none that is whole."""
    height, width = image.shape[:2]
    rows = image[max(8, height // 10) // 4 : max(8, height // 10) * 3 // 4]
    centres = [int((cell + 0.5) * width / _CELLS) for cell in range(_CELLS)]
    bits = [int(rows[:, max(0, x - 1) : x + 2].mean() > 127) for x in centres]
    number = int("".join(map(str, bits[2 : 2 + _BITS])), 2)
    if bits != _code(number):
        raise ValueError(f"no bar code: {bits}")
    return number


def _code(number: int) -> list[int]:
    check = (number * 37 + 11) % (1 << _CHECK)
    return [1, 0, *map(int, f"{number:0{_BITS}b}{check:0{_CHECK}b}"), 0, 1]


def number_frames(count: int, size: tuple[int, int] = SIZE, first: int = 0) -> Iterator[np.ndarray]:
    """`count` frames of a moving picture, each with its number."""
    for number in range(first, first + count):
        yield draw_number(_moving(number, size), number)


def _moving(number: int, size: tuple[int, int]) -> np.ndarray:
    width, height = size
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    waves = [(x * a + y * b + number * c) % 256 for a, b, c in ((1, 1, 3), (2, -1, 5), (-1, 2, 2))]
    return np.stack(waves, axis=-1).astype(np.uint8)


@lru_cache(maxsize=32)
def photograph(name: str) -> np.ndarray:
    """A photograph of configs/demo-photographs.yaml as RGB (H,W,3)."""
    return cv2.cvtColor(cv2.imread(str(photographs.path(name)), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)


def fitted(image: np.ndarray, size: tuple[int, int] = SIZE) -> np.ndarray:
    """The whole image, scaled into a frame of the size on grey."""
    width, height = size
    scale = min(width / image.shape[1], height / image.shape[0])
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)[:height, :width]
    frame = np.full((height, width, 3), 110, np.uint8)
    top, left = (height - small.shape[0]) // 2, (width - small.shape[1]) // 2
    frame[top : top + small.shape[0], left : left + small.shape[1]] = small
    return frame


def pan(
    image: np.ndarray, count: int, size: tuple[int, int] = SIZE, shift: tuple[float, float] = (0.06, 0.0), zoom=1.0
) -> Iterator[np.ndarray]:
    """`count` frames of the image moving by `shift` (shares of the frame) and growing by `zoom` from first to last."""
    frame, (width, height) = fitted(image, size), size
    for i in range(count):
        share = i / max(1, count - 1)
        scale = 1 + (zoom - 1) * share
        matrix = np.array([[scale, 0, width * ((1 - scale) / 2 + shift[0] * (share - 0.5))],
                           [0, scale, height * ((1 - scale) / 2 + shift[1] * (share - 0.5))]])  # fmt: skip
        yield cv2.warpAffine(frame, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def scenes(names: Sequence[str], counts: Sequence[int], size: tuple[int, int] = SIZE) -> Iterator[np.ndarray]:
    """The photographs one after the other, each panned over its count of frames: the cuts are where a count ends."""
    for i, (name, count) in enumerate(zip(names, counts, strict=True)):
        yield from pan(photograph(name), count, size, shift=(0.05 * (-1) ** i, 0.02), zoom=1.05)


def write(path: Path | str, frames: Iterable[np.ndarray], how: File = File()) -> Path:
    """Write the frames (RGB, all of one size) as the video file that the suffix of the path asks for."""
    with av.open(str(path), "w", options={"fflags": "+bitexact", **how.mux}) as out:
        video = out.add_stream(how.codec, rate=how.fps, options={"threads": "1", **how.options})
        video.pix_fmt = how.pixel_format
        video.codec_context.sample_aspect_ratio = how.pixel
        tick = Fraction(1, _TICKS) if how.first or how.times is not None else 1 / Fraction(how.fps)
        video.codec_context.time_base = tick
        audio = None
        if how.tones or how.audio_seconds:
            layout = {1: "mono", 2: "stereo"}[how.channels]
            audio = out.add_stream(how.audio_codec, rate=how.rate, layout=layout)
        last = how.first
        for i, frame in enumerate(frames):
            frame = np.rot90(frame, how.rotation // 90)
            if i == 0:
                video.height, video.width = frame.shape[:2]
            last = how.first + (how.times[i] if how.times is not None else float(i / Fraction(how.fps)))
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24")
            picture.pts, picture.time_base = round(last / tick), tick
            out.mux(video.encode(picture))
        out.mux(video.encode(None))
        if audio is not None:
            seconds = how.audio_seconds if how.audio_seconds is not None else last + 1 / float(how.fps)
            for sound in _sound(how, seconds):
                out.mux(audio.encode(sound))
            out.mux(audio.encode(None))
    if how.rotation:
        _rotate(Path(path), how.rotation)
    return Path(path)


def wave(tones: Sequence[Tone], seconds: float, rate: int) -> np.ndarray:
    """The tones as float32 samples, silence between them."""
    clock = np.arange(round(seconds * rate)) / rate
    samples = np.zeros(len(clock), np.float32)
    for tone in tones:
        on = (clock >= tone.start) & (clock < tone.end)
        samples[on] += 0.5 * np.sin(2 * np.pi * tone.hertz * clock[on]).astype(np.float32)
    return samples


def _sound(how: File, seconds: float) -> Iterator[av.AudioFrame]:
    samples = np.repeat(wave(how.tones, seconds, how.rate)[None], how.channels, axis=0)
    for start in range(0, samples.shape[1], 1024):
        part = np.ascontiguousarray(samples[:, start : start + 1024])
        sound = av.AudioFrame.from_ndarray(part, format="fltp", layout={1: "mono", 2: "stereo"}[how.channels])
        sound.sample_rate, sound.pts, sound.time_base = how.rate, start, Fraction(1, how.rate)
        yield sound


_MATRICES = {  # of a track header: a b u c d v x y w, fixed point
    90: (0, 1, 0, -1, 0, 0, 0, 0, 1),
    180: (-1, 0, 0, 0, -1, 0, 0, 0, 1),
    270: (0, -1, 0, 1, 0, 0, 0, 0, 1),
}


def _rotate(path: Path, degrees: int) -> None:
    """Set the display matrix of the video track, the first one, in its header's box."""
    data = bytearray(path.read_bytes())
    box = data.index(b"tkhd")
    start = box + 4 + (40 if data[box + 4] == 0 else 52)
    for i, value in enumerate(_MATRICES[degrees]):
        unit = 1 << 30 if i % 3 == 2 else 1 << 16
        data[start + 4 * i : start + 4 * i + 4] = (value * unit).to_bytes(4, "big", signed=True)
    path.write_bytes(bytes(data))
