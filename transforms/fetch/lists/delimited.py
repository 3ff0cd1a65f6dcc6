"""CSV and TSV: records of cells, read so that a quote that is never closed swallows nothing.

Quotes are read as RFC 4180 has them: a cell that begins with a quote ends with one, `""` in it is a quote, and it may
hold delimiters and ends of lines. In any other cell a quote is a character like others. A record of several lines that
is wrong is one bad row up to the first of its lines that is a row by itself; from there on lines are read anew.
"""

import io
import re
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from transforms.fetch.lists.columns import ListColumns, column_names, told_apart
from transforms.fetch.lists.record import MAX_RECORD, BadRow, Record
from transforms.fetch.lists.text import Line, physical_lines

_EXCEL = re.compile(r"\ufeff?sep=(.)\s*", re.IGNORECASE)
_DELIMITERS = ",\t;|"
_NOT_CLOSED = "a quote is opened and not closed"


@dataclass(slots=True)
class _Parsed:
    """What was read of a record: whole cells, the text of one whose quote is still open, what is wrong with it."""

    cells: list[str]
    open_cell: list[str] | None = None
    wrong: str = ""


@dataclass(frozen=True, slots=True)
class _Layout:
    """How lines are cut, the names of the columns, and which of them says what item a row is."""

    delimiter: str
    quoted: bool
    names: list[str]
    named: int  # columns up to the last that the header names
    item: int

    def fit(self, cells: list[str]) -> list[str] | None:
        """A cell for each column, None if there are too few or too many: those without names may be left out."""
        width = len(self.names)
        if len(cells) == width:
            return cells
        if len(cells) > width:
            return None if any(cells[width:]) else cells[:width]
        return cells + [""] * (width - len(cells)) if len(cells) >= self.named else None

    def count(self, cells: list[str]) -> str:
        """What is wrong with a row of so many cells."""
        hint = "" if self.quoted else "; if cells with tabs are quoted in it, set manifest.quoting=quoted"
        return f"{len(cells)} columns instead of {len(self.names)}{hint}"


