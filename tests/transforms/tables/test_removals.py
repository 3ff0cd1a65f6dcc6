"""The record of removals: it knows URLs by salted hashes only, and a broken one is told."""

import pytest

from transforms.tables.files import exists
from transforms.tables.removals import (
    RECORD,
    UNDER_WAY,
    Removals,
    UnderWay,
    begin,
    end,
    is_under_way,
    read_removals,
    read_under_way,
    write_removals,
)

URL = "http://a.example/\u00e4.jpg"


def test_a_run_without_a_removal_has_a_salt_of_its_own_each_time_and_no_file(folder):
    assert read_removals(folder).urls == frozenset()
    assert read_removals(folder).salt != read_removals(folder).salt
    assert not read_removals(folder).has(URL)
    assert read_under_way(folder) is None
    assert not exists(f"{folder}/{RECORD}")


def test_what_was_removed_is_known_by_its_hash_and_not_written(folder):
    write_removals(folder, Removals().with_entry({"id": "1", "items": 1}, [URL]))
    removals = read_removals(folder)
    assert removals.has(URL)
    assert not removals.has(URL + "x")
    assert removals.entries == ({"id": "1", "items": 1},)
    assert Removals().mark(URL) != removals.mark(URL)


def test_an_entry_that_is_written_again_is_replaced():
    removals = Removals().with_entry({"id": "1", "n": 1}, ["a"]).with_entry({"id": "2", "n": 1}, ["b"])
    again = removals.with_entry({"id": "1", "n": 2}, ["a"])
    assert again.entries == ({"id": "2", "n": 1}, {"id": "1", "n": 2})
    assert again.urls == removals.urls


def test_a_removal_is_under_way_until_its_end(folder):
    removal = UnderWay("mark", {"id": "1"}, {"image_id": ["a"]}, ["media/a"], [], ["identity"])
    begin(folder, removal)
    assert is_under_way(folder)
    assert read_under_way(folder) == removal
    end(folder)
    assert not is_under_way(folder)
    assert not exists(f"{folder}/{UNDER_WAY}")


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"salt": 1}'])
def test_a_broken_file_is_told(tmp_path, content):
    for name, read in ((RECORD, read_removals), (UNDER_WAY, read_under_way)):
        (tmp_path / name).write_text(content)
        with pytest.raises(ValueError, match=f"{name}: this file is broken; restore it"):
            read(str(tmp_path))
