"""The page of a search in all tables of a run."""

import pyarrow as pa

from beam_pipelines.browse.asked import Asked, address
from beam_pipelines.browse.cells import cell, cut, identity_link
from beam_pipelines.browse.finding import find_rows, searchable
from beam_pipelines.browse.frame import page
from beam_pipelines.browse.site import Site
from beam_pipelines.pages.document import Section
from beam_pipelines.pages.html import Html, element, escape, join

_ROWS, _SECONDS = 5, 0.25  # of a table that are shown, and that are spent on it before it asks whether to go on


def search(site: Site, asked: Asked) -> str:
    """What a word names: an identity, a face, rows of the tables."""
    word = asked.text("q")
    found = [_identity_or_face(site, word)] if word else [escape("Give a word to search for.")]
    for name in site.stored.names() if word else ():
        schema = site.stored.index(name).schema
        if not name.startswith("ledger/") and searchable(schema):
            found.append(_in_table(site, name, schema, word))
    return page(site, f"Search for {word!r}", Section("found", "Found", join(found)))


def _identity_or_face(site: Site, word: str) -> Html:
    people = site.people()
    if people is None:
        return escape("")
    lines = []
    if word.isascii() and word.isdigit() and len(word) < 19 and len(faces := people.faces_of(int(word))):
        link = identity_link(int(word))
        lines.append(element("p", link, f" with {len(faces):,} faces"))
    if people.row_of(word) >= 0:
        lines.append(element("p", element("a", "face ", cut(word, 60), href=address("face", {"id": word}))))
    return join(lines)


def _in_table(site: Site, name: str, schema: pa.Schema, word: str) -> Html:
    columns = searchable(schema)
    found = find_rows(site.stored, name, columns, word, 0, _ROWS, _SECONDS)
    rows = site.stored.take(name, found.rows, columns).to_pylist()
    lines = [
        element(
            "li",
            element("a", f"row {place:,}", href=address("row", {"table": name, "number": place})),
            ": ",
            join([cell(schema, one, line[one]) for one in columns if line[one] is not None], " · "),
        )
        for place, line in zip(found.rows, rows, strict=True)
    ]
    if found.go_on is not None:
        further = address("table", {"name": name, "q": word, "start": found.go_on})
        lines.append(element("li", element("a", f"look on from row {found.go_on:,}", href=further)))
    return join([element("h3", name), element("ul", *lines)]) if lines else escape("")
