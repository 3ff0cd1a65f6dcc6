"""The pages of tables: all of them, one of them some rows at a time, one row with all its columns."""

from collections.abc import Sequence

import pyarrow as pa

from beam_pipelines.browse.asked import Asked, Field, address
from beam_pipelines.browse.cells import Pictures, cell, head, is_binary, meaning, picture
from beam_pipelines.browse.finding import find_rows, searchable
from beam_pipelines.browse.frame import choice, hidden, page, pager
from beam_pipelines.browse.refused import not_there
from beam_pipelines.browse.site import Site
from beam_pipelines.browse.stored import Index
from beam_pipelines.pages.document import Section
from beam_pipelines.pages.html import Html, element, join
from transforms.tables.lineage import kinds

ROWS = 50
SECONDS = 2.0  # that a search takes before it asks whether to go on
ANY = "ids, URL, label"


def tables(site: Site, asked: Asked) -> str:
    """All tables of the run."""
    rows = []
    for name in site.stored.names():
        index = site.stored.index(name)
        size = sum(bytes_ for _, bytes_, _ in index.shards)
        cells = [element("td", element("a", name, href=address("table", {"name": name})))]
        cells += [element("td", text, class_="number") for text in (f"{index.rows:,}", f"{len(index.shards):,}")]
        rows.append(element("tr", *cells, element("td", f"{size / 1e6:,.1f}", class_="number")))
    heads = [element("th", text, scope="col") for text in ("table", "rows", "shards", "MB")]
    shown = element("table", element("thead", element("tr", *heads)), element("tbody", *rows))
    return page(site, f"Run {site.stored.run}", Section("tables", "Tables", shown))


def table(site: Site, asked: Asked) -> str:
    """Some rows of one table, or those that a word is in."""
    name, start, word = asked.text("name"), asked.number("start"), asked.text("q")
    index = site.stored.index(name)
    columns = _columns(index.schema, asked.texts("columns"))
    if start and start >= index.rows:
        raise not_there(f"the table {name} has no row {start:,}; it has {index.rows:,} rows, counted from 0.")
    fields: dict[str, Field] = {"name": name, "columns": asked.texts("columns")}
    if word:
        within = asked.text("in")
        places, way = _found(site, name, index.schema, within, word, start, fields)
    else:
        places = list(range(start, min(start + ROWS, index.rows)))
        way = pager("table", start, ROWS, index.rows, "rows", fields)
    rows = site.stored.take(name, places, [one for one in columns if not is_binary(index.schema.field(one).type)])
    shown = element(
        "table",
        element("thead", head(index.schema, columns)),
        element("tbody", *_rows(site, name, index, places, rows, columns)),
    )
    body = join([_forms(name, index.schema, columns, asked), way, element("div", shown, class_="wide"), way])
    return page(site, f"Table {name}", Section("rows", f"{index.rows:,} rows", body))


def _columns(schema: pa.Schema, chosen: Sequence[str]) -> list[str]:
    """The columns to show, pictures first: those that were chosen, else all but lists."""
    unknown = [name for name in chosen if name not in schema.names]
    if unknown:
        raise not_there(f"the table has no column {unknown[0][:80]!r}; it has {', '.join(schema.names)}.")
    shown = [field for field in schema if field.name in chosen or not (chosen or pa.types.is_nested(field.type))]
    return [field.name for field in sorted(shown, key=lambda field: not is_binary(field.type))]


def _found(
    site: Site,
    name: str,
    schema: pa.Schema,
    within: str,
    word: str,
    start: int,
    fields: dict[str, Field],
) -> tuple[list[int], Html]:
    """The rows that the word is in, and what is to be said of them."""
    columns = searchable(schema) if within in ("", ANY) else _columns(schema, [within])
    if any(pa.types.is_nested(schema.field(one).type) or is_binary(schema.field(one).type) for one in columns):
        raise not_there(f"the column {within} holds lists or files; look for words and numbers in another one.")
    found = find_rows(site.stored, name, columns, word, start, ROWS, SECONDS)
    said = f"{len(found.rows)} rows with {word!r} in {', '.join(columns)}, from row {start:,} on"
    if found.go_on is None:
        return found.rows, element("p", f"{said} to the end.", class_="pager")
    further = address("table", {**fields, "q": word, "in": within, "start": found.go_on})
    return found.rows, element("p", f"{said}. ", element("a", "go on", href=further, accesskey="n"), class_="pager")


