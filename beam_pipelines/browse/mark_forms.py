"""The forms with which mistakes are marked, and the page of all marks."""

from collections.abc import Sequence
from http import HTTPStatus

from beam_pipelines.browse.asked import Asked, address
from beam_pipelines.browse.cells import identity_link
from beam_pipelines.browse.frame import hidden, page, pager
from beam_pipelines.browse.marks import dropped, identity_dropped, other_people, other_person, same_person
from beam_pipelines.browse.people import People
from beam_pipelines.browse.refused import Refused, not_there
from beam_pipelines.browse.site import Site
from beam_pipelines.pages.document import Section
from beam_pipelines.pages.html import Html, element, escape, join
from transforms.identity.overrides import Override

_LINES = 100
_SAID = {"must_link": "same person as another", "cannot_link": "kept apart", "drop": "dropped"}


def tick_buttons(site: Site, picture: Html, centre: str) -> Html:
    """What the faces with a tick are; nothing where the run takes no marks."""
    if site.marking.why_not:
        return element("p", site.marking.why_not, class_="warn")
    buttons = [
        element("button", text, name="do", value=name)
        for name, text in (
            ("person", "One other person"),
            ("people", "Other people"),
            ("drop", "Drop these faces"),
        )
    ]
    told = "Faces with a tick are not the person of this face, the nearest to the centre:"
    return element("div", element("p", told), picture, hidden(centre=centre), *buttons, class_="marking")


def merge_form(site: Site, number: int, other: int | None = None) -> Html:
    """The form that says that two identities are one person; `other` is asked for where it is not given."""
    if site.marking.why_not:
        return escape("")
    asked = (
        element(
            "label",
            "It is the same person as identity ",
            element("input", name="other", inputmode="numeric", required=True),
        )
        if other is None
        else hidden(other=other)
    )
    button = element("button", "Same person", name="do", value="same")
    return element("form", hidden(identity=number), asked, button, method="post", action="mark")


def whole_form(site: Site, number: int, face: str) -> Html:
    """The form that drops a whole identity."""
    if site.marking.why_not:
        return escape("")
    button = element("button", "Drop this whole identity", name="do", value="drop identity")
    return element("form", hidden(identity=number, centre=face), button, method="post", action="mark")


def marks_of(site: Site) -> dict[str, str]:
    """What the file of marks says of each face that it names."""
    if site.marking.why_not:
        return {}
    return {face: _SAID[line.rule] for line in site.marks.lines() for face in line.faces}


def mark(site: Site, asked: Asked) -> str:
    """Write what a form says; returns the address of the page to go to."""
    if site.marking.why_not:
        raise Refused(HTTPStatus.CONFLICT, site.marking.why_not)
    people, number = site.some_people(), asked.number("identity")
    count = site.marks.add(_lines(people, number, asked))
    return address("marks", {"written": count, "identity": number})


def _lines(people: People, number: int, asked: Asked) -> list[Override]:
    """The lines that a form asks for; Refused if it names what is not there, or nothing."""
    do, faces = asked.text("do"), asked.texts("face")
    if do == "same":
        return _same(people, number, asked.number("other"))
    if do == "drop identity":
        return identity_dropped(_there(people, number, [asked.text("centre")])[0])
    if not faces:
        raise Refused(HTTPStatus.BAD_REQUEST, "no face has a tick; go back and tick those that are meant.")
    _there(people, number, faces)
    if do == "drop":
        return dropped(faces)
    (centre,) = _there(people, number, [asked.text("centre")])
    if centre in faces:
        centre = _next_centre(people, number, faces)
    if do == "person":
        return other_person(faces, centre)
    if do == "people":
        return other_people(faces, centre)
    raise Refused(HTTPStatus.BAD_REQUEST, "the form does not say what is to be marked; go back and use its buttons.")


def _same(people: People, number: int, other: int) -> list[Override]:
    ends = [people.faces_of(one) for one in (number, other)]
    if number == other or not all(len(end) for end in ends):
        raise not_there(f"identities {number} and {other} are not two identities of the run; give another number.")
    one, two = (people.face_id[int(end[0])].as_py() for end in ends)
    return same_person(one, two)


def _there(people: People, number: int, faces: Sequence[str]) -> list[str]:
    own = set(people.faces_of(number).tolist())
    for face, row in zip(faces, people.rows_of(list(faces)).tolist(), strict=True):
        if row not in own:
            raise not_there(f"the face {face[:80]!r} is not of identity {number}; look at the identity again.")
    return list(faces)


def _next_centre(people: People, number: int, ticked: Sequence[str]) -> str:
    """The face without a tick that is nearest to the centre."""
    for row in people.faces_of(number).tolist():
        if (name := people.face_id[row].as_py()) not in ticked:
            return str(name)
    raise Refused(
        HTTPStatus.BAD_REQUEST,
        "all faces of the identity have a tick, so that there is nobody from whom they differ; drop the identity, or "
        "leave out the person that stays.",
    )


def take_out(site: Site, asked: Asked) -> str:
    """Take out a line of the file; returns the address of the page to go to."""
    rule, faces, whole = asked.text("rule"), asked.texts("face"), asked.text("whole") == "1"
    site.marks.take_out(asked.number("line"), Override(0, rule, tuple(faces), whole))  # type: ignore[arg-type]
    return "marks"


def marks(site: Site, asked: Asked) -> str:
    """All lines of the file of marks, the last first, and the command that applies them."""
    if site.marking.why_not:
        return page(site, "Marks", Section("marks", "Marks", element("p", site.marking.why_not, class_="warn")))
    lines, start = site.marks.lines()[::-1], asked.number("start")
    told = []
    if asked.text("written"):
        back = identity_link(asked.number("identity"))
        told.append(
            element("p", _written(asked.number("written")), " Back to ", back, ".", class_="warn", role="status")
        )
    how = [
        element("p", "They stand in ", element("code", site.marks.path), ". This command applies them:"),
        element("p", element("code", site.marking.command)),
    ]
    rows = [_line(line) for line in lines[start : start + _LINES]]
    heads = [element("th", text, scope="col") for text in ("line", "rule", "faces", "")]
    table = element("table", element("thead", element("tr", *heads)), element("tbody", *rows))
    way = pager("marks", start, _LINES, len(lines), "lines", {})
    return page(site, "Marks", Section("marks", f"{len(lines):,} marks", join([*told, *how, way, table])))


def _written(count: int) -> str:
    if not count:
        return "The file says so already."
    return "1 line was written." if count == 1 else f"{count} lines were written."


def _line(line: Override) -> Html:
    faces = [element("a", face, href=address("face", {"id": face}), class_="id") for face in line.faces]
    form = element(
        "form",
        hidden(line=line.line, rule=line.rule, whole=int(line.whole)),
        *(hidden(face=face) for face in line.faces),
        element("button", "Take out", aria_label=f"Take out line {line.line}"),
        method="post",
        action="take-out",
    )
    shown = join(["the identity of ", *faces] if line.whole else [join(faces, " and ")])
    cells = [element("td", one) for one in (line.line, line.rule, shown, form)]
    return element("tr", *cells)
