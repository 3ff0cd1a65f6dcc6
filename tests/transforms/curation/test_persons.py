"""The choice among a person's faces: diverse best ones, and runs of consecutive samples."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.curation.persons import Candidate, best, gaps, sequences


def candidate(sample=0, composite=0.5, **changes):
    made = Candidate(
        face_id="",
        video_id="v",
        label=None,
        media="media/v.mp4",
        number=10 * sample,
        segment="front",
        sample=sample,
        shot=None,
        composite=composite,
        emotion=None,
        bg_hash="0" * 16,
        shard="00000",
        row=0,
    )
    made = replace(made, **changes)
    return replace(made, face_id=made.face_id or f"{made.video_id}-n{made.number}-f0")


def test_nobody_is_chosen_of_none():
    assert best([], 10, 0) == best([], 10, 5) == []
    assert sequences([], 5) == []


HASHES = ["0000000000000000", "0000000000000001", "00000000000000ff", "0000000000ff00ff", "ffffffffffffffff"]


@pytest.mark.parametrize(
    ("most", "distance", "chosen"),
    [
        (0, 0, []),
        (2, 0, [0, 1]),
        (9, 0, [0, 1, 2, 3, 4]),
        (2, 8, [0, 2]),
        (3, 8, [0, 2, 3]),
        (4, 8, [0, 2, 3, 4]),
        (5, 8, [0, 1, 2, 3, 4]),  # filled up, and in the order of quality again
        (3, 64, [0, 1, 4]),
        (3, 65, [0, 1, 2]),
    ],
)
def test_best_faces_with_backgrounds_that_differ(most, distance, chosen):
    faces = [candidate(i, 0.9 - 0.1 * i, bg_hash=text) for i, text in enumerate(HASHES)]
    assert best(faces[::-1], most, distance) == [faces[i] for i in chosen]


def test_equal_faces_are_chosen_by_id():
    faces = [candidate(face_id=name) for name in "cab"]
    assert [face.face_id for face in best(faces, 2, 0)] == ["a", "b"]


@given(
    st.lists(st.tuples(st.integers(0, 4), st.sampled_from(HASHES)), max_size=20), st.integers(0, 8), st.integers(0, 16)
)
def test_the_best_faces_are_as_many_as_can_be_and_in_order(made, most, distance):
    faces = [candidate(i, value / 4, bg_hash=text) for i, (value, text) in enumerate(made)]
    found = best(faces, most, distance)
    assert len(set(found)) == len(found) == min(most, len(faces))
    assert [face.composite for face in found] == sorted((face.composite for face in found), reverse=True)
    if found:
        assert found[0].composite == max(face.composite for face in faces)


def samples(run):
    return [face.sample for face in run]


@pytest.mark.parametrize(
    ("present", "expected"),
    [
        ([], []),
        ([0, 1, 2, 3], []),
        ([0, 1, 2, 3, 4], [[0, 1, 2, 3, 4]]),
        ([0, 1, 2, 3, 5, 6], []),
        ([3, 4, 5, 6, 7, 8, 20], [[3, 4, 5, 6, 7], [4, 5, 6, 7, 8]]),
    ],
)
def test_runs_have_no_holes(present, expected):
    assert sorted(map(samples, sequences([candidate(sample) for sample in present], 5))) == expected


def test_the_best_run_comes_first():
    faces = [candidate(sample, 0.5 + 0.1 * (sample == 6)) for sample in range(9)]
    found = sequences(faces, 3)
    assert [samples(run) for run in found[:3]] == [[4, 5, 6], [5, 6, 7], [6, 7, 8]]
    assert samples(found[3]) == [0, 1, 2]


@pytest.mark.parametrize("change", [{"video_id": "w"}, {"segment": "middle"}, {"shot": 1}])
def test_a_run_lies_in_one_video_one_segment_and_one_shot(change):
    faces = [candidate(sample, shot=0) for sample in range(3)] + [
        replace(candidate(sample, shot=0, face_id=f"x{sample}"), **change) for sample in range(3, 5)
    ]
    assert sequences(faces, 5) == []
    assert [samples(run) for run in sequences(faces, 3)] == [[0, 1, 2]]


def test_one_face_of_a_frame():
    better = candidate(2, 0.9, face_id="v-n20-f1")
    (run,) = sequences([*(candidate(sample) for sample in range(5)), better], 5)
    assert run[2] == better


def test_cuts_are_looked_for_where_no_shot_is_known():
    assert gaps((candidate(3), candidate(4), candidate(5))) == [(30, 40), (40, 50)]
    assert gaps((candidate(3, shot=0), candidate(4, shot=0))) == []
    assert gaps((candidate(3),)) == []
