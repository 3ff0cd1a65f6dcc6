"""Films out of looks: scenes with cuts between their shots, one to three people side by side, and where each face is.

In a scene everyone keeps their clothes and is seen in one look or several, as from other sides; in another scene they
wear others. Some scenes go back and forth between the same shots.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

import cv2
import numpy as np

from benchmarks.films.people import Cast, Look, dye
from model_handlers.interface import Array, Pixels

SIZE = (854, 480)  # width, height
RATE = 12.5  # frames a second
HEIGHTS = {1: 0.34, 2: 0.27, 3: 0.22}  # of a face, in heights of the frame, by people beside one another
COLOURS = (  # of clothes, RGB; people of one film may well wear the same
    (40, 40, 45), (225, 225, 215), (45, 65, 140), (170, 35, 45), (40, 120, 70), (205, 165, 60), (120, 80, 130),
    (120, 115, 110),
)  # fmt: skip
POSES = 3  # looks of a person in one scene, at most
LEADS = 3  # the first people of a cast, who are in most scenes
_DRIFT, _ZOOM, _TILT = 0.03, 0.08, 4.0  # most that a part moves: shares of the frame's width and of its size; degrees
_REACH = 1.4  # most that is seen under a face, in heights of it
_NEAR = (0.4, 1.05)  # how near a scene is: what heights are multiplied with
_LIGHT = (0.75, 1.15)  # what a scene's light multiplies each colour with


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A person in a shot: who, in which look, where (0 to 1, of the width), the face's height (of the frame's).

    moves: how far it drifts, grows and tilts.
    """

    who: str
    look: Look
    x: float
    height: float
    moves: tuple[float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """So many frames of people before a background (H,W,3) that is larger than a frame and moves to the left or not."""

    background: Pixels
    parts: tuple[Part, ...]
    frames: int
    left: bool


Faces = list[tuple[str, Array]]  # who, and the face's centre (2,)


def script(cast: Cast, backgrounds: Sequence[Pixels], seconds: float, seed: int) -> list[Shot]:
    """Scenes until the film is so long; in every scene people wear other clothes than in their last one."""
    rng, shots = Random(seed), list[Shot]()
    last: dict[str, int] = {}
    while sum(shot.frames for shot in shots) < seconds * RATE:
        light = np.array([rng.uniform(*_LIGHT)] * 3) * [rng.uniform(0.93, 1.05) for _ in range(3)]
        players: dict[str, list[Look]] = {}
        for who in _players(list(cast), rng):
            last[who] = rng.choice([n for n in range(len(COLOURS) + 1) if n != last.get(who)])
            players[who] = [
                replace(look, pixels=lit(look.pixels, light)) for look in dressed(cast[who], last[who], rng)
            ]
        shots += _scene(players, lit(rng.choice(backgrounds), light), rng)
    return shots


def dressed(looks: Sequence[Look], clothes: int, rng: Random) -> list[Look]:
    """The looks in clothes of one of the COLOURS; or one of them, in the clothes that it has."""
    if clothes == len(COLOURS):
        return [rng.choice(looks)]
    return [dye(look, np.array(COLOURS[clothes])) for look in rng.sample(looks, min(len(looks), POSES))]


def lit(pixels: Pixels, light: Array) -> Pixels:
    """The pixels (H,W,3) with each colour multiplied by that of the light (3,)."""
    return np.asarray(np.clip(pixels * light.astype(np.float32), 0, 255), np.uint8)


def _players(names: list[str], rng: Random) -> list[str]:
    count = min(len(names), rng.choice((1, 2, 2, 2, 3)))
    weights = {name: rng.random() ** (1 if place < LEADS else 3) for place, name in enumerate(names)}
    return sorted(names, key=lambda name: -weights[name])[:count]


def _scene(players: dict[str, list[Look]], background: Pixels, rng: Random) -> list[Shot]:
    """One shot of all, or shots and counter-shots of one at a time, most of them from another side every time."""
    near = rng.uniform(*_NEAR)
    seen = {who: rng.choice(looks) for who, looks in players.items()}
    together = Shot(background, _side_by_side(seen, near, rng), _frames(rng, 3, 6), rng.random() < 0.5)
    if rng.random() < 0.3:
        return [together]
    shots = []
    for _ in range(2):
        for place, (who, looks) in enumerate(players.items()):
            look = seen[who] if rng.random() < 0.3 else rng.choice(looks)
            part = Part(who, look, 0.5 + rng.uniform(-0.12, 0.12), HEIGHTS[1] * near, _moves(rng))
            behind = background if place % 2 else np.ascontiguousarray(background[:, ::-1])
            shots.append(Shot(behind, (part,), _frames(rng, 1.5, 3.5), rng.random() < 0.5))
    return [*shots, together]


def _side_by_side(seen: dict[str, Look], near: float, rng: Random) -> tuple[Part, ...]:
    places = {1: (0.5,), 2: (0.3, 0.7), 3: (0.19, 0.5, 0.81)}[len(seen)]
    return tuple(
        Part(who, look, x + rng.uniform(-0.02, 0.02), HEIGHTS[len(seen)] * near, _moves(rng))
        for (who, look), x in zip(seen.items(), places, strict=True)
    )


def _moves(rng: Random) -> tuple[float, float, float]:
    return rng.uniform(-_DRIFT, _DRIFT), rng.uniform(-_ZOOM, _ZOOM), rng.uniform(-_TILT, _TILT)


def _frames(rng: Random, least: float, most: float) -> int:
    return round(rng.uniform(least, most) * RATE)


def frames(shots: Sequence[Shot]) -> Iterator[tuple[Pixels, Faces]]:
    """The film's frames, and whose faces are where in each."""
    for shot in shots:
        for number in range(shot.frames):
            yield _frame(shot, number / max(1, shot.frames - 1))


def _frame(shot: Shot, share: float) -> tuple[Pixels, Faces]:
    """The frame at this share of the shot, 0 to 1."""
    width, height = SIZE
    left = (shot.background.shape[1] - width) * (1 - share if shot.left else share)
    canvas = shot.background[:height, round(left) :][:, :width].copy()
    faces = []
    for part in shot.parts:
        matrix = placed(part, share)
        paint(canvas, part.look, matrix)
        centre = part.look.face.reshape(2, 2).mean(axis=0)
        faces.append((part.who, matrix[:, :2] @ centre + matrix[:, 2]))
    return canvas, faces


def placed(part: Part, share: float) -> Array:
    """(2,3) from a look's pixels to the frame's: the cut below the frame."""
    width, height = SIZE
    x1, y1, x2, y2 = (float(value) for value in part.look.face)
    drift, zoom, tilt = part.moves
    face = part.height * height * (1 + zoom * (share - 0.5))
    angle, scale = np.radians(tilt * (share - 0.5) * 2), face / (y2 - y1)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    reach = min(part.look.below, _REACH) * 0.9  # so that a tilt does not lift the cut into the frame
    chin = np.array([(part.x + drift * (share - 0.5)) * width, height - reach * face])
    return np.column_stack([turn, chin - turn @ np.array([(x1 + x2) / 2, y2])])


def paint(canvas: Pixels, look: Look, matrix: Array) -> None:
    """Lay a look over a canvas (H,W,3), moved by the matrix (2,3); where it is soft, the canvas shows through."""
    size = np.array(look.pixels.shape[1::-1])
    corners = np.array([(0, 0), (size[0], 0), (0, size[1]), size]) @ matrix[:, :2].T + matrix[:, 2]
    x1, y1 = np.clip(np.floor(corners.min(axis=0)), 0, canvas.shape[1::-1]).astype(int)
    x2, y2 = np.clip(np.ceil(corners.max(axis=0)), 0, canvas.shape[1::-1]).astype(int)
    if x1 >= x2 or y1 >= y2:
        return
    own = matrix - np.array([[0, 0, x1], [0, 0, y1]])
    to = (int(x2 - x1), int(y2 - y1))
    pixels = cv2.warpAffine(look.pixels, own, to, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    opaque = cv2.warpAffine(look.opaque, own, to, flags=cv2.INTER_LINEAR)[..., None]
    part = canvas[y1:y2, x1:x2]
    part[:] = (part + (pixels - part.astype(np.float32)) * opaque).astype(np.uint8)
