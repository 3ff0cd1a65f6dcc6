"""A list in many files: a folder or a pattern, here and in an object store."""

import json
import shutil

import pytest

from tests.transforms.fetch.lists.list_samples import URLS, packed, parquet_bytes, rows, urls
from transforms.fetch.lists.files import list_digest, list_files
from transforms.tables.digest import file_digest
from transforms.tables.files import commit_file


def part(*numbers, more=""):
    return "".join(["url,caption\n", *(f"{URLS[number]},x\n" for number in numbers), more])


@pytest.fixture
def parts(tmp_path):
    """Three parts and what Spark leaves beside them."""
    into = tmp_path / "list[1]"
    into.mkdir()
    (into / "part-1.csv.gz").write_bytes(packed("gz", part(2, 3, 4).encode()))
    (into / "part-0.csv").write_text(part(0, 1))
    (into / "part-2.csv").write_text(part(5, 6, 7, more="a,b,c\n"))
    (into / "part-3.csv").write_text("")
    for name in ("_SUCCESS", ".part-0.csv.crc", "._x.csv", "_metadata"):
        (into / name).write_text("x")
    (into / "below").mkdir()
    (into / "below" / "part-9.csv").write_text(part(0))
    return into


def test_the_parts_of_a_folder_in_their_order(parts):
    assert urls(parts) == [*URLS, None]
    assert urls(f"{parts}/") == [*URLS, None]
    assert rows(parts)[-1] == "part-2.csv, line 5: 3 columns instead of 2"


@pytest.mark.parametrize(
    ("pattern", "found"), [("*.csv", URLS[:2] + URLS[5:] + [None]), ("part-1*", URLS[2:5]), ("*/*.csv", URLS[:1])]
)
def test_the_parts_that_a_pattern_names(parts, pattern, found):
    moved = parts.rename(parts.parent / "list")
    assert urls(moved / pattern) == found


def test_the_same_wherever_a_run_may_be(folder, parts):
    for path in parts.rglob("*"):
        if path.is_file():
            with commit_file(f"{folder}/{path.relative_to(parts)}") as out:
                out.write(path.read_bytes())
    assert urls(folder) == urls(f"{folder}/") == urls(f"{folder}/*") == [*URLS, None]
    assert urls(f"{folder}/*/*.csv") == URLS[:1]
    assert urls(f"{folder}/part-1.csv.gz") == URLS[2:5]
    with pytest.raises(ValueError, match="there is no such file"):
        urls(f"{folder}/none")


def test_a_file_whose_name_looks_like_a_pattern(tmp_path):
    (tmp_path / "m[1]*.csv").write_text(part(0))
    (tmp_path / "m1.csv").write_text(part(1))
    assert urls(tmp_path / "m[1]*.csv") == URLS[:1]


def test_parts_of_parquet(tmp_path):
    for number in range(2):
        (tmp_path / f"part-{number}.snappy.parquet").write_bytes(parquet_bytes())
    assert urls(tmp_path) == URLS * 2


def test_parts_of_json_need_not_have_the_same_names(tmp_path):
    (tmp_path / "a.jsonl").write_text(json.dumps({"url": URLS[0], "id": 1}))
    (tmp_path / "b.json").write_text(json.dumps([{"url": URLS[1]}]))
    assert urls(tmp_path) == URLS[:2]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "no list is directly in this folder; name those in folders below it by a pattern"),
        ({"_SUCCESS": ""}, "no list is directly in this folder"),
        ({"a.csv": part(0), "b.jsonl": "{}"}, "a.csv and .*b.jsonl are lists of different formats"),
        ({"a.csv": part(0), "README": "x"}, "README does not tell its format"),
        ({"a.csv": part(0), "b.csv": "link,caption\n"}, "b.csv, manifest.columns.url: .*columns.url=link"),
        (
            {"a.csv": "id,url\n", "b.csv": part(0)},
            "b.csv, the used columns are url here and id, url in the file before",
        ),
        ({"a.csv": ""}, "no column 'url'; it has none"),
    ],
)
def test_folders_that_are_no_list(tmp_path, files, message):
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    with pytest.raises(ValueError, match=message):
        rows(tmp_path)


def test_what_is_not_there(tmp_path):
    for name in ("none.csv", "*.csv", "none/"):
        with pytest.raises(ValueError, match="there is no such file"):
            rows(tmp_path / name)


def test_a_list_is_the_same_while_its_files_are(parts):
    one = str(parts / "part-0.csv")
    assert list_digest(one) == file_digest(one)
    whole = list_digest(str(parts))
    copy = parts.parent / "copy"
    shutil.copytree(parts, copy)
    assert list_digest(str(copy)) == whole
    (copy / "_SUCCESS").write_text("more")
    assert list_digest(str(copy)) == whole
    (copy / "part-0.csv").write_text(part(1, 0))
    assert list_digest(str(copy)) != whole
    assert list_files(str(copy))[0].endswith("part-0.csv")
