"""The pages of identities and faces: all identities, one of them with its faces, one face with what is near it."""

import numpy as np

from beam_pipelines.browse.asked import Asked, address
from beam_pipelines.browse.cells import Pictures, cut, identity_link
from beam_pipelines.browse.frame import choice, hidden, page, pager
from beam_pipelines.browse.mark_forms import marks_of, merge_form, tick_buttons, whole_form
from beam_pipelines.browse.near import Near, by_edges, by_vectors
from beam_pipelines.browse.people import I64, ORDERS, People
from beam_pipelines.browse.refused import not_there
from beam_pipelines.browse.site import Site
from beam_pipelines.pages.document import Section
from beam_pipelines.pages.html import Html, element, escape, join

_IDENTITIES, _SAMPLES = 24, 6  # on a page, and of the faces of each
_FACES = 60
_NEAR = 24  # faces
_NEAR_IDENTITIES, _EDGES = 12, 4096  # of the most similar edges that lead out of an identity


def pictures_of(site: Site, people: People) -> Pictures:
    """Where the pictures of the people are."""
    return Pictures(people, site.stored.index("faces") if site.stored.has("faces") else None)


def identities(site: Site, asked: Asked) -> str:
    """The identities in an order, with some faces of each."""
    people, start = site.some_people(), asked.number("start")
    order = asked.text("order") or ORDERS[0]
    if order not in ORDERS:
        raise not_there(f"there is no order {order[:40]!r}; there are: {', '.join(ORDERS)}.")
    total = len(people.numbers)
    if start and start >= total:
        raise not_there(f"there are {total:,} identities, so none is at place {start:,}.")
    chosen = people.in_order(order)[start : start + _IDENTITIES]
    pictures, means = pictures_of(site, people), people.mean_similarity()
    blocks = [_identity(people, pictures, int(place), float(means[place])) for place in chosen]
    form = element("form", choice("order", ORDERS, order, "Order"), element("button", "Show"), action="identities")
    way = pager("identities", start, _IDENTITIES, total, "identities", {"order": order})
    sizes = f"{len(people.by_identity):,} of {len(people.face_id):,} faces have an identity."
    body = join([element("p", sizes), form, way, element("ul", *blocks, class_="people"), way])
    return page(site, "Identities", Section("identities", f"{total:,} identities", body))


def _identity(people: People, pictures: Pictures, place: int, mean: float) -> Html:
    number, faces = int(people.numbers[place]), people.by_identity[people.bounds[place] : people.bounds[place + 1]]
    some = faces[np.unique(np.linspace(0, len(faces) - 1, _SAMPLES).astype(np.int64))]
    title = identity_link(number)
    shown = [pictures.of_row(int(row), f"a face of identity {number}") for row in some]
    return element("li", element("p", title, f": {len(faces):,} faces, mean similarity {mean:.2f}"), *shown)


def identity(site: Site, asked: Asked) -> str:
    """One identity: its faces, the least certain first or the most similar first, to look at and to tick."""
    people, number, start = site.some_people(), asked.number("number"), asked.number("start")
    faces = people.faces_of(number)
    if not len(faces):
        raise not_there(f"there is no identity {number}; numbers may have changed with the last run of the stage.")
    if start >= len(faces):
        raise not_there(f"identity {number} has {len(faces):,} faces, so none is at place {start:,}.")
    most_first = asked.text("order") == "most"
    order, other = ("most", "least") if most_first else ("least", "most")
    pictures, marked = pictures_of(site, people), marks_of(site)
    centre = people.face_id[int(faces[0])].as_py()
    shown = (faces if most_first else faces[::-1])[start : start + _FACES]
    can_mark = not site.marking.why_not
    cells = [
        _face(people, pictures, int(row), marked.get(people.face_id[int(row)].as_py(), ""), can_mark) for row in shown
    ]
    way = pager("identity", start, _FACES, len(faces), "faces", {"number": number, "order": order})
    ways = [element("a", f"{other} similar first", href=address("identity", {"number": number, "order": other}))]
    if site.stored.has("edges"):
        ways.append(element("a", "Which identities are near to this one?", href=address("near", {"number": number})))
    form = element(
        "form",
        hidden(identity=number, order=order, start=start),
        tick_buttons(site, pictures.of_row(int(faces[0]), "the face nearest to the centre"), centre),
        element("ul", *cells, class_="faces"),
        method="post",
        action="mark",
    )
    whole = join([merge_form(site, number), whole_form(site, number, centre)])
    body = join([element("p", join(ways, " · ")), way, form, way, whole])
    return page(site, f"Identity {number}", Section("faces", f"{len(faces):,} faces", body))


def _face(
    people: People, pictures: Pictures, row: int, said: str, tick: bool = False, similarity: float | None = None
) -> Html:
    face = people.face_id[row].as_py()
    cosine = float(people.similarity[row]) if similarity is None else similarity
    picture = pictures.of_row(row, f"face {face}")
    box = element("input", type="checkbox", name="face", value=face) if tick else ""
    about = [element("a", f"{cosine:.3f}", href=address("face", {"id": face}), title=face)]
    if not tick:
        about.append(_whose(people, row))
    if said:
        about.append(element("span", said, class_="said"))
    return element("li", element("label", box, picture), element("div", join(about, " ")))


