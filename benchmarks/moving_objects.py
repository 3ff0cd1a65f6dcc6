"""Composed sequences to track: objects that walk, cross, hide behind each other and come back, and what a detector
would find of them, with the exact truth."""

from dataclasses import dataclass

import numpy as np

from benchmarks.track_scores import Truth
from model_handlers.geometry import suppress
from model_handlers.interface import Array
from transforms.tracking.bytetrack import FrameObjects

WIDTH, HEIGHT = 1280, 720
PILLARS = np.array([[400.0, 0, 450, HEIGHT], [880, 0, 940, HEIGHT]])  # what stands still before everything
OVERLAP = 0.6  # detectors keep one of two boxes of more
SAMPLES = 9  # points along each side of a box that tell how much of it is seen


@dataclass(frozen=True, slots=True)
class Scene:
    """What a sequence is composed of: objects at any time, frames a second, seconds, and how bad the detector is.

    `detector` is the median score of what is fully seen, `alarms` are false detections a frame, each elsewhere,
    `ghosts` are places at which the detector sees something now and then.
    """

    seed: int
    objects: int = 12
    frame_rate: float = 16
    seconds: float = 20
    detector: float = 0.75
    alarms: float = 0.7
    ghosts: int = 6


@dataclass(frozen=True, slots=True, eq=False)
class Sequence:
    """The detections of a sequence, frame by frame, and the truth."""

    name: str
    frames: list[FrameObjects]
    truth: Truth
    frame_rate: float


def composed(scene: Scene) -> Sequence:
    """The sequence of a scene: the same numbers for the same seed."""
    random = np.random.default_rng(scene.seed)
    count = round(scene.seconds * scene.frame_rate)
    walks = _walks(random, scene, count)
    ghosts = _ghosts(random, scene.ghosts)
    mood = random.normal(0, 0.05, len(walks))  # each object's own ease of being found, which wanders
    frames, ids, boxes, hidden = [], [], [], []
    for place in range(count):
        there = np.nonzero(np.isfinite(walks[:, place, 0]))[0]
        there = there[np.argsort(-walks[there, place, 3], kind="stable")]  # the nearest, lowest, first
        visible = _visible(walks[there, place])
        mood += random.normal(0, 0.06, len(mood)) - 0.1 * mood
        frames.append(_detected(random, scene, walks[there, place], visible, mood[there], ghosts))
        ids.append(there)
        boxes.append(walks[there, place])
        hidden.append(visible < 0.1)
    name = f"composed {scene.seed}: {scene.objects} objects, {scene.frame_rate:g} fps"
    return Sequence(name, frames, Truth(list(range(count)), ids, boxes, hidden), scene.frame_rate)


def _walks(random: np.random.Generator, scene: Scene, count: int) -> Array:
    """(K,count,4) boxes of every object in every frame, NaN where it is not in the picture."""
    walks = []
    for number in range(scene.objects):
        start = 0 if number < scene.objects // 2 else int(random.integers(0, count // 2))
        while start < count:  # who leaves is followed by another
            walk = _walk(random, scene.frame_rate, count - start)
            gone = random.integers(0, 2 * scene.frame_rate)
            walks.append(np.full((count, 4), np.nan))
            walks[-1][start : start + len(walk)] = walk
            start += len(walk) + int(gone)
    return np.array(walks)


