"""CSV and TSV as the world has them: the right number of rows, and what is wrong is said with its line."""

import pytest

from tests.transforms.fetch.lists.list_samples import URLS, csv_text, rows, urls, verdicts
from transforms.fetch.lists import delimited
from transforms.fetch.lists.record import BadRow

A, B, C, D, E = URLS[:5]
HEAD = "url,caption\n"


def with_rows(*lines):
    return HEAD + "".join(f"{line}\n" for line in lines)


def read(tmp_path, content, name="m.csv", **settings):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8", "surrogateescape"))
    return rows(path, **settings)


def seen(found):
    """A row's caption, or what is wrong with it."""
    return [str(row) if isinstance(row, BadRow) else row["caption"] for row in found]


@pytest.mark.parametrize(
    ("lines", "captions"),
    [
        ([f'{A},"a, b"', f'{B},"say ""hi"""', f'{C},""'], ["a, b", 'say "hi"', ""]),
        ([f'{A},"one\ntwo\r\n\n three"', f"{B},x"], ["one\ntwo\r\n\n three", "x"]),
        ([f'{A},6" tall', f'{B},the "Big" one'], ['6" tall', 'the "Big" one']),
        ([f"{A},x", "", "  ", f"{B},y"], ["x", "y"]),
        ([f"{A},x,", f"{B},y,,,"], ["x", "y"]),
        ([f"{A},a\0b", f"{B},é\u2028ü"], ["a\0b", "é\u2028ü"]),
        ([f'{A},"see\nhttp://b.example/1, nice\nand more"'], ["see\nhttp://b.example/1, nice\nand more"]),
    ],
    ids=["quoted", "lines in a cell", "inner quotes", "blank lines", "commas behind", "odd characters", "a URL in it"],
)
def test_correct_rows(tmp_path, lines, captions):
    assert seen(read(tmp_path, with_rows(*lines))) == captions


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        # a quote that is never closed
        ([f"{A},x", f'{B},"Portrait', f"{C},y", f"{D},z"], ["x", "line 3: a quote is opened", "y", "z"]),
        # one that the next quoted cell seems to close
        ([f'{A},"Portrait', f"{B},y", f'{C},"a, b"', f"{D},z"], ["line 2: a quote is opened", "y", "a, b", "z"]),
        ([f'{A},"Portrait', f'{B},"a\nb"', f"{C},z"], ["line 2: a quote is opened", "a\nb", "z"]),
        # one that a quote in a later cell closes, so that the number of columns is right
        ([f'{A},"Portrait', f"{B},y", f'{C},TV 40"', f"{D},z"], ["line 2: a quote is opened", "y", 'TV 40"', "z"]),
        ([f'{A},"Portrait', f'{B},TV 40"'], ["line 2: a quote is opened", 'TV 40"']),
        # text behind a closing quote
        ([f'{A},"Big" Jim', f"{B},y"], ["line 2: text behind the closing quote of column 2", "y"]),
        ([f'{A},"one\ntwo" three', f"{B},y"], ["lines 2 to 3: text behind the closing quote of column 2", "y"]),
        # the number of columns
        ([f"{A},x,y", f"{B},z", A], ["line 2: 3 columns instead of 2", "z", "line 4: 1 columns instead of 2"]),
        ([f'{A},"one\ntwo",y', f"{B},z"], ["lines 2 to 3: 3 columns instead of 2", "z"]),
        # two of them
        ([f'{A},"x', f"{B},y", f'{C},"z', f"{D},w"], ["line 2: a quote", "y", "line 4: a quote", "w"]),
        ([f'{A},"x'], ["line 2: a quote is opened and not closed before the end"]),
    ],
)
def test_a_wrong_row_costs_itself_only(tmp_path, lines, expected):
    found = seen(read(tmp_path, with_rows(*lines)))
    assert len(found) == len(expected)
    assert all(one.startswith(start) for one, start in zip(found, expected, strict=True))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_ends_of_lines(tmp_path, end):
    content = with_rows(f"{A},x", f'{B},"two\nlines"', f'{C},"open', f"{D},y").replace("\n", end)
    assert seen(read(tmp_path, content))[:2] == ["x", f"two{end}lines"]
    assert len(read(tmp_path, content)) == 4
    assert seen(read(tmp_path, f"url,caption\r\n{A},x\r{B},y\n{C},z")) == ["x", "y", "z"]


def test_a_long_cell_and_a_long_list_of_quotes(tmp_path):
    text = 'a line of text, ""quoted""\n' * 40_000  # 1.1 million characters
    found = seen(read(tmp_path, with_rows(f"{A},x", f'{B},"{text}"', f"{C},y")))
    assert found == ["x", text.replace('""', '"'), "y"]


