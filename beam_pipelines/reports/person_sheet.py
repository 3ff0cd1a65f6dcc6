"""A picture of the persons of a run: a block a video, a row a person, with faces and when it is seen."""

from itertools import islice

from beam_pipelines.reports.contact_sheet import stack
from transforms.persons.pictures.drawn import MOST_PERSONS, draw_timeline
from transforms.persons.pictures.gallery import Gallery, read_galleries

MAX_VIDEOS = 12
FACES = 5


def write_person_sheet(run: str, path: str) -> int:
    """Write the key persons of the first videos that have one; returns the number of persons on it."""
    shown = list(islice((one for one in read_galleries(run) if one.persons), MAX_VIDEOS))
    stack([draw_timeline(run, one, FACES) for one in shown], "no person was found", path)
    return sum(map(_drawn, shown))


def _drawn(gallery: Gallery) -> int:
    keys = sum(person.key for person in gallery.persons)
    return min(keys or len(gallery.persons), MOST_PERSONS)
