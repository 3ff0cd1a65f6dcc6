"""The pictures of one video: its clusters before and after merging, and its persons against time."""

from collections.abc import Sequence

import numpy as np

from model_handlers.interface import Array
from transforms.images.drawing import FAINT, Colour, colour_of
from transforms.persons.appearances import I64
from transforms.persons.pictures.crops import spread, thumbnails
from transforms.persons.pictures.gallery import Gallery
from transforms.persons.pictures.lines import SIDE, Line, clock, counted, overview
from transforms.persons.pictures.picture_settings import PictureSettings
from transforms.persons.pictures.timeline import timeline
from transforms.persons.screen_time import Seen, longest_first, share
from transforms.tables.pointers import Pointers

MOST_PERSONS = 50  # on a timeline


def draw_before(run: str, gallery: Gallery, settings: PictureSettings) -> Array:
    """The clusters before merging, in the colours of the persons that they became part of; grey: of nobody."""
    seen = longest_first(gallery.cluster, gallery.frame, gallery.moments)
    colours = [_colour(int(gallery.person[one.rows[0]])) for one in seen]
    title = f"{gallery.video_id}: {counted(len(seen), 'cluster')} before merging"
    return _overview(run, gallery, settings, title, "in the colours of the persons, grey: of nobody", seen, colours)


def draw_after(run: str, gallery: Gallery, settings: PictureSettings) -> Array:
    """The persons: what the clusters became by merging, and by leaving small ones out."""
    seen = longest_first(gallery.person, gallery.frame, gallery.moments)
    title = f"{gallery.video_id}: {counted(len(seen), 'person')} after merging"
    note = f"{counted(int((gallery.person < 0).sum()), 'face')} of nobody"
    return _overview(run, gallery, settings, title, note, seen, [_colour(one.label) for one in seen])


def _overview(
    run: str, gallery: Gallery, of: PictureSettings, title: str, note: str, seen: list[Seen], colours: list[Colour]
) -> Array:
    order = sorted(range(len(seen)), key=lambda place: -len(seen[place].rows))[: of.clusters]
    faces = _faces(run, gallery.crops, [spread(seen[place].rows, of.faces) for place in order])
    lines = [
        Line((counted(len(seen[place].rows), "face"), clock(seen[place].seconds)), some, colours[place])
        for place, some in zip(order, faces, strict=True)
    ]
    if len(order) < len(seen):
        note = f"the largest {len(order)}, {note}"
    return overview(title, note, lines, "there is none")


def draw_timeline(run: str, gallery: Gallery, faces: int = 1) -> Array:
    """The key persons, or all if none is key, against time, with so many faces; a single one is nearest the mean."""
    seen = longest_first(gallery.person, gallery.frame, gallery.moments)
    shown = [one for one in seen if gallery.persons[one.label].key] or seen
    shown = shown[:MOST_PERSONS]
    rows = [_own(gallery, one) if faces == 1 else spread(one.rows, faces) for one in shown]
    of = "" if len(shown) == len(seen) else f"{len(shown)} of "
    note = f"{of}{counted(len(seen), 'person')} in {clock(gallery.seconds)}"
    return against_time(run, gallery.crops, gallery.video_id, note, shown, rows, gallery.seconds)


def against_time(
    run: str, crops: Pointers, title: str, note: str, seen: Sequence[Seen], rows: Sequence[I64], seconds: float
) -> Array:
    """Somebody a line, with the faces of these rows, in a video of so many seconds."""
    lines = [
        Line(_words(one, seconds), faces, colour_of(place), one.spans)
        for place, (one, faces) in enumerate(zip(seen, _faces(run, crops, rows), strict=True))
    ]
    return timeline(title, note, lines, seconds)


def _words(seen: Seen, seconds: float) -> tuple[str, ...]:
    percent = f"{100 * share(seen.seconds, seconds):.0f} % of the video"
    return clock(seen.seconds), percent, counted(len(seen.rows), "face")


def _own(gallery: Gallery, seen: Seen) -> I64:
    """(1,) the row of the face that stands for a person."""
    return np.array([gallery.face_id.index(gallery.persons[seen.label].face_id)], np.int64)


def _colour(person: int) -> Colour:
    return FAINT if person < 0 else colour_of(person)


def _faces(run: str, crops: Pointers, rows: Sequence[I64]) -> list[list[Array]]:
    return thumbnails(run, crops, rows, SIDE)
