"""The spans that a manifest lists for a video: reading them, and gathering those of many rows of one video."""

import ast
import json
import math
import re
import tempfile
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from transforms.fetch.lists.repeats import Hashes, Mask

Rows = np.ndarray[Any, np.dtype[np.int64]]
_TIME = re.compile(r"(?:(?:(\d{1,4}):)?(\d{1,4}):)?(\d{1,9}(?:\.\d{1,9})?)", re.ASCII)
_LARGE = 1e300  # seconds
MAX_SPANS = 100_000  # of one video
# what Python writes otherwise than JSON: strings in single quotes, tuples, words, numbers of NumPy
_PYTHON = re.compile(
    r"""(?P<string>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")|[()]|\b(?:None|True|False|nan|inf)\b"""
    r"""|np\.(?:float|int)\d+\((?P<number>[-+.\w]+)\)"""
)
_WORDS = {"(": "[", ")": "]", "None": "null", "True": "true", "False": "false", "nan": "null", "inf": "null"}
_RECORD = np.dtype([("row", np.int64), ("start", np.float64), ("end", np.float64)])


def parse_time(value: Any) -> float:
    """Seconds of `H:M:S.mmm`, `M:S.mmm`, `S.mmm` or a number; ValueError for anything else."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = float(value) if abs(value) < _LARGE else math.inf  # an int may be larger than any float
    else:
        found = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
        if found is None:
            raise ValueError(f"{str(value)[:40]!r} is no time of the form H:M:S.mmm")
        seconds = 3600.0 * int(found[1] or 0) + 60.0 * int(found[2] or 0) + float(found[3])
    if not (math.isfinite(seconds) and seconds >= 0):
        raise ValueError(f"{str(value)[:40]!r} is no time in a video")
    return seconds


def parse_span(value: Any) -> list[float]:
    """`[start, end]` of two times, in seconds; ValueError for anything else."""
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 2:
        raise ValueError(f"{_shown(value)} is no span [start, end]")
    start, end = parse_time(value[0]), parse_time(value[1])
    if start >= end:
        raise ValueError(f"the span {str(value)[:80]} ends before it begins")
    return [start, end]


def parse_clips(value: Any) -> list[list[float]]:
    """The spans of a list of clips, objects with a `span` or pairs [start, end], or of one pair; ValueError if none."""
    if not isinstance(value, list):
        raise ValueError(f"{_shown(value)} is no list of spans")
    if len(value) == 2 and not any(isinstance(part, list | dict) for part in value):
        return [parse_span(value)]
    if not value or len(value) > MAX_SPANS:
        raise ValueError(f"a list of {len(value)} clips")
    if any(isinstance(clip, dict) and "span" not in clip for clip in value):
        raise ValueError("a clip without its span")
    return in_order(parse_span(clip["span"] if isinstance(clip, dict) else clip) for clip in value)


def parse_duration(value: Any) -> list[list[float]]:
    """The one span [start, end] of a clip; ValueError for anything else."""
    return [parse_span(value)]


def nested(value: Any) -> Any:
    """A list or object that a cell holds as text, JSON or as Python writes it; ValueError if it cannot be read."""
    if not isinstance(value, str) or value.lstrip()[:1] not in ("[", "{", "("):
        return value
    try:
        return json.loads(value)
    except ValueError:
        pass
    except RecursionError:
        raise ValueError(f"{_shown(value)} is nested too deeply") from None
    try:
        return json.loads(_PYTHON.sub(_as_json, value))
    except (ValueError, SyntaxError, RecursionError):
        raise ValueError(f"{_shown(value)} is neither JSON nor what Python writes") from None


def _as_json(token: re.Match[str]) -> str:
    """A token of Python's as one of JSON."""
    text = token[0]
    if token["string"]:
        return json.dumps(ast.literal_eval(text))
    return _WORDS[text] if text in _WORDS else token["number"]


def _shown(value: Any) -> str:
    return repr(value if isinstance(value, int | float) else str(value)[:80])


def in_order(spans: Iterable[Sequence[float]]) -> list[list[float]]:
    """The spans by time, each once."""
    return [list(span) for span in sorted({(span[0], span[1]) for span in spans})]


class SpanList:
    """The spans of rows, on disk while it grows: 24 bytes a span."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `take`

    def append(self, row: int, spans: Sequence[Sequence[float]]) -> None:
        """Add the spans of a row."""
        self._file.write(np.array([(row, *span) for span in spans], dtype=_RECORD).tobytes())

    def take(self) -> np.ndarray[Any, Any]:
        """All of them, by row; the list is closed by it."""
        with self._file as file:
            file.seek(0)
            return np.fromfile(file, dtype=_RECORD)


def first_rows(hashes: Hashes) -> Rows:
    """(n,) for each row of (n,2) the first row that equals it; rows of zeros equal nothing but themselves."""
    order = np.lexsort((hashes[:, 1], hashes[:, 0]))  # stable: equal rows stay in their order
    ordered = hashes[order]
    new = np.ones(len(order), dtype=np.bool_)
    new[1:] = (ordered[1:] != ordered[:-1]).any(axis=1) | ~ordered[1:].any(axis=1)
    starts = np.flatnonzero(new)
    first = np.empty(len(order), dtype=np.int64)
    first[order] = order[starts[np.cumsum(new) - 1]] if len(order) else order
    return first


class GatheredSpans:
    """The spans of all rows of each video, by the video's first row."""

    def __init__(self, spans: np.ndarray[Any, Any], hashes: Hashes) -> None:
        """`spans` as a SpanList has them; `hashes` (n,2) of the rows' URLs, which say which rows are of one video."""
        if not len(spans):
            self._spans, self._video = spans, spans["row"]
            return
        first = first_rows(hashes)
        plain: Mask = (hashes[:, 0] | hashes[:, 1]).astype(np.bool_)  # a row that lists no span wants the whole video
        plain[spans["row"]] = False
        video = first[spans["row"]]
        listed = ~np.isin(video, first[plain])
        order = np.argsort(video[listed], kind="stable")
        self._spans, self._video = spans[listed][order], video[listed][order]

    def count(self, row: int) -> int:
        """How many spans are listed of the video whose first row this is, some perhaps twice."""
        low, high = np.searchsorted(self._video, [row, row + 1])
        return int(high - low)

    def of(self, row: int) -> list[list[float]] | None:
        """The spans of the video whose first row this is; None if one of its rows, or all, want the whole of it."""
        low, high = np.searchsorted(self._video, [row, row + 1])
        return in_order(self._spans[["start", "end"]][low:high].tolist()) if low < high else None
