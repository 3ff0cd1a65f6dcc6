"""HTML by plain functions: what is not known to be HTML is escaped."""

import html
from collections.abc import Iterable

_VOID = frozenset({"br", "hr", "img", "input", "link", "meta"})
Attribute = str | int | float | bool | None


class Html(str):
    """A piece of HTML, which needs no escaping; only `escape`, `element` and `join` make it from other text."""

    __slots__ = ()


def escape(text: object) -> Html:
    """Any text as HTML that shows it: no markup and no quotation mark in it has a meaning; HTML stays what it is."""
    return text if isinstance(text, Html) else Html(html.escape(_shown(str(text))))


def _shown(text: str) -> str:
    """Without what no HTML file may hold: NUL and other control characters, halves of surrogate pairs."""
    if text.isprintable():
        return text
    return "".join(
        one if one in "\n\t" or not (one < " " or "\x7f" <= one < "\xa0" or "\ud800" <= one < "\ue000") else "\ufffd"
        for one in text
    )


def join(pieces: Iterable[object], between: str = "") -> Html:
    """Pieces one after another, each escaped if it is not HTML."""
    return Html(escape(between).join(escape(one) for one in pieces))


def element(name: str, /, *inside: object, **attributes: Attribute) -> Html:
    """An element with what is inside it: `element("a", label, href="#top")`; texts and values are escaped.

    Attributes: `class_` is written class, `aria_label` aria-label; True writes the name alone, None and False nothing.
    Floats are written with at most two decimals.
    """
    written = "".join(_attribute(key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items())
    if name in _VOID:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{join(inside)}</{name}>")


def _attribute(name: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    if value is True:
        return f" {name}"
    if isinstance(value, float):
        value = f"{value:.2f}".rstrip("0").rstrip(".")
    return f' {name}="{escape(value)}"'
