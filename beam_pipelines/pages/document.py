"""The skeleton of a page: one HTML file, readable in light and dark and by keyboard, which asks nobody for anything."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

from beam_pipelines.pages.html import Html, element, escape, join

# Of the Content-Security-Policy: nothing is loaded, and no script runs, even where some text were not escaped.
OFFLINE = {"default-src": "'none'", "img-src": "data:", "base-uri": "'none'", "form-action": "'none'"}


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a page: its name in addresses (`#name`), its heading, and what is in it."""

    name: str
    title: str
    body: Html


def document(
    title: str,
    sections: Sequence[Section],
    *,
    lead: object = "",
    head: Html = Html(""),  # noqa: B008
    allowed: Mapping[str, str] = OFFLINE,
) -> str:
    """A whole HTML file: the title, `lead` under it, links to the sections, and the sections.

    head: more of the page's <head>, such as a script of the same server; allowed: the directives of the page's
    Content-Security-Policy, to which the page's own style is added by its hash. Style attributes and event handlers
    in elements (style=, onclick=) do not work under it: use classes of page.css, and presentation attributes in SVG.
    """
    links = [element("li", element("a", one.title, href=f"#{one.name}")) for one in sections]
    return join(
        [
            Html("<!doctype html>\n"),
            Html('<html lang="en">\n'),
            _head(title, head, allowed),
            Html("\n<body>\n"),
            element("a", "Skip to the content", href="#content", class_="skip"),
            element("header", element("h1", title), element("div", lead, class_="lead") if lead else ""),
            element("nav", element("ul", *links), aria_label="Sections") if len(links) > 1 else "",
            element("main", *(_section(one) for one in sections), id="content", tabindex="-1"),
            Html("\n</body>\n</html>\n"),
        ]
    )


def _head(title: str, more: Html, allowed: Mapping[str, str]) -> Html:
    return element(
        "head",
        element("meta", charset="utf-8"),
        Html(f'<meta http-equiv="Content-Security-Policy" content="{escape(policy(allowed))}">'),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", title),
        Html(f"<style>{style_sheet()}</style>"),
        more,
    )


def policy(allowed: Mapping[str, str]) -> str:
    """The Content-Security-Policy of a page, as its head has it: these directives, and the page's own style."""
    digest = base64.b64encode(hashlib.sha256(style_sheet().encode()).digest()).decode()
    return "; ".join(f"{key} {value}" for key, value in {**allowed, "style-src": f"'sha256-{digest}'"}.items())


def _section(one: Section) -> Html:
    heading = f"{one.name}-heading"
    return element(
        "section", element("h2", one.title, id=heading), one.body, id=one.name, aria_labelledby=heading, tabindex="-1"
    )


@cache
def style_sheet() -> str:
    """The style of all pages, as page.css has it."""
    return resources.files(__package__).joinpath("page.css").read_text(encoding="utf-8")
