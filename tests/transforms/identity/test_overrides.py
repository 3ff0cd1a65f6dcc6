"""What a user says by hand: the file, what it names, contradictions, and whole identities."""

import numpy as np
import pyarrow as pa
import pytest

from tests.transforms.identity.evidence_made import ints
from transforms.identity.evidence import Evidence
from transforms.identity.overrides import joined_by_hand, known_by_hand, read_overrides, resolve

FACES = pa.array(["a-f0", "b-f0", "c-f0", "d-f0", "d-f1", "e-f0"], pa.large_string())
IMAGES = pa.array(["a", "b", "c", "d", "d", "e"], pa.large_string())


def read(tmp_path, text):
    path = tmp_path / "by_hand.csv"
    path.write_text(text, encoding="utf-8")
    return str(path), read_overrides(str(path))


def said(tmp_path, *lines):
    path, found = read(tmp_path, "rule,face_a,face_b,identity\n" + "\n".join(lines) + "\n")
    return resolve(path, found, FACES, IMAGES)


def test_an_empty_file_says_nothing(tmp_path):
    found = said(tmp_path)
    assert [len(part) for part in (found.same, found.apart, found.drop, found.drop_whole, found.unknown)] == [0] * 5
    assert joined_by_hand(ints(0, 0, -1, -1, -1, -1), found).tolist() == [0, 0, -1, -1, -1, -1]


def test_faces_are_named_by_their_ids_or_by_images_of_one_face(tmp_path):
    found = said(tmp_path, "must_link,a-f0,b,", "cannot_link,c,d-f1,", "drop,e-f0,,", "drop,,,d-f0", "drop,zzz,,")
    assert found.same.tolist() == [[0, 1]]
    assert found.apart.tolist() == [[2, 4]]
    assert (found.drop.tolist(), found.drop_whole.tolist(), found.unknown) == ([5], [3], (6,))


def test_what_is_one_person_is_apart_from_what_a_part_is(tmp_path):
    found = said(tmp_path, "must_link,a,b,", "must_link,b,c,", "cannot_link,c,e,")
    assert sorted(found.apart.tolist()) == [[0, 5], [1, 5], [2, 5]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "lacks the column face_a"),
        ("rule,face_b\n", "lacks the column face_a"),
        ("rule,face_a,face_b\nlink,a,b\n", "line 2: 'link' is no rule; use must_link, cannot_link, drop"),
        ("rule,face_a,face_b\nmust_link,a,\n", "line 2: must_link needs face_a and face_b"),
        ("rule,face_a,face_b\n\ndrop,a,b\n", "line 3: drop needs face_a, or identity"),
        ("rule,face_a,face_b,identity\ndrop,a,,b\n", "line 2: drop needs face_a, or identity"),
        ("rule,face_a,face_b\ndrop,\x00\ud800,\n", "cannot be read as CSV"),
    ],
)
def test_a_file_that_is_none(tmp_path, text, message):
    path = tmp_path / "by_hand.csv"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(ValueError, match=message):
        read_overrides(str(path))


def test_a_missing_file_is_one_sentence(tmp_path):
    with pytest.raises(ValueError, match=r"overrides .*nothing\.csv cannot be read"):
        read_overrides(str(tmp_path / "nothing.csv"))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["must_link,a,b,", "must_link,b,c,", "cannot_link,a,c,"], "line 4: cannot_link keeps apart what line 2, 3"),
        (["cannot_link,a,a,"], "line 2: cannot_link keeps apart a face and itself"),
        (["drop,d,,"], "line 2: the image 'd' has 2 faces; name one, such as 'd-f"),
    ],
)
def test_contradictions_name_their_lines(tmp_path, lines, message):
    with pytest.raises(ValueError, match=message):
        said(tmp_path, *lines)


def test_a_link_joins_whole_clusters_and_faces_of_none(tmp_path):
    found = said(tmp_path, "must_link,a,c,", "must_link,d-f0,e,")
    assert joined_by_hand(ints(0, 0, 2, -1, 2, -1), found).tolist() == [0, 0, 0, 3, 0, 3]


def test_a_link_between_clusters_that_must_stay_apart_moves_the_face_alone(tmp_path):
    found = said(tmp_path, "must_link,a,c,", "cannot_link,b,d-f0,")
    assert joined_by_hand(ints(0, 0, 2, 2, -1, -1), found).tolist() == [0, 0, 0, 3, -1, -1]


def test_a_picture_of_which_two_faces_are_linked_proves_nothing(tmp_path):
    found = said(tmp_path, "must_link,d-f0,d-f1,")
    evidence = Evidence(np.arange(6), ints(0, 0, 2, 3, 3, 3), ints(), ints())
    assert known_by_hand(evidence, found).picture.tolist() == [0, 0, 2, -1, -1, -1]
