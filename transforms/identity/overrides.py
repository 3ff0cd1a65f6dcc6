"""What a user says of faces by hand: a CSV of who is one person, who is not, and what is to go; it survives re-runs."""

import codecs
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from transforms.identity.apart import SeenTogether
from transforms.identity.clustering import connected, first_rows
from transforms.identity.evidence import Evidence, no_evidence
from transforms.identity.knn import I64, edges_of
from transforms.tables.files import open_binary

Rule = Literal["must_link", "cannot_link", "drop"]
_COLUMNS = ("rule", "face_a", "face_b", "identity")
_MOST_LINES = 1_000_000
_NEEDS = {"must_link": "face_a and face_b", "cannot_link": "face_a and face_b", "drop": "face_a, or identity"}


@dataclass(frozen=True, slots=True)
class Override:
    """A line of the file: its number, its rule and the names of faces; `whole`: the first means all of its identity."""

    line: int
    rule: Rule
    faces: tuple[str, ...]
    whole: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Overrides:
    """What the lines come to for the rows of a run.

    same (P,2) rows of one person; apart (Q,2) rows of different people, what `same` adds to them included; drop (R,)
    rows to drop; drop_whole (S,) rows whose identity is dropped; unknown: lines that name a face that is not there.
    """

    same: I64
    apart: I64
    drop: I64
    drop_whole: I64
    unknown: tuple[int, ...]


def read_overrides(path: str) -> list[Override]:
    """The lines of the file. ValueError, one sentence with the line, if it is not such a file."""
    try:
        with open_binary(path) as file:
            return parse_overrides(path, file)
    except OSError as error:
        raise ValueError(f"overrides {path} cannot be read: {error}") from error


def parse_overrides(path: str, file: BinaryIO) -> list[Override]:
    """The lines of a file that is open; ValueError as of `read_overrides`, which names it by its path."""
    try:
        return list(_lines(path, csv.DictReader(codecs.getreader("utf-8-sig")(file))))
    except (OSError, csv.Error, UnicodeDecodeError) as error:
        raise ValueError(f"overrides {path} cannot be read as CSV in UTF-8: {error}") from error


def _lines(path: str, reader: "csv.DictReader[str]") -> Iterator[Override]:
    if missing := {"rule", "face_a"}.difference(reader.fieldnames or ()):
        raise ValueError(f"overrides {path} lacks the column {min(missing)}; its columns are {', '.join(_COLUMNS)}.")
    for row in reader:
        line = reader.line_num
        if line > _MOST_LINES:
            raise ValueError(f"overrides {path} has more than {_MOST_LINES:,} lines; make it shorter.")
        rule, first, second, whole = ((row.get(name) or "").strip() for name in _COLUMNS)
        if not (rule or first or second or whole):
            continue
        if rule not in get_args(Rule):
            raise ValueError(
                f"overrides {path}, line {line}: {rule!r:.40} is no rule; use {', '.join(get_args(Rule))}."
            )
        names: tuple[str, ...]
        if rule == "drop":
            names = (first or whole,) if bool(first) != bool(whole) and not second else ()
        else:
            names = (first, second) if first and second and not whole else ()
        if not names:
            raise ValueError(f"overrides {path}, line {line}: {rule} needs {_NEEDS[rule]}, and nothing else.")
        yield Override(line, rule, names, bool(whole))  # type: ignore[arg-type]


