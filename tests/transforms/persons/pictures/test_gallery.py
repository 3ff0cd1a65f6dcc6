"""Videos with their faces, clusters and persons out of tables whose rows stand in any order."""

import pytest

from tests.person_tables import FACES, PERSONS, SECONDS, write_tables
from tests.video_rows import write_faces
from transforms.persons.pictures.gallery import read_galleries


def test_no_face(folder):
    write_tables(folder, [], [])
    assert list(read_galleries(folder)) == []


def test_a_video_has_its_faces_by_time_and_its_persons_by_rank(folder):
    write_tables(folder, persons=PERSONS[::-1])
    a, b = read_galleries(folder)
    assert (a.video_id, a.label, a.seconds, b.video_id) == ("a", "mood", SECONDS, "b")
    own = sorted((one for one in FACES if one.video == "a"), key=lambda one: (one.second, one.face_id))
    assert list(a.face_id) == [one.face_id for one in own]
    assert a.frame.tolist() == a.time.tolist() == [one.second for one in own]
    assert [person.rank for person in a.persons] == [1, 2]
    assert a.person.tolist() == [{1: 0, 0: 1, None: -1}[one.person] for one in own]
    names = [one.cluster for one in own]
    assert [name is None for name in names] == (a.cluster < 0).tolist()
    for one, number in zip(names, a.cluster.tolist(), strict=True):
        assert [other == one for other in names] == (a.cluster == number).tolist()
    assert (b.persons, b.person.tolist()) == ((), [-1])
    assert a.moments.start.tolist() == [0, *(n + 0.5 for n in range(9))]


def test_tables_of_different_states_are_told_apart(folder):
    write_tables(folder)
    write_faces(folder, "00000", [])
    with pytest.raises(ValueError, match="faces has not every face of identities"):
        list(read_galleries(folder))