def _whose(people: People, row: int) -> Html:
    number = int(people.identity[row])
    if number < 0:
        return escape("not kept")
    return identity_link(number)


def face(site: Site, asked: Asked) -> str:
    """One face: whose it is, and the faces that are most similar to it."""
    people, name = site.some_people(), asked.text("id")
    row = people.row_of(name)
    if row < 0:
        raise not_there(f"the run has no face {name[:80]!r} in its table identities; search for a part of the id.")
    pictures = pictures_of(site, people)
    values = site.stored.take(
        "identities", [row], ["image_id", "label", "cluster", "similarity", "reason"]
    ).to_pylist()[0]
    lines = [("identity", _whose(people, row)), *((key, _value(key, value)) for key, value in values.items())]
    about = element(
        "table",
        *(element("tr", element("th", key, scope="row"), element("td", value)) for key, value in lines),
        *_links(site, people, row),
    )
    return page(
        site,
        f"Face {name}",
        Section("face", "The face", join([pictures.of_row(row, f"face {name}"), about])),
        Section("near", "Near to it", _near_faces(site, people, pictures, name)),
    )


def _value(key: str, value: object) -> Html:
    if value is None:
        return escape("")
    if key == "image_id":
        return element("a", cut(str(value), 60), href=address("search", {"q": str(value)}))
    return escape(f"{value:.4f}" if isinstance(value, float) else value)


def _links(site: Site, people: People, row: int) -> list[Html]:
    """Ways to the face's rows in the tables."""
    rows = [("identities", row), ("faces", int(people.picture[row]))]
    return [
        element(
            "tr",
            element("th", "row", scope="row"),
            element("td", element("a", f"in {table}", href=address("row", {"table": table, "number": number}))),
        )
        for table, number in rows
        if number >= 0
    ]


def _near_faces(site: Site, people: People, pictures: Pictures, name: str) -> Html:
    near = by_edges(site.stored, [name], _NEAR, is_inside=True) if site.stored.has("edges") else None
    if near is None or not near.other:
        near = by_vectors(site.stored, name, _NEAR)
    if not near.other:
        return escape(
            "No face is near to it by the table edges, or it has none, and the vectors are too many to compare."
        )
    rows = people.rows_of(near.other)
    cells = [
        _face(people, pictures, int(row), "", similarity=cosine)
        for row, cosine in zip(rows, near.similarity, strict=True)
        if row >= 0
    ]
    return join(
        [element("p", f"By {near.source}, with the cosine.", class_="note"), element("ul", *cells, class_="faces")]
    )


def near(site: Site, asked: Asked) -> str:
    """The identities to which the most similar edges lead out of one: perhaps the same person."""
    people, number = site.some_people(), asked.number("number")
    faces = people.faces_of(number)
    if not len(faces):
        raise not_there(f"there is no identity {number}; numbers may have changed with the last run of the stage.")
    if not site.stored.has("edges"):
        raise not_there("the run has no table edges, by which near identities are found.")
    found = by_edges(site.stored, people.face_id.take(faces).to_pylist(), _EDGES)
    pictures = pictures_of(site, people)
    blocks = [
        _pair(site, people, pictures, number, mine, yours, cosine)
        for mine, yours, cosine in _nearest_identities(people, found)
    ]
    told = "Each with its most similar pair of faces, then more of its own. Say so if it is the same person."
    body = (
        join([element("p", told), element("ul", *blocks, class_="people")])
        if blocks
        else escape("No edge leads out of it.")
    )
    return page(
        site,
        f"Near identity {number}",
        Section("near", "Near identities", join([element("p", identity_link(number)), body])),
    )


def _nearest_identities(people: People, found: Near) -> list[tuple[int, int, float]]:
    """Of each identity that is met, nearest first, the pair of rows that is most similar."""
    own, other = people.rows_of(found.own), people.rows_of(found.other)
    seen: dict[int, tuple[int, int, float]] = {}
    for mine, yours, cosine in zip(own.tolist(), other.tolist(), found.similarity, strict=True):
        if mine >= 0 <= yours and people.identity[yours] >= 0:
            seen.setdefault(int(people.identity[yours]), (mine, yours, cosine))
    return list(seen.values())[:_NEAR_IDENTITIES]


def _pair(site: Site, people: People, pictures: Pictures, number: int, mine: int, yours: int, cosine: float) -> Html:
    other = int(people.identity[yours])
    faces: I64 = people.faces_of(other)
    title = identity_link(other)
    shown = [
        pictures.of_row(row, alt) for row, alt in ((mine, f"of identity {number}"), (yours, f"of identity {other}"))
    ]
    more = [pictures.of_row(int(row), "") for row in faces[:4]]
    told = element("p", title, f": {len(faces):,} faces, cosine {cosine:.3f}")
    return element("li", told, *shown, element("span", " · "), *more, merge_form(site, number, other))
