"""Names find the faces they mean, in runs of images and of videos; what they do not find is told apart."""

import numpy as np
import pyarrow as pa
import pytest

from tests import video_rows
from tests.labelled_run import image_face
from transforms.evaluation import item_names
from transforms.evaluation.items import AMBIGUOUS, HAS_FACE, NO_FACE, NOT_IN_RUN, faces_of
from transforms.tables import lookup
from transforms.tables.item_ids import safe_id
from transforms.tables.rows import ListedImage
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import shard_path, to_table, write_shard
from transforms.tables.video_rows import Frame


def box(side: float) -> np.ndarray:
    return np.array([10, 10, 10 + side, 10 + side], np.float32)


def write(run, table, shards):
    for number, rows in enumerate(shards):
        write_shard(shard_path(run, table, f"{number:05d}"), to_table(rows, arrow_schema(type(rows[0]))))


URLS = {
    "a": "https://one.example/people/ann/1.jpg?size=large#top",
    "b": "https://one.example/people/bob/1.jpg",
    "c": "https://two.example/c%20c.png",
    "d": "/home/pictures/d.jpg",
    "people/e 1": "https://two.example/e.jpg/",
    "f": "https://two.example/f.jpg",
}


@pytest.fixture
def images(tmp_path) -> str:
    """Six images in two shards; `a` has three faces over two shards of faces, `f` has none."""
    run = str(tmp_path / "run")
    rows = [ListedImage(safe_id(name), url, None, "{}") for name, url in URLS.items()]
    write(run, "manifest", [rows[:4], rows[4:]])
    e = safe_id("people/e 1")
    first = [image_face("a", 0, 30), image_face("a", 1, 50), image_face("b", 0, 20), image_face("c", 0, 20)]
    write(run, "faces", [first, [image_face("a", 2, 40), image_face("d", 0, 9), image_face(e, 0, 9)]])
    return run


@pytest.fixture
def videos(tmp_path) -> str:
    """Two videos: `v` with two frames, one of them with two faces, and one frame without; `w` without any."""
    run = str(tmp_path / "run")
    video_rows.write_manifest(run, ["v", "w"], 1)
    of = {"video_id": "v", "label": None, "source": "{}", "media": "media/v.mp4", "segment": "front", "shot": None}
    frames = [Frame(frame_id=f"v-n{n}", number=n, time=n / 25, sample=n, width=9, height=9, **of) for n in (3, 7, 9)]
    write(run, "frames", [frames])
    faces = [video_rows.face("v", 3, 0, box=box(20)), video_rows.face("v", 3, 1, box=box(40))]
    write(run, "faces", [faces, [video_rows.face("v", 7, 0, box=box(30))]])
    return run


def asked(run, names):
    found = faces_of(run, pa.array(names, pa.large_string()))
    faces = {name: [] for name in names}
    for name, face in zip(found.name.tolist(), found.face_id.to_pylist(), strict=True):
        faces[names[name]].append(face)
    return dict(zip(names, found.state.tolist(), strict=True)), faces


def test_no_names(images):
    found = faces_of(images, pa.array([], pa.large_string()))
    assert (len(found.state), len(found.name), len(found.face_id)) == (0, 0, 0)


def test_a_folder_without_tables_knows_no_name(tmp_path):
    assert asked(str(tmp_path), ["a", "a/b.jpg"]) == (
        {"a": NOT_IN_RUN, "a/b.jpg": NOT_IN_RUN},
        {"a": [], "a/b.jpg": []},
    )


E_FACE = f"{safe_id('people/e 1')}-b0-f0"
IMAGE_NAMES = [
    ("a", HAS_FACE, ["a-b1-f0"]),
    ("a-b0-f0", HAS_FACE, ["a-b0-f0"]),
    (URLS["a"], HAS_FACE, ["a-b1-f0"]),
    ("https://one.example/people/ann/1.jpg", NOT_IN_RUN, []),
    ("ann/1.jpg", HAS_FACE, ["a-b1-f0"]),
    ("people/bob/1.jpg", HAS_FACE, ["b-b0-f0"]),
    ("carl/1.jpg", NOT_IN_RUN, []),
    ("1.jpg", AMBIGUOUS, []),
    ("c%20c.png", HAS_FACE, ["c-b0-f0"]),
    ("c c.png", HAS_FACE, ["c-b0-f0"]),
    ("d.jpg", HAS_FACE, ["d-b0-f0"]),
    ("/home/pictures/d.jpg", HAS_FACE, ["d-b0-f0"]),
    ("people/e 1", HAS_FACE, [E_FACE]),
    (safe_id("people/e 1"), HAS_FACE, [E_FACE]),
    ("e.jpg", HAS_FACE, [E_FACE]),
    ("f", NO_FACE, []),
    ("f.jpg", NO_FACE, []),
    ("a-b9-f0", NOT_IN_RUN, []),
    ("jpg", NOT_IN_RUN, []),
    ("", NOT_IN_RUN, []),
    ("/" * 5000, NOT_IN_RUN, []),
]


@pytest.mark.parametrize("at_once", [1, 1 << 20])
def test_names_of_images(images, at_once, monkeypatch):
    monkeypatch.setattr(lookup, "LEAST_AT_ONCE", at_once)
    state, faces = asked(images, [name for name, _, _ in IMAGE_NAMES])
    assert state == {name: state for name, state, _ in IMAGE_NAMES}
    assert faces == {name: faces for name, _, faces in IMAGE_NAMES}


VIDEO_NAMES = [
    ("v", HAS_FACE, ["v-n3-f1", "v-n7-f0"]),
    ("v.mp4", HAS_FACE, ["v-n3-f1", "v-n7-f0"]),
    ("http://127.0.0.1/v.mp4", HAS_FACE, ["v-n3-f1", "v-n7-f0"]),
    ("w.mp4", NO_FACE, []),
    ("v-n3", HAS_FACE, ["v-n3-f1"]),
    ("v-n9", NO_FACE, []),
    ("v-n4", NOT_IN_RUN, []),
    ("v-n3-f0", HAS_FACE, ["v-n3-f0"]),
]


def test_names_of_videos(videos):
    state, faces = asked(videos, [name for name, _, _ in VIDEO_NAMES])
    assert state == {name: state for name, state, _ in VIDEO_NAMES}
    assert faces == {name: faces for name, _, faces in VIDEO_NAMES}


def test_a_run_that_has_not_looked_for_faces_yet(videos, tmp_path):
    run = str(tmp_path / "new")
    video_rows.write_manifest(run, ["v"])
    assert asked(run, ["v", "v-n3"]) == ({"v": NO_FACE, "v-n3": NOT_IN_RUN}, {"v": [], "v-n3": []})


def test_of_two_faces_of_one_size_the_first_by_id_counts(tmp_path):
    run = str(tmp_path)
    write(run, "manifest", [[ListedImage("a", URLS["a"], None, "{}")]])
    write(run, "faces", [[image_face("a", 1, 30)], [image_face("a", 0, 30)]])
    assert asked(run, ["a"])[1] == {"a": ["a-b0-f0"]}


def test_the_path_is_compared_only_as_far_as_it_may_be(images, monkeypatch):
    monkeypatch.setattr(item_names, "MAX_DEPTH", 1)
    assert asked(images, ["d.jpg", "ann/1.jpg"])[0] == {"d.jpg": HAS_FACE, "ann/1.jpg": NOT_IN_RUN}
