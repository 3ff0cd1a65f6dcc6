import hashlib
from pathlib import Path

import pytest

from transforms.tables.digest import differences, digest, file_digest, tables_digest
from transforms.tables.files import commit_file
from transforms.tables.rows import ListedImage
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import shard_path, to_table, write_shard


@pytest.mark.parametrize(
    ("one", "same"),
    [
        ({}, {}),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ((1, 2), [1, 2]),
        ({"threshold": 0.7}, {"threshold": 0.70}),
        (Path("/models/a.onnx"), "/models/a.onnx"),
    ],
)
def test_equal_data_has_one_digest(one, same):
    assert digest(one) == digest(same)


def test_other_data_has_another_digest():
    values = [None, "", {}, [], 0, 1, "1", "a", ["a"], [["a"]], {"a": 1}, {"a": 2}, {"b": 1}, {"a": {"b": 1}}]
    assert len({digest(value) for value in values}) == len(values)


def test_digests_never_change_between_versions():
    """They stand in run.json files; another digest would call every run stale."""
    assert digest({"b": [1, 2.5], "a": None}) == hashlib.sha256(b'{"a":null,"b":[1,2.5]}').hexdigest()[:16]


@pytest.mark.parametrize("value", [object(), lambda: 0, {"model": object()}])
def test_what_has_an_address_in_its_text_has_no_digest(value):
    with pytest.raises(TypeError):
        digest(value)


def test_a_files_digest_is_its_sha256(folder):
    path = f"{folder}/manifest.csv"
    content = b"url\n" * 600_000  # more than one block
    with commit_file(path) as out:
        out.write(content)
    assert file_digest(path) == hashlib.sha256(content).hexdigest()


def test_a_tables_digest_tells_shards_and_rows_apart(folder):
    def write(table, name, rows):
        sources = [ListedImage(str(i), "http://host", None, "{}") for i in range(rows)]
        write_shard(shard_path(folder, table, name), to_table(sources, arrow_schema(ListedImage)))
        return tables_digest(folder, ["a", "b"])

    found = [tables_digest(folder, ["a", "b"]), write("a", "00000", 1), write("b", "00000", 1), write("b", "00000", 2)]
    assert len(set(found)) == len(found)
    assert write("c", "00000", 1) == found[-1]
    assert tables_digest(folder, ["b", "a"]) == found[-1]
    assert write("b", "00000", 2) == found[-1]


DIFFERENCES = [
    ({}, {}, []),
    ({"a": 1}, {"a": 1}, []),
    ({"a": {"b": 0.945}}, {"a": {"b": 0.95}}, ["a.b: 0.945 -> 0.95"]),
    ({"a": {"b": 1, "c": [1, 2]}}, {"a": {"b": 1, "c": [1]}}, ["a.c: [1, 2] -> [1]"]),
    ({"a": "dbscan"}, {"a": None}, ['a: "dbscan" -> null']),
    ({"a": {}}, {"a": {"new": 1}}, ["a.new: nothing -> 1"]),
    ({"a": {"old": 1}}, {"a": {}}, ["a.old: 1 -> nothing"]),
    ({"a": {"b": 1}}, {}, []),  # a block that came or went has a setting that says so
    ({}, {"a": {"b": 1}}, []),
    ({"a": 1, "b": 2}, {"a": 2, "b": 1}, ["a: 1 -> 2", "b: 2 -> 1"]),
    ({"a": "x" * 99}, {"a": ""}, [f'a: "{"x" * 36}... -> ""']),
]


@pytest.mark.parametrize(("old", "new", "lines"), DIFFERENCES)
def test_differences_name_each_key(old, new, lines):
    assert differences(old, new) == lines
