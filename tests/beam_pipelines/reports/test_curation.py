"""The table and the page of a curation: all figures, whatever the classes are called, and nothing from elsewhere."""

import io
import re
from html.parser import HTMLParser

import pytest
from rich.console import Console

from beam_pipelines.reports.curation import before_and_after, write_plot

HOSTILE = [
    "<script>alert(1)</script>",
    "</title></svg><script>alert(2)</script>",
    "<img src=x onerror=alert(3)>",
    "\" onload='alert(4)",
    "&lt;b&gt; & co",
    "\u202edesrever",
    "{braces} %s \x00 tab\t",
    "x" * 5000,
]
FIGURES = {"tracks": 9000, "videos": 7, "classes": 2, "tracks of unknown class": 3, "entropy over classes, bits": 0.5}
LEFT_OUT = {"tracks that the run left out": 12, "bad lines": 0}


def record(classes, notes=()):
    return {
        "settings": {"criterion": "random"},
        "before": FIGURES,
        "after": {**FIGURES, "tracks": 1234},
        "left_out": LEFT_OUT,
        "notes": list(notes),
        "classes": classes,
    }


class Page(HTMLParser):
    """The elements and attributes of a page, and the words in the cells of its tables."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.rows, self.titles, self._open = [], [], [], [], []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += [(tag, *pair) for pair in attributes]
        if tag not in ("meta", "br"):
            self._open.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
        elif tag == "title":
            self.titles.append("")

    def handle_startendtag(self, tag, attributes):
        self.attributes += [(tag, *pair) for pair in attributes]

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if "td" in self._open or "th" in self._open:
            self.rows[-1][-1] += data
        if self._open and self._open[-1] == "title":
            self.titles[-1] += data


def text_of(classes, notes=()):
    file = io.BytesIO()
    write_plot(file, record(classes, notes))
    return file.getvalue().decode()


def test_a_page_without_classes_is_one():
    page = Page(text_of({}))
    assert page.rows[-1] == ["class", "before", "after", ""]


def test_the_page_has_every_figure():
    page = Page(text_of({"": [3, 1], "cat": [8000, 12], "dog": [997, 997]}, ["5 tracks & no more."]))
    assert page.rows[1] == ["tracks", "9,000", "1,234"]
    assert ["not counted: tracks that the run left out", "12", ""] in page.rows
    assert not any("bad lines" in row[0] for row in page.rows)
    assert [row[:3] for row in page.rows[-3:]] == [
        ["cat", "8,000", "12"],
        ["dog", "997", "997"],
        ["unknown", "3", "1"],
    ]
    assert page.titles[1:] == [
        "cat: 8,000 before, 12 after",
        "dog: 997 before, 997 after",
        "unknown: 3 before, 1 after",
    ]
    text = text_of({"": [3, 1], "cat": [1, 1]}, ["5 tracks & no more."])
    assert "1 class, and tracks of no known class" in text
    assert "<p>5 tracks &amp; no more.</p>" in text


def test_the_largest_class_has_the_highest_bar_and_one_of_a_single_track_is_seen():
    page = Page(text_of({"cat": [100, 10], "dog": [1, 0]}))
    heights = [float(value) for tag, name, value in page.attributes if (tag, name) == ("rect", "height")]
    assert heights == pytest.approx([310, 155, 2], abs=0.1)


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_what_a_class_is_called_is_text_and_nothing_else(name):
    page, plain = Page(text_of({name: [5, 2]}, [f"note on {name}"])), Page(text_of({"cat": [5, 2]}, ["note"]))
    assert page.tags == plain.tags
    assert page.attributes == plain.attributes
    assert page.rows[-1][0] == name
    assert page.titles[1] == f"{name}: 5 before, 2 after"


def test_the_page_loads_nothing_and_is_dark_where_the_reader_wants_it():
    text = text_of({"cat": [5, 2]})
    assert not re.search(r"<script|<link|<img|src=|href=|url\(|@import|https?:", text)
    assert "prefers-color-scheme:dark" in text
    # every colour is one of those that change with the scheme
    assert set(re.findall(r"#[0-9a-f]{3,6}\b", text)) == set(re.findall(r"--\w+:(#[0-9a-f]{3,6})\b", text))


def test_the_table_says_what_was_no_candidate():
    out = io.StringIO()
    Console(file=out, width=100).print(before_and_after(record({"cat": [5, 2]})))
    shown = " ".join(out.getvalue().split())
    assert "tracks │ 9,000 │ 1,234" in shown
    assert "not counted: tracks that the run left out │ 12 │" in shown
    assert "bad lines" not in shown