class _Lines:
    """The lines of a list, of which some may be put back."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = lines
        self._back: deque[Line] = deque()

    def next(self) -> Line | None:
        return self._back.popleft() if self._back else next(self._lines, None)

    def put_back(self, lines: list[Line]) -> None:
        self._back.extendleft(reversed(lines))


def read_delimited(
    text: io.TextIOBase, delimiter: str, quoting: str, columns: ListColumns, check: Callable[[list[str]], object]
) -> Iterator[Record | BadRow]:
    """The records of CSV or TSV; `check` is given the names of the columns.

    Where the header lacks needed columns and another usual delimiter (`, ; |`, tab) finds them, that one is taken.
    `quoting` is `quoted`, `plain`, or `auto`: CSV is quoted, TSV is if its header begins with a quote.
    """
    lines = _Lines(physical_lines(text))
    layout = _layout(lines, delimiter, quoting, columns)
    check(layout.names)
    names = told_apart(layout.names)
    for cells in _rows(lines, layout):
        yield cells if isinstance(cells, BadRow) else dict(zip(names, cells, strict=True))


def _layout(lines: _Lines, delimiter: str, quoting: str, columns: ListColumns) -> _Layout:
    """What the header says; ValueError if it cannot be read."""
    first = lines.next()
    if first and first[1] and (told := _EXCEL.fullmatch(first[1])):
        delimiter, first = str(told[1]), lines.next()
    while first and first[1] is not None and not first[1].strip("\ufeff \t\r\n"):
        first = lines.next()
    if first is None or first[1] is None:
        if first:
            raise ValueError(f"The first line of the list has more than {MAX_RECORD} characters.")
        return _Layout(delimiter, True, [], 0, 0)
    line = first[1].lstrip("\ufeff")
    quoted = quoting == "quoted" or (quoting == "auto" and (delimiter != "\t" or line.startswith('"')))
    delimiter = _delimiter(line, delimiter, columns)
    parsed, _ = _record((first[0], line), lines, delimiter, quoted)
    if parsed.wrong:
        raise ValueError(f"The names of the columns, in line {first[0]}, cannot be read: {parsed.wrong}.")
    names = column_names(parsed.cells)
    named = max((place for place, cell in enumerate(parsed.cells, 1) if cell.strip()), default=0)
    item = columns.item(names)
    return _Layout(delimiter, quoted, names, named, names.index(item) if item in names else 0)


def _delimiter(line: str, usual: str, columns: ListColumns) -> str:
    """The usual delimiter, or the first other that finds the needed columns where it does not."""
    for delimiter in usual + _DELIMITERS.replace(usual, ""):
        names = column_names([cell.strip().strip('"') for cell in line.split(delimiter)])
        if all(name in names for _, name in columns.required(names)):
            return delimiter
    return usual


def _rows(lines: _Lines, layout: _Layout) -> Iterator[list[str] | BadRow]:
    before: list[str] = []  # the row before, whose item shows what items look like
    while (first := lines.next()) is not None:
        number, line = first
        if line is None:
            yield BadRow(f"line {number}: more than {MAX_RECORD} characters")
            continue
        if not line.strip():
            continue
        parsed, taken = _record((number, line), lines, layout.delimiter, layout.quoted)
        cells = None if parsed.wrong else layout.fit(parsed.cells)
        if cells is not None and (len(taken) == 1 or not _all_rows(taken[1:], layout, cells)):
            before = cells
            yield cells
            continue
        end, like = 1, before or (parsed.cells if len(parsed.cells) > layout.item else [])
        while end < len(taken) and not _is_row(taken[end][1], layout, like):
            end += 1
        lines.put_back(taken[end:])
        yield _bad_row(taken[0][0], taken[end - 1][0], parsed, layout, end < len(taken))


def _bad_row(first: int, last: int, parsed: _Parsed, layout: _Layout, has_rows: bool) -> BadRow:
    wrong = _NOT_CLOSED if has_rows else parsed.wrong or layout.count(parsed.cells)
    where = f"line {first}" if first == last else f"lines {first} to {last}"
    return BadRow(f"{where}: {wrong}" + ("; the rows behind it were read by themselves" if has_rows else ""))


def _all_rows(taken: list[Line], layout: _Layout, cells: list[str]) -> bool:
    """Whether a record of several lines that is right by its count is rather rows between two stray quotes.

    It is if each further line is a row by itself with a URL where the record's own is. Where items are no URLs, or one
    line of a long text is no row, the record is what RFC 4180 says it is.
    """
    lines = [line for _, line in taken if line is None or line.strip()]
    return "://" in cells[layout.item] and bool(lines) and all(_is_row(line, layout, cells) for line in lines)


def _is_row(line: str | None, layout: _Layout, like: list[str]) -> bool:
    """Whether a line that a quote has swallowed is a row by itself, with an item like that of another row."""
    if line is None or not line.strip():
        return False
    parsed = _parse(line, layout.delimiter, _Parsed([]))
    if parsed.wrong:
        return False
    cells = parsed.cells if parsed.open_cell is not None else layout.fit(parsed.cells)
    if cells is None or not layout.item < len(cells) <= len(layout.names):
        return False
    item = cells[layout.item].strip()
    return bool(item) and not re.search(r"\s", item) and ("://" in item or not (like and "://" in like[layout.item]))


def _record(first: tuple[int, str], lines: _Lines, delimiter: str, quoted: bool) -> tuple[_Parsed, list[Line]]:
    """The record that begins with this line, and the lines that it took."""
    taken: list[Line] = [first]
    line = first[1]
    if not quoted or '"' not in line:
        return _Parsed(line.rstrip("\r\n").split(delimiter)), taken
    parsed = _parse(line, delimiter, _Parsed([]))
    size = len(line)
    while parsed.open_cell is not None and not parsed.wrong:
        after = lines.next()
        if after is None:
            parsed.wrong = f"{_NOT_CLOSED} before the end of the list"
            break
        taken.append(after)
        size += len(after[1] or "")
        if after[1] is None or size > MAX_RECORD:
            parsed.wrong = f"{_NOT_CLOSED} within {MAX_RECORD} characters"
            break
        parsed = _parse(after[1], delimiter, parsed)
    return parsed, taken


def _parse(line: str, delimiter: str, parsed: _Parsed) -> _Parsed:
    """Read a line on: what was read before it may end within a quoted cell."""
    body = line.rstrip("\r\n")
    at = 0
    while True:
        if parsed.open_cell is None:
            if body[at : at + 1] != '"':
                end = body.find(delimiter, at)
                parsed.cells.append(body[at:] if end < 0 else body[at:end])
                if end < 0:
                    return parsed
                at = end + 1
                continue
            parsed.open_cell = []
            at += 1
        end = _closing_quote(body, at)
        if end < 0:
            parsed.open_cell.append(line[at:])
            return parsed
        parsed.open_cell.append(body[at:end])
        parsed.cells.append("".join(parsed.open_cell).replace('""', '"'))
        parsed.open_cell = None
        at = end + 1
        if at == len(body):
            return parsed
        if body[at] != delimiter:
            parsed.wrong = f"text behind the closing quote of column {len(parsed.cells)}"
            return parsed
        at += 1


def _closing_quote(body: str, at: int) -> int:
    """The place of the quote that ends a quoted cell, -1 if it is not in this line."""
    while (end := body.find('"', at)) >= 0 and body[end + 1 : end + 2] == '"':
        at = end + 2
    return end
