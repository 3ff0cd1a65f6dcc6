"""Stage persons: numbers through all videos, the ledger, key persons and their time, and bad faces."""

import resource
import time

import apache_beam as beam
import numpy as np
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from tests.integration.runs import table_content
from tests.transforms.persons.film_tables import ALONE, PLAIN, Film, Seen, write_film
from transforms.identity.cleaning import similarity_to_centre
from transforms.persons.persons_stage import find_persons
from transforms.persons.settings import MergingSettings, PersonSettings
from transforms.tables.ledger import ledger_table, tally
from transforms.tables.shards import read_column

ONE, TWO, THREE = (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0)
TABLES = ("identities", "persons", ledger_table("persons"))


def find(run, settings=PLAIN, with_clothes=True):
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        _ = pipeline | find_persons(settings, with_clothes).transform(run)


def rows(run, table, *columns):
    return [tuple(row.values()) for row in read_column(run, table, list(columns)).to_pylist()]


def of_one(*numbers, vector=ONE, place=0):
    return [Seen(number, place, vector) for number in numbers]


def test_persons_keep_their_numbers_when_videos_come_in(folder):
    write_film(folder, [Film("b", of_one(0, 1, 2)), Film("d", of_one(7, 8, vector=TWO))])
    find(folder)
    assert rows(folder, "persons", "identity", "video_id") == [(0, "b"), (1, "d")]
    write_film(folder, [Film("a", of_one(3, 4)), Film("c", of_one(3, 4))], "00001")
    find(folder)
    there = [(2, "a"), (0, "b"), (3, "c"), (1, "d")]
    assert rows(folder, "persons", "identity", "video_id") == there
    assert {(row[1], row[0].partition("-")[0]) for row in rows(folder, "identities", "face_id", "identity")} == set(
        there
    )
    find(folder)
    assert rows(folder, "persons", "identity", "video_id") == there


@pytest.mark.parametrize("films", [[], [Film("v", [])]])
def test_no_faces(folder, films):
    write_film(folder, films)
    find(folder)
    assert rows(folder, "persons", "identity") == rows(folder, "identities", "face_id") == []
    assert tally(folder, "persons").items == 0


@pytest.mark.parametrize(
    ("least", "reasons", "persons"), [(1, {"kept": 1}, [(0, 1, 10.0)]), (2, {"small_identity": 1}, [])]
)
def test_one_face(folder, least, reasons, persons):
    write_film(folder, [Film("v", [Seen(4)], sampled=[4])])
    find(folder, PLAIN.model_copy(update={"min_size": least}))
    assert tally(folder, "persons").by_reason == reasons
    assert rows(folder, "persons", "identity", "faces", "seconds") == persons


def test_persons_are_numbered_through_all_videos_and_never_joined_between_them(folder):
    write_film(folder, [Film("b", of_one(0, 1, 2)), Film("a", of_one(3, 4) + of_one(3, 5, vector=TWO, place=1))])
    write_film(folder, [Film("c", of_one(0, vector=THREE)), Film("d", of_one(7, 8, vector=TWO))], "00001")
    find(folder)
    assert rows(folder, "persons", "identity", "video_id", "label", "faces", "rank") == [
        (0, "a", "a label", 2, 1), (1, "a", "a label", 2, 2), (2, "b", "a label", 3, 1), (3, "d", "a label", 2, 1),
    ]  # fmt: skip
    assert rows(folder, "identities", "face_id", "identity", "reason", "cluster") == [
        ("a-n3-f0", 0, "", "a-n3-f0"), ("a-n3-f1", 1, "", "a-n3-f1"),
        ("a-n4-f0", 0, "", "a-n3-f0"), ("a-n5-f1", 1, "", "a-n3-f1"),
        ("b-n0-f0", 2, "", "b-n0-f0"), ("b-n1-f0", 2, "", "b-n0-f0"), ("b-n2-f0", 2, "", "b-n0-f0"),
        ("c-n0-f0", None, "small_identity", "c-n0-f0"),
        ("d-n7-f0", 3, "", "d-n7-f0"), ("d-n8-f0", 3, "", "d-n7-f0"),
    ]  # fmt: skip
    assert tally(folder, "persons").by_reason == {"kept": 9, "small_identity": 1}
    assert tally(folder, "persons").rows == len(rows(folder, "identities", "face_id"))


def test_the_longest_on_screen_comes_first_and_is_key(folder):
    faces = of_one(0, 1) + of_one(4, 5, 8, vector=TWO) + of_one(7, 9, vector=THREE)
    write_film(folder, [Film("v", faces)])
    find(folder, PLAIN.model_copy(update={"key_persons": 1}))
    assert rows(folder, "persons", "identity", "rank", "key", "seconds", "start", "end", "spans", "face_id") == [
        (1, 1, True, 3.0, 3.5, 8.5, [[3.5, 5.5], [7.5, 8.5]], "v-n4-f0"),
        (2, 2, False, 2.0, 6.5, 9.5, [[6.5, 7.5], [8.5, 9.5]], "v-n7-f0"),
        (0, 3, False, 1.5, 0.0, 1.5, [[0.0, 1.5]], "v-n0-f0"),
    ]