def resolve(path: str, lines: list[Override], face_id: pa.Array, image_id: pa.Array) -> Overrides:
    """What the lines mean for the faces (N,), sorted by id, of the images (N,).

    A name is a face's id, or that of an image with one face. ValueError where an image has several, or where lines
    contradict each other; it names the lines. What `same` joins is kept apart from all that a part of it must be.
    """
    rows = _rows(path, lines, face_id, image_id)
    found = [(line, [rows[name] for name in line.faces]) for line in lines if all(name in rows for name in line.faces)]
    must, cannot, drop = ([pair for pair in found if pair[0].rule == rule] for rule in get_args(Rule))
    same = _pairs([pair for _, pair in must])
    person = connected(len(face_id), edges_of(same[:, 0], same[:, 1], np.ones(len(same), np.float32)))
    for line, (one, other) in cannot:
        if person[one] == person[other]:
            joined = [str(by.line) for by, (row, _) in must if person[row] == person[one]]
            what = f"what line {', '.join(joined[:10])} joined" if joined else "a face and itself"
            raise ValueError(
                f"overrides {path}, line {line.line}: cannot_link keeps apart {what}; take one of them out."
            )
    members: dict[int, list[int]] = {}
    for row in np.unique(same).tolist():
        members.setdefault(int(person[row]), []).append(row)
    apart = [
        [one, other]
        for _, (a, b) in cannot
        for one in members.get(int(person[a]), [a])
        for other in members.get(int(person[b]), [b])
    ]
    whole, single = ([pair[0] for line, pair in drop if line.whole is kind] for kind in (True, False))
    there = {line.line for line, _ in found}
    unknown = tuple(line.line for line in lines if line.line not in there)
    return Overrides(same, _pairs(apart), np.array(single, np.int64), np.array(whole, np.int64), unknown)


def _rows(path: str, lines: list[Override], face_id: pa.Array, image_id: pa.Array) -> dict[str, int]:
    """The row of each name that is there."""
    first_line = {name: line.line for line in reversed(lines) for name in line.faces}
    names = pa.array(list(first_line), face_id.type)
    of_face = pc.index_in(names, value_set=face_id).fill_null(-1).to_numpy()
    place = pc.index_in(image_id.cast(names.type), value_set=names).fill_null(-1).to_numpy()
    of_image = np.flatnonzero(place >= 0)
    counts = np.bincount(place[of_image], minlength=len(names))
    found = dict(zip(names.take(pa.array(place[of_image])).to_pylist(), of_image.tolist(), strict=True))
    for name, row, count in zip(names.to_pylist(), of_face.tolist(), counts.tolist(), strict=True):
        if row >= 0:
            found[name] = row
        elif count > 1:
            raise ValueError(
                f"overrides {path}, line {first_line[name]}: the image {name!r:.80} has {count} faces; name one, "
                f"such as {face_id[found[name]].as_py()!r:.80}."
            )
    return found


def _pairs(pairs: list[list[int]]) -> I64:
    return np.array(pairs, np.int64).reshape(-1, 2)


def joined_by_hand(labels: I64, overrides: Overrides) -> I64:
    """The clusters (N,), -1: none, after those of two faces that are one person became one.

    The whole clusters are joined, since what joined the two faces only would pull either cluster's faces apart. Where
    something in them must stay apart by hand, the second face goes to the first one's cluster alone.
    """
    found = labels.copy()
    alone = np.unique(overrides.same[found[overrides.same] < 0])
    found[alone] = alone
    scenes = no_evidence(len(found), overrides.apart[:, 0], overrides.apart[:, 1]).scenes()
    apart = SeenTogether(*scenes.seen(found))
    for one, other in overrides.same.tolist():
        into, gone = int(found[one]), int(found[other])
        if into != gone and not apart.forbids(into, gone):
            found[found == gone] = into
            apart.join(into, gone)
        elif into != gone:
            found[other] = into
            apart = SeenTogether(*scenes.seen(found))
    return first_rows(found)


def known_by_hand(evidence: Evidence, overrides: Overrides) -> Evidence:
    """The evidence without pictures of which the user joins two faces: they are a collage, or have a mirror."""
    one, other = overrides.same.T
    pictures = evidence.picture[one][(evidence.picture[one] == evidence.picture[other])]
    picture = np.where(np.isin(evidence.picture, pictures), -1, evidence.picture)
    return Evidence(evidence.alike, picture, evidence.first, evidence.second)
