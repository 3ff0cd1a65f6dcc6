"""A line of a picture of persons: a band of colour, words, faces; and the overview of clusters that is made of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from model_handlers.interface import Array
from transforms.images.drawing import FAINT, GAP, INK, Colour, below, beside, paper, width_of, write
from transforms.persons.screen_time import Span

SIDE = 72  # pixels of a face
WORDS = 138  # pixels of the words, with the band before them
TITLE = 40  # pixels
_BAND, _FROM = 5, 14  # the width of the band of colour, and where words begin
_STEP = 18  # pixels from one line of words to the next
_LINES_OF_COLUMN = 20


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """What a picture says of somebody: words, the first of them large; faces (SIDE,W,3) BGR; when it is seen."""

    words: tuple[str, ...]
    faces: list[Array]
    colour: Colour
    spans: list[Span] = field(default_factory=list)


def clock(seconds: float) -> str:
    """A time as people write it: `4.5 s`, `1:04`, `1:02:03`."""
    if round(seconds, 1) < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def counted(number: int, one: str) -> str:
    """A number with its noun: `1 face`, `2 faces`, `3 identities`."""
    several = f"{one[:-1]}ies" if one.endswith("ty") else f"{one}s"
    return f"{number:,} {one if number == 1 else several}"


def heading(title: str, note: str = "") -> Array:
    """A title and, behind it, a fainter note; as wide as they are."""
    made = paper(TITLE, 3 * GAP + width_of(title, 0.6) + width_of(note) + GAP)
    write(made, title, (GAP, 26), 0.6)
    write(made, note, (2 * GAP + width_of(title, 0.6), 26), colour=FAINT)
    return made


def draw_line(line: Line, width: int) -> Array:
    """Band, words and faces (SIDE + GAP, width, 3); faces for which there is no room are left out."""
    made = paper(SIDE + GAP, width)
    made[:SIDE, GAP : GAP + _BAND] = line.colour
    for number, words in enumerate(line.words):
        size, colour = (0.5, INK) if number == 0 else (0.4, FAINT)
        write(made[:, : WORDS - GAP], words, (GAP + _FROM, 20 + number * _STEP), size, colour)
    x = WORDS
    for face in line.faces:
        if x + face.shape[1] > width:
            break
        made[: len(face), x : x + face.shape[1]] = face
        x += face.shape[1] + GAP
    return made


def overview(title: str, note: str, lines: Sequence[Line], nothing: str) -> Array:
    """The lines below one another in columns of twenty under a title, or the sentence `nothing` if there are none."""
    if not lines:
        empty = paper(SIDE, 2 * GAP + width_of(nothing, 0.5))
        write(empty, nothing, (GAP, SIDE // 2), 0.5)
        return below([heading(title, note), empty])
    faces = max(sum(face.shape[1] + GAP for face in line.faces) for line in lines)
    drawn = [draw_line(line, WORDS + faces + GAP) for line in lines]
    columns = [below(drawn[at : at + _LINES_OF_COLUMN]) for at in range(0, len(drawn), _LINES_OF_COLUMN)]
    return below([heading(title, note), beside(columns)])
