"""What a curation has changed: a table of figures, and a page with the tracks of every class before and after."""

import html
import math
from collections.abc import Iterator
from typing import Any, BinaryIO

from rich.table import Table

WIDTH, HEIGHT, MARGIN = 1220, 360, 60  # pixels of the chart
_BEFORE, _AFTER = "#b8bcc4", "#1f6fb4"
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:1240px;margin:2em auto;padding:0 1em;color:#222}"
    "table{border-collapse:collapse}td,th{padding:1px 12px 1px 0;text-align:left}td.n,th.n{text-align:right}"
    "svg{max-width:100%;height:auto}.bar{display:inline-block;height:9px}.scroll{max-height:34em;overflow:auto}"
    "th{position:sticky;top:0;background:#fff}"
)


def before_and_after(record: dict[str, Any]) -> Table:
    """The figures side by side."""
    table = Table(title=f"curation: {record['settings']['criterion']}", title_justify="left")
    table.add_column("")
    table.add_column("before", justify="right")
    table.add_column("after", justify="right")
    for name, before in record["before"].items():
        table.add_row(name, _number(before), _number(record["after"][name]))
    return table


def _number(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.3f}"


def write_plot(file: BinaryIO, record: dict[str, Any]) -> None:
    """Write the page: one file, without scripts, the same bytes for the same record."""
    for part in _page(record):
        file.write(part.encode())


def _page(record: dict[str, Any]) -> Iterator[str]:
    counts = sorted(record["classes"].items(), key=lambda item: (-item[1][0], -item[1][1], item[0]))
    criterion = html.escape(record["settings"]["criterion"])
    yield f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>curation: {criterion}</title>'
    yield f"<style>{_STYLE}</style></head><body><h1>curation: {criterion}</h1>"
    yield '<table><tr><th></th><th class="n">before</th><th class="n">after</th></tr>'
    for name, before in record["before"].items():
        after = _number(record["after"][name])
        yield f'<tr><td>{html.escape(name)}</td><td class="n">{_number(before)}</td><td class="n">{after}</td></tr>'
    yield "</table><h2>Tracks of each class, the largest first</h2>"
    yield from _chart([both for _, both in counts], [name for name, _ in counts])
    yield '<div class="scroll"><table><tr><th>class</th><th class="n">before</th><th class="n">after</th><th></th></tr>'
    most = max((both[0] for _, both in counts), default=1)
    for name, (before, after) in counts:
        bars = "".join(
            f'<span class="bar" style="width:{_bar(count, most):.0f}px;background:{colour}"></span><br>'
            for count, colour in ((before, _BEFORE), (after, _AFTER))
        )
        yield f'<tr><td>{_shown(name)}</td><td class="n">{before:,}</td><td class="n">{after:,}</td>'
        yield f'<td style="line-height:9px">{bars}</td></tr>'
    yield "</table></div></body></html>\n"


def _shown(name: str) -> str:
    return html.escape(name) or "<i>unknown</i>"


def _bar(count: int, most: int) -> float:
    """The length of a bar, on a scale of logarithms."""
    return 400 * math.log1p(count) / math.log1p(max(most, 1))


def _chart(counts: list[list[int]], names: list[str]) -> Iterator[str]:
    """Two bars a class, before and after, over a scale of logarithms; any number of classes fits."""
    yield f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="tracks of each class before and after">'
    top = max((max(both) for both in counts), default=1)
    digits = max(1, math.ceil(math.log10(max(top, 2))))
    floor, high = HEIGHT - 30, HEIGHT - 50
    for digit in range(digits + 1):
        y = floor - high * digit / digits
        yield f'<line x1="{MARGIN}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}" stroke="#e4e6ea"/>'
        yield f'<text x="{MARGIN - 8}" y="{y + 4:.1f}" text-anchor="end" font-size="12">{10**digit:,}</text>'
    step = (WIDTH - MARGIN) / max(len(counts), 1)
    for number, ((before, after), name) in enumerate(zip(counts, names, strict=True)):
        x = MARGIN + number * step
        title = f"<title>{html.escape(name) or 'unknown'}: {before:,} before, {after:,} after</title>"
        yield f"<g>{title}"
        for count, colour in ((before, _BEFORE), (after, _AFTER)):
            if count:
                # a class of one track is seen too
                height = max(2.0, high * math.log10(count) / digits)
                yield f'<rect x="{x:.2f}" y="{floor - height:.1f}" width="{max(step * 0.9, 0.3):.2f}" '
                yield f'height="{height:.1f}" fill="{colour}" fill-opacity="0.85"/>'
        yield "</g>"
    yield f'<text x="{MARGIN}" y="{HEIGHT - 8}" font-size="12">{len(counts):,} classes; '
    yield f'<tspan fill="#777">grey: before</tspan>, <tspan fill="{_AFTER}">blue: after</tspan></text></svg>'
