"""A picture of a run's worst mistakes: a row for each, with faces of each of its parts in a frame of its own colour."""

import unicodedata

import cv2
import numpy as np

from beam_pipelines.reports.contact_sheet import crops, stack
from model_handlers.interface import Array
from transforms.evaluation.labelled_faces import LabelledFaces
from transforms.evaluation.mistakes import LOST, MERGED, SPLIT, Mistake
from transforms.images.drawing import Colour, colour_of, plain, strip, thumbnail

MAX_OF_A_KIND, MAX_PARTS, MAX_FACES = 8, 4, 8
_GREY: Colour = (140, 140, 140)
_NAME, _TITLE = 30, 150  # characters


def write_mistakes_sheet(run: str, faces: LabelledFaces, mistakes: tuple[Mistake, ...], path: str) -> int:
    """Write the worst mistakes of each kind; returns how many are on the picture."""
    worst = [one for kind in (MERGED, SPLIT, LOST) for one in _of_kind(mistakes, kind)[:MAX_OF_A_KIND]]
    chosen = [_chosen(faces, one) for one in worst]
    files = crops(run, "faces", "face_id", {face for some in chosen for face, _ in some})
    rows = [
        strip(_title(faces, one), [_framed(files.get(face, b""), colour) for face, colour in some])
        for one, some in zip(worst, chosen, strict=True)
    ]
    return stack(rows, "no mistake was found", path)


def _of_kind(mistakes: tuple[Mistake, ...], kind: str) -> list[Mistake]:
    return [one for one in mistakes if one.kind == kind]


def _chosen(faces: LabelledFaces, mistake: Mistake) -> list[tuple[str, Colour]]:
    """Some faces of each of the largest parts, by id, with the colour of their part."""
    if mistake.kind == LOST:
        return [(face, _GREY) for face in _some(faces, faces.person == mistake.group, MAX_FACES)]
    group, part = (faces.identity, faces.person) if mistake.kind == MERGED else (faces.person, faces.identity)
    shown = mistake.parts[:MAX_PARTS]
    return [
        (face, colour)
        for colour, (other, _) in zip(map(colour_of, range(MAX_PARTS)), shown, strict=False)
        for face in _some(faces, (group == mistake.group) & (part == other), MAX_FACES // len(shown))
    ]


def _some(faces: LabelledFaces, mask: np.ndarray, most: int) -> list[str]:
    return sorted(faces.face_id.filter(mask).to_pylist())[:most]


def _framed(file: bytes, colour: Colour) -> Array:
    shown = thumbnail(file)
    height, width = shown.shape[:2]
    cv2.rectangle(shown, (1, 1), (width - 2, height - 2), colour, 3)
    return shown


def _title(faces: LabelledFaces, mistake: Mistake) -> str:
    if mistake.kind == LOST:
        return f"lost: {_named(faces, mistake.group)}, {_count(mistake.faces)}, none in an identity"
    if mistake.kind == MERGED:
        parts = ", ".join(f"{_named(faces, person)}: {count}" for person, count in mistake.parts[: 2 * MAX_PARTS])
        said = f"merged: identity {mistake.group}, {_count(mistake.faces)} of {len(mistake.parts)} people: {parts}"
    else:
        parts = ", ".join(f"#{number}: {count}" for number, count in mistake.parts[: 2 * MAX_PARTS])
        person = _named(faces, mistake.group)
        said = f"split: {person}, {_count(mistake.faces)} in {len(mistake.parts)} identities: {parts}"
    return said if len(said) <= _TITLE else f"{said[: _TITLE - 4]} ..."


def _count(faces: int) -> str:
    return f"{faces:,} face" if faces == 1 else f"{faces:,} faces"


def _named(faces: LabelledFaces, person: int) -> str:
    """A person's name, short, in letters that can be drawn: those with accents without them."""
    letters = unicodedata.normalize("NFKD", faces.people[person].as_py()[:200])
    drawn = plain("".join(letter for letter in letters if not unicodedata.combining(letter)))
    return drawn if len(drawn) <= _NAME else f"{drawn[: _NAME - 3]}..."
