"""What an address or a form asks for, checked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qs, urlencode

from beam_pipelines.browse.refused import Refused, not_there

Field = str | int | Sequence[str]
MOST_FIELDS = 500
_MOST_DIGITS = 18  # so that a number is one of 64 bits


@dataclass(frozen=True, slots=True)
class Asked:
    """The fields of a request by their names."""

    fields: dict[str, list[str]]

    def text(self, name: str) -> str:
        """The first value of a field; empty if there is none."""
        return self.fields.get(name, [""])[0].strip()

    def texts(self, name: str) -> list[str]:
        """All values of a field."""
        return self.fields.get(name, [])

    def number(self, name: str) -> int:
        """A whole number from 0, which is also what a missing field is; Refused for anything else."""
        text = self.text(name) or "0"
        if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
            raise not_there(f"{name} {text[:40]!r} is no number of the run; give a whole number from 0.")
        return int(text)


def read_fields(text: str) -> Asked:
    """The fields of an address or a form; Refused if they are too many or no text."""
    try:
        return Asked(parse_qs(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS))
    except ValueError as error:
        raise Refused(
            HTTPStatus.BAD_REQUEST, f"the address or form cannot be read: {error}; go back and try again."
        ) from error


def address(page: str, fields: Mapping[str, Field]) -> str:
    """The address of a page with these fields, from any other page."""
    return f"{page}?{urlencode(fields, doseq=True)}"
