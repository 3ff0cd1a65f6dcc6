"""What a curation has changed: a table of figures, and a page with the tracks of every class before and after.

The page is one file without scripts that loads nothing; its colours follow the reader's choice of dark or light.
"""

import html
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, BinaryIO

from rich.table import Table

WIDTH, HEIGHT, MARGIN = 1220, 360, 60  # pixels of the chart
_BAR = 400  # pixels of the longest bar in the list of classes
_STYLE = (
    ":root{color-scheme:light dark;--page:#fff;--text:#222;--line:#dfe2e7;--before:#9aa0ab;--after:#1f6fb4}"
    "@media(prefers-color-scheme:dark){"
    ":root{--page:#16181c;--text:#e4e6ea;--line:#3a3f47;--before:#7d838e;--after:#5aa9ee}}"
    "body{font:15px/1.5 system-ui,sans-serif;max-width:1240px;margin:2em auto;padding:0 1em}"
    "body,th{color:var(--text);background:var(--page)}"
    "table{border-collapse:collapse}td,th{padding:1px 12px 1px 0;text-align:left}td.n,th.n{text-align:right}"
    "th{position:sticky;top:0}td.class{max-width:40em;overflow-wrap:anywhere}td.bars{line-height:9px}"
    "svg{max-width:100%;height:auto}text{fill:var(--text);font-size:12px}line{stroke:var(--line)}"
    "rect{fill-opacity:.85}.before{background:var(--before);fill:var(--before)}"
    ".after{background:var(--after);fill:var(--after)}.bar{display:inline-block;height:9px}"
    ".key{display:inline-block;width:1em;height:.8em;margin:0 .3em 0 .8em}.scroll{max-height:34em;overflow:auto}"
)
_WORDS = (
    "A track's class is the likeliest over all its frames. Entropy over classes is 0 if all tracks are of one "
    "class, and the higher, the more evenly they are spread over more classes."
)

Both = tuple[int, int]  # tracks before and after


def before_and_after(record: Mapping[str, Any]) -> Table:
    """The figures side by side, and below them how many rows were none of the tracks to choose from, and why."""
    table = Table(title=f"curation: {record['settings']['criterion']}", title_justify="left")
    table.add_column("")
    table.add_column("before", justify="right")
    table.add_column("after", justify="right")
    for line in _figures(record):
        table.add_row(*line)
    return table


def _figures(record: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for name, before in record["before"].items():
        yield name, _number(before), _number(record["after"][name])
    for what, count in record["left_out"].items():
        if count:
            yield f"not counted: {what}", _number(count), ""


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.3f}"


def write_plot(file: BinaryIO, record: Mapping[str, Any]) -> None:
    """Write the page, the same bytes for the same record."""
    for part in _page(record):
        file.write(part.encode())


def _page(record: Mapping[str, Any]) -> Iterator[str]:
    counts = {name: (before, after) for name, (before, after) in record["classes"].items()}
    order = sorted(counts, key=lambda name: (-counts[name][0], -counts[name][1], name))
    criterion = html.escape(record["settings"]["criterion"])
    yield f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>curation: {criterion}</title>'
    yield f"<style>{_STYLE}</style></head><body><h1>curation: {criterion}</h1>"
    yield '<table><tr><th></th><th class="n">before</th><th class="n">after</th></tr>'
    for name, before, after in _figures(record):
        yield f'<tr><td>{html.escape(name)}</td><td class="n">{before}</td><td class="n">{after}</td></tr>'
    yield "</table>"
    for sentence in (_WORDS, *record["notes"]):
        yield f"<p>{html.escape(sentence)}</p>"
    yield "<h2>Tracks of each class, the largest first</h2>"
    yield '<p>Both scales are logarithmic: <span class="key before"></span>before <span class="key after"></span>after'
    yield "</p>"
    yield from _chart([(name, counts[name]) for name in order])
    yield from _list([(name, counts[name]) for name in order])
    yield "</body></html>\n"


def _shown(name: str) -> str:
    """A class name as text that can neither end its element nor turn the writing direction of what is beside it."""
    return f"<bdi>{html.escape(name)}</bdi>" if name else "<i>unknown</i>"


def _list(classes: Sequence[tuple[str, Both]]) -> Iterator[str]:
    yield '<div class="scroll"><table><tr><th>class</th><th class="n">before</th><th class="n">after</th><th></th></tr>'
    most = max((max(both) for _, both in classes), default=1)
    for name, (before, after) in classes:
        bars = "".join(
            f'<span class="bar {kind}" style="width:{_BAR * math.log1p(count) / math.log1p(most):.0f}px"></span><br>'
            for kind, count in (("before", before), ("after", after))
        )
        yield f'<tr><td class="class">{_shown(name)}</td><td class="n">{before:,}</td><td class="n">{after:,}</td>'
        yield f'<td class="bars">{bars}</td></tr>'
    yield "</table></div>"


def _chart(classes: Sequence[tuple[str, Both]]) -> Iterator[str]:
    """Two bars a class, one before the other; any number of classes fits."""
    yield f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="tracks of each class before and after">'
    top = max((max(both) for _, both in classes), default=1)
    digits = max(1, math.ceil(math.log10(max(top, 2))))
    floor, high = HEIGHT - 30, HEIGHT - 50
    for digit in range(digits + 1):
        y = floor - high * digit / digits
        yield f'<line x1="{MARGIN}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text x="{MARGIN - 8}" y="{y + 4:.1f}" text-anchor="end">{10**digit:,}</text>'
    step = (WIDTH - MARGIN) / max(len(classes), 1)
    for number, (name, (before, after)) in enumerate(classes):
        yield f"<g><title>{html.escape(name) or 'unknown'}: {before:,} before, {after:,} after</title>"
        for kind, count in (("before", before), ("after", after)):
            if count:
                # a class of one track is seen too
                height = max(2.0, high * math.log10(count) / digits)
                yield f'<rect class="{kind}" x="{MARGIN + number * step:.2f}" y="{floor - height:.1f}" '
                yield f'width="{max(step * 0.9, 0.3):.2f}" height="{height:.1f}"/>'
        yield "</g>"
    known = sum(1 for name, _ in classes if name)
    unknown = ", and tracks of no known class" if known < len(classes) else ""
    yield f'<text x="{MARGIN}" y="{HEIGHT - 8}">{known:,} {"class" if known == 1 else "classes"}{unknown}</text></svg>'