def _forms(name: str, schema: pa.Schema, columns: Sequence[str], asked: Asked) -> Html:
    plain = [f.name for f in schema if not (pa.types.is_nested(f.type) or is_binary(f.type))]
    any_ = [ANY] if searchable(schema) else []
    find = element(
        "form",
        hidden(name=name),
        element("label", "Rows with ", element("input", name="q", value=asked.text("q"), type="search")),
        choice("in", [*any_, *plain], asked.text("in"), " in"),
        element("button", "Find"),
        action="table",
    )
    boxes = [
        element("label", element("input", type="checkbox", name="columns", value=one, checked=one in columns), one)
        for one in schema.names
    ]
    choose = element(
        "details",
        element("summary", f"Columns ({len(columns)} of {len(schema.names)})"),
        element("form", hidden(name=name), *boxes, element("button", "Show these"), action="table", class_="boxes"),
    )
    jump = element(
        "form",
        hidden(name=name),
        element("label", "From row ", element("input", name="start", value=asked.text("start"), inputmode="numeric")),
        element("button", "Go"),
        action="table",
    )
    return join([element("div", find, jump, class_="forms"), choose])


def _rows(
    site: Site, name: str, index: Index, places: Sequence[int], rows: pa.Table, columns: Sequence[str]
) -> list[Html]:
    has_own = any(is_binary(field.type) for field in index.schema)
    faces = {} if has_own else _faces(site, index.schema, rows)
    found = []
    for line, (place, row) in enumerate(zip(places, rows.to_pylist(), strict=True)):
        shard, number = index.place(place)
        cells = [element("th", element("a", place, href=address("row", {"table": name, "number": place})), scope="row")]
        for column in columns:
            if is_binary(index.schema.field(column).type):
                shown = picture(name, shard, number, column, f"{column} of row {place}")
            else:
                shown = join([faces.get((line, column), ""), cell(index.schema, column, row[column])])
            cells.append(element("td", shown))
        found.append(element("tr", *cells))
    return found


def _faces(site: Site, schema: pa.Schema, rows: pa.Table) -> dict[tuple[int, str], Html]:
    """Pictures for the cells, by line and column, that name a face."""
    people = site.people()
    columns = [name for name, kind in kinds(schema).items() if kind == "face_id" and name in rows.column_names]
    if people is None or not columns or not site.stored.has("faces"):
        return {}
    pictures = Pictures(people, site.stored.index("faces"))
    cells = [(line, column) for column in columns for line in range(len(rows))]
    places = people.rows_of([rows[column][line].as_py() or "" for line, column in cells])
    return {
        key: join([pictures.of_row(int(place), ""), element("br")])
        for key, place in zip(cells, places, strict=True)
        if place >= 0
    }


def row(site: Site, asked: Asked) -> str:
    """One row with all its columns and what they mean."""
    name, number = asked.text("table"), asked.number("number")
    index = site.stored.index(name)
    if number >= index.rows:
        raise not_there(f"the table {name} has no row {number:,}; it has {index.rows:,} rows, counted from 0.")
    plain = [field.name for field in index.schema if not is_binary(field.type)]
    values = site.stored.take(name, [number], plain).to_pylist()[0]
    shard, place = index.place(number)
    lines = []
    for field in index.schema:
        shown = (
            picture(name, shard, place, field.name, field.name)
            if is_binary(field.type)
            else cell(index.schema, field.name, values[field.name], is_whole=True)
        )
        about = element("span", meaning(index.schema, field.name), class_="note")
        lines.append(element("tr", element("th", field.name, scope="row"), element("td", shown), element("td", about)))
    way = pager("row", number, 1, index.rows, "rows", {"table": name}, by="number")
    body = join([way, element("table", element("tbody", *lines))])
    return page(site, f"Table {name}, row {number:,}", Section("row", f"Shard {shard}, row {place:,}", body))