def test_clusters_are_those_before_merging(folder):
    near = (0.98, 0.199, 0, 0)  # 0.2 from ONE
    write_film(folder, [Film("v", of_one(0, 1) + of_one(5, 6, vector=near))])
    apart = PersonSettings(scale="possible", similarity=1, min_size=2, merging=MergingSettings(face_distance=0.3))
    find(folder, apart)
    assert rows(folder, "persons", "faces", "clusters") == [(4, 2)]
    assert rows(folder, "identities", "cluster", "identity") == [("v-n0-f0", 0)] * 2 + [("v-n5-f0", 0)] * 2
    (cosines,) = {round(cosine, 3) for (cosine,) in rows(folder, "identities", "similarity")}
    assert cosines == pytest.approx(0.995, abs=1e-3)


def test_vectors_that_are_none_end_in_the_ledger(folder):
    bad = [Seen(5, 0, (np.nan, 0, 0, 0)), Seen(6, 0, (0, 0, 0, 0)), Seen(7, 0, (np.inf, 1, 0, 0))]
    write_film(folder, [Film("v", of_one(0, 1) + bad), Film("w", bad)])
    find(folder)
    assert tally(folder, "persons").by_reason == {"bad_vector": 6, "kept": 2}
    assert {row[1:] for row in rows(folder, "identities", "reason", "identity", "cluster", "similarity")
            if row[0]} == {(None, None, None)}  # fmt: skip
    assert rows(folder, "persons", "video_id", "faces") == [("v", 2)]


def test_clothes_tell_the_same_face_apart_only_if_they_are_looked_at(folder):
    dressed = [Seen(n, 0, ONE, clothes) for n, clothes in enumerate([(1, 0), (1, 0), (0, 1), (0, 1)])]
    write_film(folder, [Film("v", dressed)])
    find(folder, PLAIN, with_clothes=True)
    assert len(rows(folder, "persons", "identity")) == 1  # merged by their faces
    unmerged = PLAIN.model_copy(update={"merging": MergingSettings(passes=0)})
    find(folder, unmerged)
    assert len(rows(folder, "persons", "identity")) == 2
    find(folder, unmerged, with_clothes=False)
    assert len(rows(folder, "persons", "identity")) == 1


def test_the_order_of_rows_and_their_shards_changes_nothing(tmp_path):
    rng = np.random.default_rng(0)
    faces = [Seen(n, place, rng.normal(size=4), rng.normal(size=2)) for n in range(10) for place in range(3)]
    films = [Film("v", faces), Film("w", faces[:7])]
    whole, mixed = str(tmp_path / "whole"), str(tmp_path / "mixed")
    write_film(whole, films)
    order = rng.permutation(len(faces))
    write_film(mixed, [Film("w", faces[6::-1])], "00000")
    write_film(mixed, [Film("v", [faces[i] for i in order[:11]])], "00001")
    write_film(mixed, [Film("v", [faces[i] for i in order[11:]])], "00002", ["frames", "videos"])
    for run in (whole, mixed):
        find(run, PersonSettings(min_size=1, similarity=0.5, evidence=ALONE))
    for table in TABLES:
        assert table_content(whole, table) == table_content(mixed, table), table
    assert len(rows(whole, "persons", "identity")) > 2


@pytest.mark.integration
def test_ten_thousand_faces_in_one_frame(tmp_path):
    rng = np.random.default_rng(0)
    write_film(str(tmp_path), [Film("v", [Seen(3, place, rng.normal(size=4)) for place in range(10_000)])])
    start = time.process_time()
    find(str(tmp_path), PersonSettings(min_size=1))
    assert time.process_time() - start < 120  # seconds; some 20 on a core of its own
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 8 * 2**20  # kilobytes; some 2 GB
    assert len(rows(str(tmp_path), "persons", "identity")) == 10_000  # no two are one person


def test_similarity_to_the_centre():
    assert similarity_to_centre(np.zeros(0, np.int64), np.zeros((0, 2), np.float32)).tolist() == []
    units = np.array([[1, 0], [0, 1], [1, 0], [-1, 0], [1, 0]], np.float32)
    found = similarity_to_centre(np.array([0, 0, 1, 2, 2]), units)
    np.testing.assert_allclose(found, [0.5**0.5, 0.5**0.5, 1, 0, 0], atol=1e-6)  # of opposites there is no mean
