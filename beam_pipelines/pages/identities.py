"""Who was found: sizes of the identities, and the largest, least certain and smallest as contact sheets."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from beam_pipelines.pages.charts import bins, chart, histogram
from beam_pipelines.pages.document import Section
from beam_pipelines.pages.html import Html, element, join
from beam_pipelines.pages.source import F64, Source
from beam_pipelines.pages.table import shown, table
from beam_pipelines.pages.thumbnails import pictures_of, row_of
from transforms.persons.pictures.crops import spread
from transforms.persons.pictures.lines import counted
from transforms.tables.shards import iter_tables

SHOWN = 10  # identities of each kind
FACES = 6  # of an identity
_SIZES = (1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1000)  # the first of each class of sizes

I64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Members:
    """The N faces that have an identity, by identity and falling similarity; K identities.

    row (N,): in the table; similarity (N,): to the centre, NaN where it is not told; number (K,): of each identity;
    start (K+1,): where its faces begin.
    """

    row: I64
    similarity: F64
    number: I64
    start: I64

    @property
    def sizes(self) -> I64:
        """Faces (K,) of each identity."""
        return np.diff(self.start)

    def rows(self, place: int) -> I64:
        """Some rows of an identity, from near its centre to far."""
        own = self.row[self.start[place] : self.start[place + 1]]
        return spread(own, FACES)


def read_members(run: str) -> Members:
    """Read two slim columns of `identities`: about 50 bytes a face are in memory meanwhile."""
    identity, similarity = [np.zeros(0, np.int64)], [np.zeros(0)]
    for shard in iter_tables(run, "identities", ["identity", "similarity"]):
        identity.append(shard["identity"].fill_null(-1).to_numpy())
        similarity.append(shard["similarity"].to_numpy().astype(np.float64))
    whose, near = np.concatenate(identity), np.concatenate(similarity)
    row = np.flatnonzero(whose >= 0)
    row = row[np.lexsort((-near[row], whose[row]))]
    number, start = np.unique(whose[row], return_index=True)
    return Members(row, near[row], number, np.append(start, len(row)).astype(np.int64))


def section(source: Source) -> Section | None:
    """Sizes and contact sheets; None without identities."""
    if not source.has("identities", "identity", "similarity", "face_id"):
        return None
    members = read_members(source.run)
    if not len(members.number):
        return Section("identities", "Identities", element("p", "No face came into an identity."))
    kinds = _kinds(members)
    places = sorted({place for _, _, some in kinds for place in some})
    ids = face_ids(source.run, np.concatenate([members.rows(place) for place in places]))
    pictures = pictures_of(source, set(ids.values()))
    sheets = (_sheet(members, title, note, some, ids, pictures) for title, note, some in kinds)
    return Section("identities", "Identities", join([_sizes(members), *sheets]))


def _sizes(members: Members) -> Html:
    sizes = members.sizes
    counts = np.histogram(sizes, [*_SIZES, np.inf])[0].tolist()
    names = [_class(place) for place in range(len(_SIZES))]
    faces = np.bincount(np.digitize(sizes, _SIZES) - 1, sizes, len(_SIZES)).astype(np.int64).tolist()
    rows = [one for one in zip(names, counts, faces, strict=True) if one[1]]
    words = (
        f"{counted(len(sizes), 'identity')} of {counted(int(sizes.sum()), 'face')}: half of them have up to "
        f"{shown(float(np.median(sizes)))}, the largest has {int(sizes.max()):,}."
    )
    drawn = [
        chart("How many faces an identity has", histogram("Sizes of identities", bins(sizes.astype(np.float64)))),
        chart("Sizes in numbers", table(("faces", "identities", "faces in all"), rows, "Sizes of identities")),
    ]
    near = members.similarity[np.isfinite(members.similarity)]
    if len(near):
        picture = histogram("Similarity of faces to the centre of their identity", bins(near))
        drawn.insert(1, chart("How near faces are to the centre of their identity", picture, "cosine similarity"))
    return join([element("p", words), element("div", *drawn, class_="charts")])


def _class(place: int) -> str:
    first = _SIZES[place]
    if place + 1 == len(_SIZES):
        return f"{first:,} and more"
    last = _SIZES[place + 1] - 1
    return f"{first:,}" if first == last else f"{first:,} to {last:,}"


def _kinds(members: Members) -> list[tuple[str, str, list[int]]]:
    """Titles, notes and places of the identities to show; each is shown once."""
    sizes, several = members.sizes, np.flatnonzero(members.sizes > 1)
    farthest = members.similarity[members.start[1:] - 1]
    farthest = np.where(np.isfinite(farthest), farthest, np.inf)
    largest = np.argsort(-sizes, kind="stable")[:SHOWN].tolist()
    unsure = _others(several[np.argsort(farthest[several], kind="stable")], largest)
    smallest = _others(np.argsort(sizes, kind="stable")[: 3 * SHOWN], {*largest, *unsure})
    if not np.isfinite(farthest[unsure]).all():
        unsure = []
    kinds = [
        ("Largest", "Two people in one would be seen here first.", largest),
        ("Least certain", "Their farthest face is farther from the centre than in all others.", unsure),
        ("Smallest", "Those that are parts of larger ones would be seen here.", smallest),
    ]
    return [one for one in kinds if one[2]]


def _others(places: I64, shown_already: Iterable[int]) -> list[int]:
    known = set(shown_already)
    return [place for place in places[: 4 * SHOWN].tolist() if place not in known][:SHOWN]


def face_ids(run: str, rows: I64) -> dict[int, str]:
    """The ids of the faces in these rows of `identities`."""
    found: dict[int, str] = {}
    wanted, start = np.unique(rows), 0
    for shard in iter_tables(run, "identities", ["face_id"]):
        here = wanted[(wanted >= start) & (wanted < start + len(shard))]
        found.update(zip(here.tolist(), shard["face_id"].take(here - start).to_pylist(), strict=True))
        start += len(shard)
    return found


def _sheet(
    members: Members, title: str, note: str, places: Sequence[int], ids: Mapping[int, str], pictures: Mapping[str, Html]
) -> Html:
    rows = [_identity(members, place, ids, pictures) for place in places]
    return join([element("h3", title), element("p", note, class_="note"), element("div", *rows, class_="sheets")])


def _identity(members: Members, place: int, ids: Mapping[int, str], pictures: Mapping[str, Html]) -> Html:
    last = float(members.similarity[members.start[place + 1] - 1])
    far = f", similarity to the centre at least {last:.3f}" if np.isfinite(last) else ""
    words = f"identity {members.number[place]}: {counted(int(members.sizes[place]), 'face')}{far}"
    names = [ids[row] for row in members.rows(place).tolist()]
    drawn = [(pictures[name], "") for name in names if name in pictures]
    shown_faces = row_of(drawn) if drawn else element("p", join((element("code", one) for one in names), ", "))
    return element("div", element("p", words), shown_faces)
