"""JSON: an object a line, or objects in an array or one after the other, however they are laid out."""

import io
import json
import re
from collections.abc import Iterator
from itertools import chain
from typing import Any

from transforms.fetch.lists.record import MAX_RECORD, BadRow, Record
from transforms.fetch.lists.text import Line, physical_lines

_BLANKS = "\ufeff \t\r\n"
_BLANK = re.compile(r"[\s,\ufeff]*")
_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|["\[\]{}]')
_WORD_END = re.compile(r"[,\]}\s]")
_NEAR_END = 16  # characters: a word or number that is cut there is not wrong, only not yet read
_READ = 1 << 16
_KEPT = 1 << 20


def read_json(text: io.TextIOBase) -> Iterator[Record | BadRow]:
    """The objects of a list; ValueError for an array that is cut or in which an object's end cannot be told."""
    head = _head(text)
    if head.lstrip(_BLANKS)[:1] == "[" or _is_spread(head.lstrip(_BLANKS)):
        yield from _Values(head, text).records()
        return
    lines = chain(physical_lines(io.StringIO(head, newline="")), _behind(head, physical_lines(text)))
    for number, line in lines:
        if line is None:
            yield BadRow(f"line {number}: more than {MAX_RECORD} characters")
        elif line.strip():
            yield _json_line(number, line)


def _head(text: io.TextIOBase) -> str:
    """The first line that is not blank, with those before it; where an object goes on behind it, more of them."""
    head, lines = "", 0
    while (line := text.readline(MAX_RECORD)) and len(head) < MAX_RECORD:
        head, lines = head + line, lines + 1
        if lines & (lines - 1) == 0 and head.strip(_BLANKS) and not _is_cut(head.strip(_BLANKS)):
            break
    return head


def _is_cut(head: str) -> bool:
    """Whether the object that begins here is right as far as it goes, and goes on."""
    try:
        json.loads(head)
    except json.JSONDecodeError as error:
        return head[0] == "{" and error.pos >= len(head)
    except (ValueError, RecursionError):
        pass
    return False


def _is_spread(head: str) -> bool:
    """Whether the first object is on several lines."""
    try:
        value, end = json.JSONDecoder().raw_decode(head)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and len(head[:end].splitlines()) > 1


def _behind(head: str, lines: Iterator[Line]) -> Iterator[Line]:
    before = sum(1 for _ in physical_lines(io.StringIO(head, newline="")))
    return ((before + number, line) for number, line in lines)


def _json_line(number: int, line: str) -> Record | BadRow:
    try:
        record = _loads(line)
    except json.JSONDecodeError as error:
        return BadRow(f"line {number}: {error.msg}, column {error.colno}")
    except RecursionError:
        return BadRow(f"line {number}: nested too deeply")
    return record if isinstance(record, dict) else BadRow(f"line {number}: no JSON object")


def _loads(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise
    except ValueError:  # a number of more digits than Python makes a number of
        return json.loads(text, parse_int=str)


class _Values:
    """JSON values one after the other, those of arrays singly, of a text that is read as it is needed."""

    def __init__(self, head: str, text: io.TextIOBase) -> None:
        self._buffer, self._at, self._text = head, 0, text
        self._lines = 1  # the number of the buffer's first line

    def records(self) -> Iterator[Record | BadRow]:
        """The objects, and a BadRow for each value that is none."""
        in_array = False
        while self._skip_blank():
            character = self._buffer[self._at]
            if character == ("]" if in_array else "["):
                in_array = not in_array
                self._at += 1
            else:
                yield self._value()
        if in_array:
            raise ValueError("the JSON array is not closed: the file is cut; fetch or make it again.")

    def _skip_blank(self) -> bool:
        """Go to the next value; false at the end of the text."""
        while True:
            found = _BLANK.match(self._buffer, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._buffer):
                return True
            if not self._read():
                return False

    def _value(self) -> Record | BadRow:
        decoder = json.JSONDecoder()
        while True:
            try:
                value, end = decoder.raw_decode(self._buffer, self._at)
                if end == len(self._buffer) and not isinstance(value, dict | list) and self._read():
                    continue
            except json.JSONDecodeError as error:
                cut = error.pos >= len(self._buffer) - _NEAR_END or error.msg.startswith("Unterminated")
                if cut and self._read():
                    continue
                return self._broken(error.msg)
            except RecursionError:
                return self._broken("nested too deeply")
            except ValueError:  # a number of more digits than Python makes a number of
                decoder = json.JSONDecoder(parse_int=str)
                continue
            row = value if isinstance(value, dict) else BadRow(f"line {self._line()}: no JSON object")
            self._at = end
            return row

    def _line(self) -> int:
        return self._lines + self._buffer.count("\n", 0, self._at)

    def _broken(self, why: str) -> BadRow:
        """A BadRow for the value here, and go to its end, which its brackets tell; ValueError if they do not."""
        row = BadRow(f"line {self._line()}: {why}")
        if self._buffer[self._at] not in "[{":
            found = _WORD_END.search(self._buffer, self._at + 1)
            self._at = found.start() if found else len(self._buffer)
            return row
        depth = length = 0  # of the value, as far as it was looked at
        while True:
            token = _TOKEN.search(self._buffer, self._at + length)
            if token is None or token[0] == '"':
                if (token is None or "\n" not in self._buffer[token.start() :]) and self._read():
                    continue
                raise ValueError(f"the JSON from line {self._line()} on cannot be read: an object there does not end.")
            depth += (token[0] in "[{") - (token[0] in "]}")
            length = token.end() - self._at
            if depth == 0:
                self._at += length
                return row

    def _read(self) -> bool:
        """Read on, and forget what is behind; false at the end of the text, and where a value is too long."""
        if self._at > _KEPT:
            self._lines += self._buffer.count("\n", 0, self._at)
            self._buffer, self._at = self._buffer[self._at :], 0
        if len(self._buffer) - self._at > MAX_RECORD:
            return False
        more = self._text.read(max(_READ, len(self._buffer) - self._at))
        self._buffer += more
        return bool(more)
