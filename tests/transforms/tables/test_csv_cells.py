import csv
import io

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.tables.csv_cells import csv_rows, safe_cell, write_csv


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, None),
        ("", ""),
        ("plain, with comma", "plain, with comma"),
        ("=1+1", "'=1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-2+3+cmd|' /C calc'!A0", "'-2+3+cmd|' /C calc'!A0"),
        ("\t=1", "'\t=1"),
        ("\n=1", "'\n=1"),
        ("-abcDEF_123", "-abcDEF_123"),  # a video's id
        ("-é", "'-é"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("clips/v/v-s0-0.mp4", "clips/v/v-s0-0.mp4"),
        (-1.5, -1.5),
        (True, True),
    ],
)
def test_cells(value, cell):
    assert safe_cell(value) == cell


@given(st.lists(st.lists(st.text(st.characters(codec="utf-8")), min_size=2, max_size=3)))
def test_rows_are_read_back_and_none_begins_a_formula(rows):
    out = io.BytesIO()
    write = csv_rows(out)
    for row in rows:
        write(row)
    found = list(csv.reader(io.StringIO(out.getvalue().decode(), newline="")))
    assert found == [[safe_cell(cell) for cell in row] for row in rows]
    assert not any(cell.startswith(("=", "@", "+1", "-1+")) for row in found for cell in row)


def test_nothing_is_an_empty_cell():
    out = io.BytesIO()
    csv_rows(out)([None, 0, 0.25, "a\nb", True])
    assert out.getvalue() == b',0,0.25,"a\nb",True\r\n'


def test_a_table():
    table = pa.table(
        {
            "=id": ["=1", "b"],
            "score": pa.array([0.1, None], pa.float32()),
            "exact": [0.1, 2.0],
            "half": pa.array([0.1, 1.0], pa.float16()),
            "box": [[1, 2], None],
            "deep": [{"a": "é"}, None],
            "there": [True, None],
        }
    )
    out = io.BytesIO()
    write_csv(table, out)
    assert out.getvalue().decode().splitlines() == [
        "'=id,score,exact,half,box,deep,there",
        """'=1,0.1,0.1,0.1,"[1, 2]","{""a"": ""é""}",True""",
        "b,,2.0,1.0,,,",
    ]
