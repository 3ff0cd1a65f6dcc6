"""Persons as CSV and JSON: the same values in both, times without noise, and nothing that a spreadsheet computes."""

import csv
import io
import json

import pytest

from tests.person_tables import person
from transforms.persons.pictures.person_lists import COLUMNS, person_entry, write_csv, write_json


def written(entries):
    csv_file, json_file = io.BytesIO(), io.BytesIO()
    write_csv(entries, csv_file)
    write_json({"video_id": "a", "label": "=SUM(A1)"}, entries, json_file)
    return list(csv.DictReader(io.StringIO(csv_file.getvalue().decode()))), json.loads(json_file.getvalue())


def test_nobody():
    assert written([]) == ([], {"video_id": "a", "label": "=SUM(A1)", "persons": []})


def test_both_files_say_the_same():
    entry = person_entry(person(0, 2, "a-n9-f1"), 8, "clusters/a/x.jpg")
    (line,), told = written([entry])
    assert told["persons"] == [entry]
    assert list(line) == list(entry) == list(COLUMNS)
    assert json.loads(line["spans"]) == entry["spans"] == [[3.5, 5.5], [8.5, 9.5]]
    assert (entry["seconds"], entry["share"], entry["start"], entry["end"]) == (3, 0.375, 3.5, 9.5)
    assert (entry["rank"], entry["identity"], entry["key"], entry["faces"], entry["clusters"]) == (2, 0, True, 3, 1)
    assert {name: str(value) for name, value in entry.items() if name != "spans"} == {
        name: value for name, value in line.items() if name != "spans"
    }


@pytest.mark.parametrize(("seconds", "share"), [(0, 0), (6, 0.5), (9, 0.3333)])
def test_the_share_of_a_video_is_rounded(seconds, share):
    assert person_entry(person(0, 1, "f", seconds=3.00001), seconds, "")["share"] == share


def test_a_name_that_a_spreadsheet_would_compute_is_text():
    (line,), _ = written([person_entry(person(0, 1, "=1+1"), 8, "")])
    assert line["face_id"] == "'=1+1"
