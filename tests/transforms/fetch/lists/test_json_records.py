"""JSON: an object a line, arrays, and objects on several lines, whole and damaged."""

import json

import pytest

from tests.transforms.fetch.lists.list_samples import URLS, rows, urls
from transforms.fetch.lists import json_records

OBJECTS = [{"url": url, "tags": [{"n": '[}"{'}], "s": "\\"} for url in URLS]
LINES = [json.dumps(one) for one in OBJECTS]


def read(tmp_path, content, name="m.jsonl"):
    (tmp_path / name).write_text(content, newline="")
    return urls(tmp_path / name)


@pytest.mark.parametrize(
    "content",
    [
        "\n".join(LINES),
        "\r\n".join(LINES) + "\r\n",
        "\n\n \n".join(LINES),
        "\n\n" + "\n".join(LINES),
        "\ufeff" + "\n".join(LINES),
        json.dumps(OBJECTS),
        json.dumps(OBJECTS, indent=2),
        json.dumps(OBJECTS, indent="\t").replace("\n", "\r\n"),
        "[\n" + ",\n".join(LINES) + "\n]\n",
        "[" + ",".join(LINES[:4]) + "]\n[" + ",".join(LINES[4:]) + "]",
        "\n".join(json.dumps(one, indent=2) for one in OBJECTS),
        "[" + ",\n".join(LINES) + ",]",
    ],
)
@pytest.mark.parametrize("read_at_once", [16, 1 << 16])
def test_eight_objects_however_they_are_laid_out(tmp_path, monkeypatch, content, read_at_once):
    monkeypatch.setattr(json_records, "_READ", read_at_once)
    monkeypatch.setattr(json_records, "_KEPT", 100)
    assert read(tmp_path, content) == URLS
    assert [row["tags"] for row in rows(tmp_path / "m.jsonl")] == [one["tags"] for one in OBJECTS]


@pytest.mark.parametrize(
    "broken",
    [
        '{"url": }',
        '{"url": "x" "y"}',
        "{'url': 1}",
        '{"a": {"b": [}]}',
        "[1, 2]",
        "nothing",
        "3",
        '"text"',
        "[[{}]]",
        '{"a": 1 2, "b": [' + ", ".join(['{"c": "["}'] * 30) + "]}",
    ],
)
@pytest.mark.parametrize("read_at_once", [16, 1 << 16])
def test_a_broken_value_costs_itself_only(tmp_path, monkeypatch, broken, read_at_once):
    monkeypatch.setattr(json_records, "_READ", read_at_once)
    monkeypatch.setattr(json_records, "_KEPT", 100)
    for content in (
        "\n".join([*LINES[:4], broken, *LINES[4:]]),
        "[" + ",\n".join([*LINES[:4], broken, *LINES[4:]]) + "]",
        "[" + ",".join([*LINES[:4], broken, *LINES[4:]]) + "]",
    ):
        found = read(tmp_path, content)
        assert found == [*URLS[:4], None, *URLS[4:]]


def test_the_first_line_may_be_the_broken_one(tmp_path):
    assert read(tmp_path, "\n".join(['{"url": "x"', *LINES])) == [None, *URLS]
    assert read(tmp_path, "\n".join(['{"url": "x', *LINES])) == [None, *URLS]
    assert read(tmp_path, "\n".join(["{", *LINES])) == [None, *URLS]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[" + ",\n".join(LINES), "the JSON array is not closed: the file is cut"),
        ("[" + ",\n".join(LINES)[:-20], "from line 8 on cannot be read: an object there does not end"),
        ("[" + ",\n".join([LINES[0], '{"url": "x}', LINES[1]]) + "]", "from line 2 on cannot be read"),
    ],
)
def test_arrays_whose_objects_cannot_be_told_apart_are_refused(tmp_path, content, message):
    with pytest.raises(ValueError, match=message):
        read(tmp_path, content)


def test_large_numbers_and_deep_nesting(tmp_path):
    digits = "9" * 5000
    deep = "[" * 5000 + "]" * 5000
    for content in ("{}\n", "[{}]"):
        lines = f'{{"url": "{URLS[0]}", "n": {digits}, "f": 1e999}}', f'{{"url": "{URLS[1]}", "n": {deep}}}', LINES[2]
        mark = "\n" if content == "{}\n" else ",\n"
        assert read(tmp_path, content.replace("{}", mark.join(lines))) == [URLS[0], None, URLS[2]]
        assert rows(tmp_path / "m.jsonl")[0]["n"] == digits


def test_a_line_and_an_object_that_are_too_long(tmp_path, monkeypatch):
    for module in ("text", "json_records"):
        monkeypatch.setattr(f"transforms.fetch.lists.{module}.MAX_RECORD", 200)
    long = json.dumps({"url": "x", "text": "y" * 300})
    assert read(tmp_path, "\n".join([*LINES[:2], long, *LINES[2:]])) == [*URLS[:2], None, *URLS[2:]]
    monkeypatch.setattr(json_records, "_READ", 16)
    with pytest.raises(ValueError, match="line 3"):
        read(tmp_path, "[" + ",\n".join([*LINES[:2], long * 3, *LINES[2:]]) + "]")


def test_lines_are_told_by_number(tmp_path):
    (tmp_path / "m.jsonl").write_text("\n" + LINES[0] + "\n{x\n")
    assert rows(tmp_path / "m.jsonl")[1] == "line 3: Expecting property name enclosed in double quotes, column 2"
    (tmp_path / "m.json").write_text("[\n" + LINES[0] + ",\n{x}]")
    assert rows(tmp_path / "m.json")[1] == "line 3: Expecting property name enclosed in double quotes"


def test_objects_without_the_item_s_column_are_refused_with_the_nearest(tmp_path):
    (tmp_path / "m.jsonl").write_text('{"image_url": "x"}\n' * 3)
    with pytest.raises(ValueError, match=r"--set manifest\.columns\.url=image_url"):
        rows(tmp_path / "m.jsonl")