def test_a_cell_longer_than_a_record_may_be_swallows_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(delimited, "MAX_RECORD", 100)
    lines = [f'{A},"open', *(f"{B}{number},x" for number in range(50)), f"{C},y"]
    found = seen(read(tmp_path, with_rows(*lines)))
    assert found[0].startswith("line 2: a quote is opened")
    assert found[1:] == ["x"] * 50 + ["y"]


def test_rows_of_paths_and_ids_are_found_again_too(tmp_path):
    found = read(tmp_path, 'url,caption\n/v/1.mp4,x\n/v/2.mp4,"open\nand text, more\n/v/3.mp4,y\n')
    assert seen(found) == ["x", "lines 3 to 4: a quote is opened and not closed; the rows behind it were read by "
                                "themselves", "y"]  # fmt: skip


@pytest.mark.parametrize(
    ("header", "row", "key"),
    [
        ("\ufeffurl,caption", f"{A},x", "caption"),
        (" url , caption ", f"{A},x", "caption"),
        ('"url","caption"', f'{A},"x"', "caption"),
        ("url;caption", f"{A};x", "caption"),
        ("url\tcaption", f"{A}\tx", "caption"),
        ("sep=|\nurl|caption", f"{A}|x", "caption"),
        ("\n\nurl,caption", f"{A},x", "caption"),
        (",url,caption", f"0,{A},x", "caption"),
        ("url,caption,", f"{A},x", "caption"),
        ("url,caption,,", f"{A},x,,,", "caption"),
        ("url,a,a,a_2", f"{A},1,x,3", "a_2"),
        ("url,Jos\udce9", f"{A},x", "José"),
    ],
)
def test_headers(tmp_path, header, row, key):
    ((found),) = read(tmp_path, f"{header}\n{row}\n")
    assert (found["url"], found[key]) == (A, "x")


def test_columns_without_a_name_are_numbered(tmp_path):
    (found,) = read(tmp_path, f",url,\n7,{A},8\n")
    assert found == {"column_1": "7", "url": A, "column_3": "8"}


@pytest.mark.parametrize(
    ("quoting", "content", "expected"),
    [
        ("auto", f'url\tcaption\n{A}\t"Big" Jim\n{B}\t"Hello\n{C}\t6" tall\n', ['"Big" Jim', '"Hello', '6" tall']),
        ("auto", f'"url"\t"caption"\n"{A}"\t"a\tb"\n"{B}"\t"c\nd"\n', ["a\tb", "c\nd"]),
        ("quoted", f'url\tcaption\n{A}\t"a\tb"\n{B}\t"c\nd"\n', ["a\tb", "c\nd"]),
        ("plain", f'"url"\tcaption\turl\n1\t"x"\t{A}\n', ['"x"']),
    ],
)
def test_quotes_of_a_tsv(tmp_path, quoting, content, expected):
    assert seen(read(tmp_path, content, "m.tsv", quoting=quoting)) == expected


def test_a_tsv_that_was_written_with_quotes_is_told_how_to_be_read(tmp_path):
    (found,) = read(tmp_path, f'url\tcaption\n{A}\t"a\tb"\n', "m.tsv")
    assert found == "line 2: 3 columns instead of 2; if cells with tabs are quoted in it, set manifest.quoting=quoted"


def test_a_plain_csv_has_no_quotes(tmp_path):
    assert seen(read(tmp_path, with_rows(f'{A},"Hello', f'{B},a"'), quoting="plain")) == ['"Hello', 'a"']


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "no column 'url'; it has none"),
        ("\n\n", "no column 'url'; it has none"),
        ('"url,caption\nx,y\n', "names of the columns, in line 1, cannot be read: a quote is opened and not closed"),
        (f"{A},a cat\n{B},a dog\n", "looks like an item: put a line with the names of the columns before it"),
    ],
)
def test_headers_that_cannot_be_used(tmp_path, content, message):
    with pytest.raises(ValueError, match=message):
        read(tmp_path, content)


def test_other_columns_lose_no_row_for_their_bytes(tmp_path):
    path = tmp_path / "m.csv"
    path.write_bytes(
        b"caption,url\nJos\xe9 \x93q\x94,%s\n\x81\xff,%s\nx,http://a.example/\xe9\n" % (A.encode(), B.encode())
    )
    assert [row["url"] for row in rows(path)[:2]] == [A, B]
    assert verdicts(path) == [A, B, ("bad_row", "the URL holds bytes that are no text: http://a.example/é")]


def test_eight_rows_of_quoted_cells(tmp_path):
    (tmp_path / "m.csv").write_text(csv_text())
    assert urls(tmp_path / "m.csv") == URLS
    assert rows(tmp_path / "m.csv")[3]["caption"] == 'caption 3, "x"'