def _walk(random: np.random.Generator, frame_rate: float, most: int) -> Array:
    """(L,4) boxes of an object from its entry on until it leaves; some turn round outside and come back at once."""
    height = random.uniform(70, 220)
    wide = random.uniform(0.32, 0.5) if random.random() < 0.8 else random.uniform(1, 2.2)
    size = np.array([height * wide, height])
    side = random.choice([-1, 1])
    centre = np.array([WIDTH / 2 - side * WIDTH / 2, random.uniform(0.25, 0.85) * HEIGHT])
    if random.random() < 0.35:
        centre[0] = random.uniform(0.1, 0.9) * WIDTH
    speed = np.array([side * random.uniform(0.3, 1.4), random.normal(0, 0.12)]) * height  # pixels a second
    returns, waits = int(random.random() < 0.3), 0.0
    boxes = []
    for _ in range(most):
        boxes.append(np.concatenate([centre - size / 2, centre + size / 2]))
        if waits > 0:
            waits -= 1 / frame_rate
        elif random.random() < 0.06 / frame_rate:
            waits = random.uniform(0.3, 1.5)
        else:
            centre = centre + speed / frame_rate
        speed = speed + random.normal(0, 0.25, 2) * [1, 0.4] * height / np.sqrt(frame_rate)
        speed = np.clip(speed, -1.6 * height, 1.6 * height) * [1, 0.98]
        size = size * np.exp(random.normal(0, 0.004))
        if not 0 <= centre[0] <= WIDTH or not 0.1 * HEIGHT <= centre[1] <= 0.95 * HEIGHT:
            if not returns:
                break
            returns -= 1
            speed = -speed
            centre = np.clip(centre, [0, 0.1 * HEIGHT], [WIDTH, 0.95 * HEIGHT])
    return np.array(boxes)


def _visible(boxes: Array) -> Array:
    """(N,) which share of each box is seen, the nearest first, by points in it."""
    shares = np.empty(len(boxes))
    steps = (np.arange(SAMPLES) + 0.5) / SAMPLES
    for place, (x1, y1, x2, y2) in enumerate(boxes):
        x, y = np.meshgrid(x1 + (x2 - x1) * steps, y1 + (y2 - y1) * steps)
        covers = np.concatenate([PILLARS, boxes[:place]])
        seen = (x >= 0) & (x < WIDTH) & (y >= 0) & (y < HEIGHT)
        for left, top, right, bottom in covers:
            seen &= ~((x >= left) & (x < right) & (y >= top) & (y < bottom))
        shares[place] = seen.mean()
    return shares


def _ghosts(random: np.random.Generator, number: int) -> Array:
    """(K,4) boxes of what stands there and looks like an object."""
    middles = random.uniform(0.1, 0.9, (number, 2)) * [WIDTH, HEIGHT]
    halves = random.uniform(40, 100, (number, 1)) * [0.4, 1]
    return np.concatenate([middles - halves, middles + halves], axis=1)


def _detected(
    random: np.random.Generator, scene: Scene, boxes: Array, visible: Array, mood: Array, ghosts: Array
) -> FrameObjects:
    """What is found: scores fall with what is hidden, boxes tremble; now and then one is missed, doubled or false."""
    sizes = np.tile(boxes[:, 2:] - boxes[:, :2], 2)
    scores = scene.detector - 0.75 * (1 - visible) ** 1.2 + mood + random.normal(0, 0.06, len(boxes))
    found = boxes + random.normal(0, 1, boxes.shape) * sizes * (0.02 + 0.05 * (1 - visible[:, None]))
    kept = (random.random(len(boxes)) > 0.04) & (scores > 0.05) & (visible > 0.15)
    double = kept & (random.random(len(boxes)) < 0.02)
    parts = found[double] + random.uniform(-0.2, 0.2, (int(double.sum()), 4)) * sizes[double]
    number = random.poisson(scene.alarms)
    corner = random.uniform(0, 1, (number, 2)) * [WIDTH, HEIGHT]
    side = random.uniform(60, 200, (number, 1)) * [0.4, 1]
    alarms = np.concatenate([corner - side / 2, corner + side / 2], axis=1)
    seen = ghosts[random.random(len(ghosts)) < 0.4]
    seen = seen + random.normal(0, 4, seen.shape)
    everything = np.concatenate([found[kept], parts, alarms, seen])
    marks = [scores[kept], scores[double] * 0.6, random.beta(1.5, 5, number)]
    marks = np.concatenate([*marks, random.normal(0.4, 0.1, len(seen))])
    marks = np.clip(marks, 0.01, 0.98)
    order = suppress(everything, marks, OVERLAP)
    return FrameObjects(everything[order].astype(np.float32), marks[order].astype(np.float32))
