"""Cuts: the frames of a video that begin a new shot. One interface before all detectors: frames in, numbers out."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any

import cv2
import numpy as np

from model_handlers.interface import Pixels
from transforms.videos.shot_settings import ShotSettings

# Windows of frames (N, 100, 27, 48, 3) uint8 RGB -> (N, 100): probability that a frame belongs to a transition
WindowScores = Callable[[Pixels], Any]

NETWORK_SIZE = (48, 27)  # width, height of the frames that TransNetV2 sees
# Of those that PySceneDetect's detectors see: its own default for wide videos. Scores are means over pixels, so that
# other videos may be squeezed into it.
CONTENT_SIZE = (256, 144)
WINDOW, CONTEXT = 100, 25  # frames that it sees at once, and how many of them on each side are there as context only
_AT_ONCE = 8  # windows held in memory
_MISSING = 'Shots need the package scenedetect, which is not installed: pip install "manyfaces[video]".'
_FPS = 25.0  # PySceneDetect wants one; all its arithmetic here is in whole frames


def frame_size(settings: ShotSettings) -> tuple[int, int]:
    """Width and height to which the detector's frames are to be scaled, whatever their own."""
    return NETWORK_SIZE if settings.detector == "transnetv2" else CONTENT_SIZE


def context_frames(settings: ShotSettings) -> int:
    """How many frames on each side of a frame the detector looks at, to say whether it begins a shot."""
    return {"adaptive": settings.adaptive_window, "content": 1, "transnetv2": CONTEXT}.get(settings.detector, 0)


def detect_cuts(
    frames: Iterable[Pixels], settings: ShotSettings, window_scores: WindowScores | None = None
) -> list[int]:
    """Which of the frames, counted from 0, begin a new shot; never the first. None for `none` and `fixed`.

    frames: RGB uint8 (H,W,3), scaled to `frame_size`, in order; read once, few in memory at a time. `window_scores` is
    the network, which `transnetv2` alone needs. `adaptive` finds no cut within `adaptive_window` frames of either end.
    """
    if settings.detector in ("adaptive", "content"):
        return _detect_by_content(frames, settings)
    if settings.detector == "transnetv2":
        assert window_scores is not None, "transnetv2 needs its network"
        return cuts_of_scores(_network_scores(frames, window_scores), settings.model_score)
    return []


def _detect_by_content(frames: Iterable[Pixels], settings: ShotSettings) -> list[int]:
    try:
        from scenedetect.common import FrameTimecode
        from scenedetect.detectors import AdaptiveDetector, ContentDetector
    except ImportError:
        raise ModuleNotFoundError(_MISSING) from None
    if settings.detector == "content":
        detector = ContentDetector(threshold=settings.content_score, min_scene_len=settings.min_cut_frames)
    else:
        detector = AdaptiveDetector(
            adaptive_threshold=settings.adaptive_ratio,
            window_width=settings.adaptive_window,
            min_content_val=settings.adaptive_score,
            min_scene_len=settings.min_cut_frames,
        )
    cuts = []
    for number, frame in enumerate(frames):
        bgr = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
        cuts += [cut.frame_num for cut in detector.process_frame(FrameTimecode(number, _FPS), bgr)]
    return cuts


def _network_scores(frames: Iterable[Pixels], window_scores: WindowScores) -> Iterator[float]:
    """The probability of each frame."""
    every = windows(frames)
    while several := list(islice(every, _AT_ONCE)):
        scores = window_scores(np.stack([window for window, _ in several]))
        for score, (_, count) in zip(scores, several, strict=True):
            yield from score[CONTEXT : CONTEXT + count].tolist()


def windows(frames: Iterable[Pixels]) -> Iterator[tuple[Pixels, int]]:
    """Windows (100,H,W,3), each 50 frames behind the one before, so that their middles are all frames once.

    The first frame is repeated before itself and the last behind itself, as TransNetV2's authors do; with each window
    comes how many frames of its middle are no repetitions.
    """
    step = WINDOW - 2 * CONTEXT
    held: list[Pixels] = []
    left = 0  # frames held that have been in no middle yet
    for frame in frames:
        held = held or [frame] * CONTEXT
        held.append(frame)
        left += 1
        if len(held) == WINDOW:
            yield np.stack(held), step
            held, left = held[step:], left - step
    while left > 0:
        yield np.stack(held + held[-1:] * (WINDOW - len(held))), min(left, step)
        held, left = held[step:], left - step


def cuts_of_scores(scores: Iterable[float], least: float) -> list[int]:
    """The frames behind each run of scores above `least`: where a transition is over, the next shot begins."""
    cuts, inside = [], False
    for number, score in enumerate(scores):
        if inside and score <= least:
            cuts.append(number)
        inside = score > least
    return cuts
