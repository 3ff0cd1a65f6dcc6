"""The steps from faces to persons in Python: groups, their time on screen, a picture; and what is refused."""

import cv2
import numpy as np
import pyarrow as pa
import pytest

import manyfaces
from beam_pipelines.api import Run
from manyfaces.persons import Faces, _name
from tests.person_tables import BLUE, GREEN, RED, Planted, write_tables
from transforms.images.drawing import GAP, colour_of
from transforms.persons.appearances import Appearances
from transforms.persons.pictures.lines import SIDE, TITLE, WORDS
from transforms.persons.screen_time import moments
from transforms.tables.item_ids import safe_id
from transforms.tables.pointers import locate

# red in two coats, which are two clusters and one person; green beside it; blue once
SHOWN = [*((n, 0, RED) for n in range(5)), *((n, 1, GREEN) for n in (0, 1, 2)), (9, 0, BLUE)]
UNITS = {RED: (1.0, 0.0, 0.0), GREEN: (0.0, 1.0, 0.0), BLUE: (0.0, 0.0, 1.0)}
COATS_COUNT = {"similarity": 0.7, "clothing_weight": 1, "scale": "largest", "tracks": False}
COATS = [(1.0, 0.0) if n < 3 else (0.0, 1.0) for n in range(5)] + [(0.0, 0.0)] * 4


def shown(folder, planted=SHOWN):
    """The faces as `extract` gives them, of tables that were written."""
    rows = [Planted("a", second, place, colour, None, None) for second, place, colour in planted]
    write_tables(str(folder), rows, [])
    count = len(rows)
    seconds = np.array([one.second for one in rows], np.int64)
    found = Appearances(
        tuple(one.face_id for one in rows),
        seconds,
        seconds.astype(float),
        np.full(count, -1, np.int64),
        np.tile(np.array([0, 0, 50, 50], np.float32), (count, 1))
        + 100 * np.array([[one.place] for one in rows]).reshape(count, 1).astype(np.float32),
        np.array([UNITS[one.colour] for one in rows], np.float32).reshape(count, 3),
        np.array(COATS[:count], np.float32).reshape(count, 2),
    )
    crops = locate(str(folder), "faces", "face_id", pa.array(found.face_id, pa.string()))
    return Faces(Run(str(folder)), "a", 10.0, found, moments(np.arange(10), np.arange(10.0), 10), crops)


@pytest.fixture
def faces(tmp_path):
    return shown(tmp_path / "run")


@pytest.fixture
def nobody(tmp_path):
    return shown(tmp_path / "run", [])


def test_no_face(nobody, tmp_path):
    clusters = manyfaces.persons.cluster(nobody)
    persons = manyfaces.persons.merge(nobody, clusters)
    assert len(nobody) == len(clusters) == len(persons) == 0
    assert manyfaces.persons.screen_time(nobody, persons) == []
    assert manyfaces.persons.plot(nobody, persons, str(tmp_path / "none.png")) == 0
    assert (tmp_path / "none.png").exists()


def test_clusters_by_face_alone_and_with_clothes(faces):
    assert manyfaces.persons.cluster(faces, clothing_weight=0).tolist() == [0] * 5 + [1] * 3 + [2]
    with_coats = manyfaces.persons.cluster(faces, **COATS_COUNT)
    assert with_coats.tolist() == [0] * 3 + [1] * 2 + [2] * 3 + [3]


def test_near_clusters_become_one_person_and_small_ones_nobody_s(faces):
    clusters = manyfaces.persons.cluster(faces, **COATS_COUNT)
    merged = manyfaces.persons.merge(faces, clusters, min_size=2)
    assert merged.tolist() == [0] * 5 + [1] * 3 + [-1]
    apart = manyfaces.persons.merge(faces, clusters, passes=0, min_size=1)
    np.testing.assert_array_equal(apart, clusters)


