"""Cells of tables as HTML."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from beam_pipelines.browse.asked import address
from beam_pipelines.browse.people import People
from beam_pipelines.browse.stored import Index
from beam_pipelines.pages.html import Html, element, escape, join
from transforms.tables.lineage import kinds

_MOST_CHARACTERS, _MOST_NUMBERS = 200, 12


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """Where the pictures of faces are: of `people`, in the table `faces` with this index; none without it."""

    people: People | None
    faces: Index | None

    def of_row(self, row: int, alt: str) -> Html:
        """The picture of the face in a row of the people."""
        if self.faces is None or self.people is None or row < 0 or self.people.picture[row] < 0:
            return element("span", "no picture", class_="note")
        return self.at(int(self.people.picture[row]), alt)

    def at(self, row: int, alt: str) -> Html:
        """The picture in a row of `faces`."""
        assert self.faces is not None
        shard, place = self.faces.place(row)
        return picture("faces", shard, place, "crop", alt)


def picture(table: str, shard: str, row: int, column: str, alt: str) -> Html:
    """A picture out of a cell."""
    source = address("picture", {"table": table, "shard": shard, "row": row, "column": column})
    return element("img", src=source, alt=alt, loading="lazy", class_="crop")


def short(value: Any, is_whole: bool = False) -> str:
    """A value as text: long texts and lists are cut, unless it is to be whole."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        flat = list(_flat(value))
        if is_whole or len(flat) <= _MOST_NUMBERS:
            return json.dumps(_rounded(value), ensure_ascii=False, default=str)
        return f"[{', '.join(short(one) for one in flat[:4])}, … {len(flat)} values]"
    text = str(value)
    return text if is_whole or len(text) <= _MOST_CHARACTERS else text[:_MOST_CHARACTERS] + " …"


def identity_link(number: int) -> Html:
    """A link to an identity."""
    return element("a", f"identity {number}", href=_of_identity(number))


def _of_identity(number: int) -> str:
    return address("identity", {"number": number})


def _flat(value: Any) -> Iterator[Any]:
    """What is in lists of lists, one after another."""
    if isinstance(value, list):
        for one in value:
            yield from _flat(one)
    else:
        yield value


def _rounded(value: Any) -> Any:
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value


def cell(schema: pa.Schema, column: str, value: Any, is_whole: bool = False) -> Html:
    """A cell: ids and identities are links to what they name."""
    text = short(value, is_whole)
    if value is None or text == "":
        return escape(text)
    if column == "identity":
        return element("a", text, href=_of_identity(int(value)))
    kind = kinds(schema).get(column)
    if kind == "face_id":
        return element("a", text, href=address("face", {"id": value}), class_="id")
    if kind is not None and kind != "url":
        return element("a", text, href=address("search", {"q": value}), class_="id")
    return escape(text)


def head(schema: pa.Schema, columns: list[str]) -> Html:
    """The heads of columns, with their meaning for a mouse that rests on them."""
    cells = [element("th", name, scope="col", title=meaning(schema, name)) for name in columns]
    return element("tr", element("th", "row", scope="col"), *cells)


def meaning(schema: pa.Schema, column: str) -> str:
    """What a column's cells are, as its table has it."""
    return ((schema.field(column).metadata or {}).get(b"meaning") or b"").decode("utf-8", "replace")


def is_binary(kind: pa.DataType) -> bool:
    """Whether cells are files."""
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))


def cut(text: str, most: int = 24) -> Html:
    """A long id with its middle left out, and whole for a mouse that rests on it."""
    shown = text if len(text) <= most else f"{text[: most // 2]}…{text[-most // 2 :]}"
    return join([element("span", shown, title=text, class_="id")])
