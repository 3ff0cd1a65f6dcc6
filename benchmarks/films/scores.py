"""How well the persons found in films agree with who plays in them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model_handlers.interface import Array
from transforms.evaluation.agreement import measure
from transforms.persons.appearances import I64, Appearances

KEY_SHARE = 0.1  # of a film's looked-at frames in which a key person is seen, at least
NOBODY = -1
Faces = Sequence[tuple[str, Array | None]]  # who is in a frame, and the centre (2,) of the face; None: whichever it is


@dataclass(frozen=True, slots=True)
class Scores:
    """Of one film: NMI and BCubed F of all faces, NMI of those of key persons, persons found for each who plays."""

    nmi: float
    f: float
    key_nmi: float


def truth(found: Appearances, names: Sequence[str], played: Sequence[Faces]) -> I64:
    """(N,) the place in `names` of whose face each is, NOBODY where it is none of theirs; played: by frame number."""
    whose = (_whose(box, played[frame]) for box, frame in zip(found.box, found.frame.tolist(), strict=True))
    return np.array([NOBODY if who is None else names.index(who) for who in whose], np.int64)


def _whose(box: Array, faces: Faces) -> str | None:
    """The one whose face's centre is in the box (4,), the nearest to the box's centre."""
    middle = box.reshape(2, 2).mean(axis=0)
    inside = [
        (0.0 if centre is None else float(np.linalg.norm(centre - middle)), who)
        for who, centre in faces
        if centre is None or ((box[:2] <= centre) & (centre <= box[2:])).all()
    ]
    return min(inside)[1] if inside else None


def scores(found: I64, played: I64, frame: I64, looked_at: int) -> Scores:
    """Compare clusters (N,) with who plays (N,), in `frame` (N,) of so many; faces that are nobody's do not count."""
    somebody = played != NOBODY
    key = key_persons(played, frame, looked_at)
    keys = np.isin(played, key)
    whole = measure(played[somebody], found[somebody])
    return Scores(whole.information.nmi, whole.bcubed.f1, measure(played[keys], found[keys]).information.nmi)


def key_persons(played: I64, frame: I64, looked_at: int) -> list[int]:
    """Those who are seen in KEY_SHARE of the frames that were looked at."""
    people = np.unique(played[played != NOBODY]).tolist()
    return [who for who in people if len(np.unique(frame[played == who])) >= KEY_SHARE * looked_at]


def mean(films: Sequence[Scores]) -> Scores:
    """The mean of each score."""
    return Scores(*(float(np.mean([getattr(one, name) for one in films])) for name in ("nmi", "f", "key_nmi")))
