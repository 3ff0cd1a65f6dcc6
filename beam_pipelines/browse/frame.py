"""What all pages have around what they show: the way to the others, the search, and how to page on."""

from collections.abc import Mapping, Sequence

from beam_pipelines.browse.asked import Field, address
from beam_pipelines.browse.site import Site
from beam_pipelines.pages.document import Section, document
from beam_pipelines.pages.html import Html, element, join

ALLOWED: Mapping[str, str] = {
    "default-src": "'none'",
    "img-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'self'",
}


def page(site: Site, title: str, *sections: Section) -> str:
    """A whole page."""
    return document(title, sections, lead=_top(site), allowed=ALLOWED)


def _top(site: Site) -> Html:
    ways = [element("a", "tables", href="tables")]
    if site.stored.has("identities"):
        ways.append(element("a", "identities", href="identities"))
        ways.append(element("a", "marks", href="marks"))
    return join([element("p", join(ways, " · "), class_="note"), _search_form()])


def _search_form(word: str = "") -> Html:
    return element(
        "form",
        element(
            "label", "Search for an id, URL, label or identity ", element("input", name="q", value=word, type="search")
        ),
        element("button", "Search"),
        action="search",
        method="get",
        role="search",
    )


def pager(
    here: str, start: int, count: int, total: int, what: str, fields: Mapping[str, Field], by: str = "start"
) -> Html:
    """Links to the pages before and behind `count` rows from `start` on of `total`; their access keys are F, P, N, L.

    fields: what else the address of the page `here` has; by: the field that says where a page starts.
    """
    shown = f"{start + 1:,} to {min(start + count, total):,} of {total:,} {what}" if total else f"no {what}"
    links: list[object] = [element("span", shown)]
    before = [("first", 0, "f"), ("previous", max(0, start - count), "p")] if start else []
    after = [("next", start + count, "n"), ("last", (total - 1) // count * count, "l")] if start + count < total else []
    for name, place, key in (*before, *after):
        links.append(element("a", name, href=address(here, {**fields, by: place}), accesskey=key))
    return element("p", join(links, " · "), class_="pager")


def choice(name: str, options: Sequence[str], chosen: str, label: str) -> Html:
    """A list to choose one from, with its label."""
    inside = [element("option", one, value=one, selected=one == chosen) for one in options]
    return element("label", f"{label} ", element("select", *inside, name=name))


def hidden(**fields: str | int) -> Html:
    """Fields of a form that a user does not see."""
    return join(element("input", type="hidden", name=name, value=value) for name, value in fields.items())
