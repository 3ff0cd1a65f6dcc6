"""The first rows of a list, so that a run on them can go on with the whole list."""

from collections.abc import Iterator
from itertools import islice
from typing import TypeVar

from transforms.tables.rows import ListedImage
from transforms.tables.video_rows import ListedVideo

Row = TypeVar("Row", ListedImage, ListedVideo)
Why = tuple[str, str]  # reason code and detail of a row that is no item


def first_rows(rows: Iterator[tuple[Row | None, Why]], count: int) -> Iterator[tuple[Row | None, Why]]:
    """The first `count` rows, and those behind them that are of the same videos where these list spans.

    An item of a list of clips has the spans of all its rows: it is then the same as in the whole list. The list is read
    to its end only if one of the first rows lists spans.
    """
    videos: set[str] = set()
    for row, why in islice(rows, count):
        if isinstance(row, ListedVideo) and row.spans is not None:
            videos.add(row.url)
        yield row, why
    if videos:
        yield from ((row, why) for row, why in rows if row is not None and row.url in videos)
