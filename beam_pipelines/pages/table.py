"""Tables of HTML."""

from collections.abc import Iterable, Sequence

from beam_pipelines.pages.html import Html, element

Cell = object  # text, HTML or a number: numbers stand on the right


def table(heads: Sequence[str], rows: Iterable[Sequence[Cell]], label: str) -> Html:
    """A table with a head for each column, called `label` for who hears it; the first cell of a row is its head.

    Columns of numbers are on the right. It scrolls sideways where the window is narrower, by keyboard too.
    """
    body = [element("tr", *(_cell(place, one) for place, one in enumerate(row))) for row in rows]
    inside = (
        element("thead", element("tr", *(element("th", head, scope="col") for head in heads))),
        element("tbody", *body),
    )
    return element("div", element("table", *inside), class_="wide", tabindex="0", role="region", aria_label=label)


def _cell(place: int, value: Cell) -> Html:
    text, is_number = shown(value), isinstance(value, int | float)
    if place == 0:
        return element("th", text, scope="row", class_="number" if is_number else None)
    return element("td", text, class_="number" if is_number else None)


def shown(value: Cell) -> Cell:
    """A number with its thousands apart, or with three digits that count; nothing for None; all else as it is."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return value
