"""Lines are added and taken out, and the rest of a user's file stays as it is, byte by byte."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beam_pipelines.browse.overrides_file import with_lines, without_line
from beam_pipelines.errors import ConfigError
from transforms.identity.overrides import Override, parse_overrides

MUST = Override(0, "must_link", ("a", "b"))
DROP = Override(0, "drop", ("c",))
WHOLE = Override(0, "drop", ("c",), whole=True)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", b"rule,face_a,face_b,identity\nmust_link,a,b,\ndrop,c,,\ndrop,,,c\n"),
        (b"rule,face_a,face_b,identity\n", b"rule,face_a,face_b,identity\nmust_link,a,b,\ndrop,c,,\ndrop,,,c\n"),
        (
            b"rule,face_a,face_b,identity\r\ndrop,x,,",
            b"rule,face_a,face_b,identity\r\ndrop,x,,\r\nmust_link,a,b,\r\ndrop,c,,\r\ndrop,,,c\r\n",
        ),
        (
            b"\xef\xbb\xbfnote,identity,face_b,rule,face_a\nmy \xc3\xa9,,b,must_link,a\n",
            b"\xef\xbb\xbfnote,identity,face_b,rule,face_a\nmy \xc3\xa9,,b,must_link,a\n,,,drop,c\n,c,,drop,\n",
        ),
        (
            b'rule,face_a,face_b,identity,note\nmust_link,b,a,,"two\nlines"\ndrop,c,,,\n',
            b'rule,face_a,face_b,identity,note\nmust_link,b,a,,"two\nlines"\ndrop,c,,,\ndrop,,,c,\n',
        ),
    ],
)
def test_lines_are_added_behind_what_is_there_and_none_twice(before, after):
    new = [MUST, DROP, DROP, WHOLE]
    assert with_lines("f.csv", before, new)[0] == after
    assert with_lines("f.csv", after, new) == (after, 0)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"rule,face_a\n", "f.csv has no column face_b; add it"),
        (b"rule\n", "lacks the column face_a"),
        (b"rule,face_a,face_b,identity\nnone,a,b,\n", "line 2: 'none' is no rule"),
        (b"\xff\xfe", "cannot be read as CSV in UTF-8"),
    ],
)
def test_a_file_that_is_none_is_left_alone(content, words):
    with pytest.raises(ValueError, match=words):
        with_lines("f.csv", content, [MUST])


def test_an_id_that_is_a_formula_is_not_written():
    with pytest.raises(ConfigError, match="would be a formula"):
        with_lines("f.csv", b"", [Override(0, "drop", ("=cmd|' /C calc'!A0",))])


NAME = st.text("abc.-_", min_size=1, max_size=3)
LINE = st.one_of(
    st.builds(lambda a, b: Override(0, "must_link", (a, b)), NAME, NAME),
    st.builds(lambda a: Override(0, "drop", (a,)), NAME),
    st.builds(lambda a: Override(0, "drop", (a,), True), NAME),
)
BEGUN = st.sampled_from(
    [b"", b"\xef\xbb\xbfrule,face_a,face_b,identity\r\n", b'identity,rule,"face_b",face_a,"n\no"\n']
)


def said(content):
    return [(line.rule, line.faces, line.whole) for line in parse_overrides("f.csv", io.BytesIO(content))]


@given(begun=BEGUN, lines=st.lists(LINE, min_size=1, max_size=6), place=st.integers(0))
def test_what_is_added_is_read_and_what_is_taken_out_is_not(begun, lines, place):
    content, count = with_lines("f.csv", begun, lines)
    found = parse_overrides("f.csv", io.BytesIO(content))
    assert len(found) == count
    gone = found[place % count]
    rest = without_line("f.csv", content, gone.line, gone)
    expected = [one for one in said(content) if one != (gone.rule, gone.faces, gone.whole)]
    assert said(rest) == expected
    assert with_lines("f.csv", rest, [gone])[1] == 1
    with pytest.raises(ConfigError, match="is no longer what was shown"):
        without_line("f.csv", rest, gone.line + 1000, gone)
