"""What is chosen of a person's faces: the best of them, and sequences of consecutive samples. Pure functions."""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from transforms.vision.background import hash_distance


@dataclass(frozen=True, slots=True)
class Candidate:
    """A face that may be chosen: the columns of `faces` that the choice depends on, and where its row stands."""

    face_id: str
    video_id: str
    label: str | None
    media: str
    number: int
    segment: str
    sample: int
    shot: int | None
    composite: float
    emotion: str | None
    bg_hash: str
    shard: str
    row: int


Run = tuple[Candidate, ...]


def by_quality(faces: Sequence[Candidate]) -> list[Candidate]:
    """The faces by falling composite; equal ones by id."""
    return sorted(faces, key=lambda face: (-face.composite, face.face_id))


def best(faces: Sequence[Candidate], most: int, min_distance: int) -> list[Candidate]:
    """The best faces, at most so many, best first.

    Going down by quality, a face is passed over when its background's hash is nearer than `min_distance` bits to that
    of one taken; if there are then too few, the best of those passed over fill up.
    """
    ordered = by_quality(faces)
    chosen: list[Candidate] = []
    for face in ordered:
        if len(chosen) == most:
            break
        if all(hash_distance(face.bg_hash, other.bg_hash) >= min_distance for other in chosen):
            chosen.append(face)
    taken = set(chosen)
    passed_over = [face for face in ordered if face not in taken]
    return by_quality(chosen + passed_over[: most - len(chosen)])


def sequences(faces: Sequence[Candidate], length: int) -> list[Run]:
    """Every run of `length` consecutive samples of a segment that all show the person, best mean composite first.

    Of two faces in one frame the better one counts. A run over two shots is none, where the samples know their shot.
    """
    if length == 0:
        return []
    segments: dict[tuple[str, str], dict[int, Candidate]] = defaultdict(dict)
    for face in by_quality(faces):
        segments[face.video_id, face.segment].setdefault(face.sample, face)
    runs = [run for samples in segments.values() for run in _runs(samples, length)]
    return sorted(runs, key=lambda run: (-_mean(run), run[0].video_id, run[0].number, run[0].face_id))


def _runs(samples: dict[int, Candidate], length: int) -> Iterator[Run]:
    for first in sorted(samples):
        run = tuple(samples[place] for place in range(first, first + length) if place in samples)
        if len(run) == length and len({face.shot for face in run}) == 1:
            yield run


def _mean(run: Run) -> float:
    return math.fsum(face.composite for face in run) / len(run)


def gaps(run: Run) -> list[tuple[int, int]]:
    """The frame numbers between which a cut would end the shot of a run; none where the samples know their shot."""
    if run[0].shot is not None:
        return []
    return list(pairwise(face.number for face in run))
