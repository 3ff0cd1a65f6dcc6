"""Times and spans of manifests, and the spans of many rows of one video put together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.fetch.lists.repeats import HashList
from transforms.fetch.lists.spans import GatheredSpans, SpanList, first_rows, in_order, parse_span, parse_time


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("1.5", 1.5),
        (2, 2.0),
        (0.25, 0.25),
        ("00:00:17.759", 17.759),
        ("1:02:03.004", 3723.004),
        ("2:03", 123.0),
        (" 5 ", 5.0),
    ],
)
def test_times(text, seconds):
    assert parse_time(text) == pytest.approx(seconds, abs=1e-9)


@pytest.mark.parametrize(
    "value", ["", "a", "-1", "1:2:3:4", None, True, -0.5, 10**400, -(10**400), float("nan"), float("inf"), "１", [1]]
)
def test_what_is_no_time(value):
    with pytest.raises(ValueError, match="is no time"):
        parse_time(value)


@pytest.mark.parametrize("value", [None, "1,2", [], [1], [1, 2, 3], [2, 1], [1, 1], {"start": 1}])
def test_what_is_no_span(value):
    with pytest.raises(ValueError, match="span"):
        parse_span(value)


def test_spans_are_put_in_order_once():
    assert in_order([]) == []
    assert in_order([(5, 6), (1, 3), (1, 2), (5, 6)]) == [[1, 2], [1, 3], [5, 6]]


def hashed(texts):
    hashes = HashList()
    for text in texts:
        hashes.append(text)
    return hashes.take()


@given(st.lists(st.one_of(st.none(), st.sampled_from("abcd"))))
def test_first_rows_are_what_a_dict_finds(texts):
    seen = {}
    expected = [row if text is None else seen.setdefault(text, row) for row, text in enumerate(texts)]
    assert first_rows(hashed(texts)).tolist() == expected


@given(st.lists(st.tuples(st.one_of(st.none(), st.sampled_from("abc")), st.lists(st.integers(0, 9), max_size=3))))
def test_gathered_spans_are_what_a_dict_gathers(rows):
    """A row is a video and the starts of its spans, each a second long; no starts: the whole video."""
    listed = SpanList()
    gathered, whole, first = {}, set(), {}
    for row, (video, starts) in enumerate(rows):
        if video is None:
            continue
        first.setdefault(video, row)
        if starts:
            listed.append(row, [[start, start + 1] for start in starts])
            gathered.setdefault(video, set()).update((float(start), start + 1.0) for start in starts)
        else:
            whole.add(video)
    found = GatheredSpans(listed.take(), hashed([video for video, _ in rows]))
    for video, row in first.items():
        expected = None if video in whole else [list(span) for span in sorted(gathered[video])]
        assert found.of(row) == expected


def test_no_spans():
    found = GatheredSpans(SpanList().take(), np.zeros((3, 2), dtype=np.uint64))
    assert [found.of(row) for row in range(3)] == [None] * 3