def test_clusters_of_one_s_own_may_have_any_number_and_leave_faces_out(faces):
    own = [7, 7, 7, -1, 4, 5, 5, 5, -3]
    persons = manyfaces.persons.merge(faces, own, min_size=1)
    assert persons.tolist() == [0, 0, 0, -1, 0, 1, 1, 1, -1]


def test_what_is_seen_in_one_frame_is_merged_only_if_that_is_allowed(faces):
    clusters = [0] * 5 + [1] * 3 + [2]
    far = {"face_distance": 2, "min_size": 1}
    assert manyfaces.persons.merge(faces, clusters, **far).tolist() == [0] * 5 + [1] * 3 + [0]
    assert set(manyfaces.persons.merge(faces, clusters, frames=False, **far).tolist()) == {0}


def test_time_on_screen(faces):
    red, green, blue = manyfaces.persons.screen_time(faces, [0] * 5 + [1] * 3 + [2])
    assert (red.label, red.spans, red.seconds, red.rows.tolist()) == (0, [(0, 4.5)], 4.5, [0, 1, 2, 3, 4])
    assert (green.label, green.seconds) == (1, 2.5)
    assert (blue.label, blue.spans) == (2, [(8.5, 9.5)])


def test_the_picture_has_a_row_for_each_longest_first(faces, tmp_path):
    path = tmp_path / "persons.png"
    assert manyfaces.persons.plot(faces, [1] * 5 + [0] * 3 + [-1], str(path), faces_each=2) == 2
    image = cv2.imread(str(path))
    for number, colour in enumerate((RED, GREEN)):
        top = TITLE + number * (SIDE + GAP)
        np.testing.assert_allclose(image[top + 30, WORDS + SIDE + GAP + 30], colour, atol=5)
        assert tuple(image[top + 5, GAP + 1].tolist()) == colour_of(number)
    assert manyfaces.persons.plot(faces, range(9), str(path), most=3) == 3


REFUSED = [
    ("cluster", {"similarity": 2}, "similarity: Input should be less than or equal"),
    ("cluster", {"face_weight": 0, "clothing_weight": 0}, "face_weight and clothing_weight are both 0"),
    ("merge", {"clusters": [0] * 9, "passes": -1}, "passes: Input should be greater"),
    ("merge", {"clusters": [0]}, "a whole number for each of the 9 faces; these are int64 of the shape"),
    ("merge", {"clusters": [0.5] * 9}, "these are float64 of the shape"),
    ("plot", {"labels": [0] * 9, "path": "x.gif"}, r"plot x\.gif: the file's name must end in one of"),
]


@pytest.mark.parametrize(("step", "given", "sentence"), REFUSED)
def test_what_cannot_be_is_told_in_a_sentence(step, given, sentence, faces):
    with pytest.raises(manyfaces.ConfigError, match=sentence):
        getattr(manyfaces.persons, step)(faces, **given)


@pytest.mark.parametrize(
    ("video", "given", "sentence"),
    [
        ("no.mp4", {}, r"no\.mp4: there is no such file; name the file of a video, or an http\(s\) or gs:// address"),
        (__file__, {"nothing": 1}, "--set nothing=1: unknown key"),
    ],
)
def test_a_video_that_cannot_be_extracted_leaves_nothing_behind(video, given, sentence, tmp_path):
    with pytest.raises(manyfaces.ConfigError, match=sentence):
        manyfaces.persons.extract(video, output=str(tmp_path / "run"), set=given)
    assert list(tmp_path.iterdir()) == []


NAMES = [
    ("/films/two people.mp4", "two-people"),
    ("/films/../..mp4", "video"),
    ("https://h/a/b.webm?x=/../1", "b"),
    ("https://www.youtube.com/watch?v=aaaaaaaaaaa", "watch"),
    ("https://h/", "video"),
    ("gs://bucket/größe~.mp4", "gr-e"),
    (f"/films/{'x' * 300}.mp4", "x" * 80),
]


@pytest.mark.parametrize(("url", "name"), NAMES)
def test_a_video_is_called_like_its_file_and_its_name_is_an_id(url, name):
    assert _name(url) == name == safe_id(name)
