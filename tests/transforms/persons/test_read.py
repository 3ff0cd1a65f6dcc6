"""The faces of videos out of the run's tables: of several shards, without clothes, and tables that do not agree."""

import numpy as np
import pytest

from tests.transforms.persons.film_tables import Film, Seen, write_film
from transforms.persons.read import read_videos, tables, videos_with_faces

NAN = (np.nan, 0, 0, 0)
BOTH = [Seen(3, 1), Seen(3, 0, (0, 2, 0, 0), (3, 4)), Seen(1, 0, (0, 0, 1, 0), shot=5)]


def read(run, with_clothes=True):
    return {rows.video_id: rows for videos in videos_with_faces(run, with_clothes) for rows in read_videos(run, videos)}


def test_which_tables():
    assert tables(False) == ("embeddings", "faces", "frames", "videos")
    assert tables(True) == ("embeddings", "faces", "frames", "videos", "clothes")


@pytest.mark.parametrize("films", [[], [Film("v", [])]])
def test_no_faces(folder, films):
    assert read(folder) == {}
    write_film(folder, films)
    assert read(folder) == {}


def test_the_faces_of_a_video_by_id(folder):
    write_film(folder, [Film("v", BOTH)])
    (found,) = read(folder).values()
    faces = found.found
    assert faces.face_id == ("v-n1-f0", "v-n3-f0", "v-n3-f1")
    assert faces.frame.tolist() == [1, 3, 3]
    assert faces.time.tolist() == [1, 3, 3]
    assert faces.shot.tolist() == [5, -1, -1]
    np.testing.assert_allclose(faces.faces, [[0, 0, 1, 0], [0, 1, 0, 0], [1, 0, 0, 0]])
    np.testing.assert_allclose(faces.clothes, [[0, 0], [0.6, 0.8], [0, 0]], atol=1e-3)
    np.testing.assert_allclose(faces.box[:, 0], [0, 0, 200])
    assert found.moments.number.tolist() == list(range(10))
    assert (found.moments.start[0], found.moments.end[-1]) == (0, 9.5)


def test_clothes_are_left_out_if_the_stage_is(folder):
    write_film(folder, [Film("v", BOTH)])
    assert not read(folder, with_clothes=False)["v"].found.clothes.any()


def test_a_video_without_any_clothes_beside_one_with(folder):
    write_film(folder, [Film("v", BOTH), Film("w", [Seen(0)])])
    assert not read(folder)["w"].found.clothes.any()


def test_vectors_that_are_none_are_no_faces_to_compare_but_stay_in_the_table(folder):
    write_film(
        folder, [Film("v", [Seen(0, 0, NAN), Seen(1, 0), Seen(2, 0, (0, 0, 0, 0)), Seen(3, 0, (np.inf, 0, 0, 0))])]
    )
    found = read(folder)["v"]
    assert found.found.face_id == ("v-n1-f0",)
    assert (found.rows.tolist(), len(found.meta)) == ([1], 4)
    clothes_that_are_none = [Seen(0, 0, clothes=(np.nan, 1)), Seen(1, 0, clothes=(0, 0)), Seen(2, 0, clothes=(0, 2))]
    write_film(folder, [Film("v", clothes_that_are_none)])
    assert read(folder)["v"].found.clothes.tolist() == [[0, 0], [0, 0], [0, 1]]


def test_a_video_whose_rows_came_in_parts(folder):
    """A retry of the stage clothes, or embeddings, leaves the rest of a video's rows in another shard."""
    whole = Film("v", BOTH)
    write_film(folder, [Film("v", BOTH[:1])])
    write_film(folder, [Film("v", BOTH[1:])], "r0001-embeddings-00000", ["frames", "videos"])
    write_film(folder, [Film("w", [Seen(0)])], "00001")
    found = read(folder)
    assert sorted(found) == ["v", "w"]
    assert found["v"].found.face_id == ("v-n1-f0", "v-n3-f0", "v-n3-f1")
    assert found["v"].found.clothes.any(axis=1).tolist() == [False, True, False]
    write_film(folder, [whole])
    with pytest.raises(
        ValueError, match=r"embeddings has a face of the video v twice; delete the folder and run again"
    ):
        read(folder)


def test_videos_of_the_same_shards_are_read_together(folder):
    write_film(folder, [Film(name, [Seen(0)]) for name in ("b", "a", "v-n1")])
    write_film(folder, [Film("c", [Seen(0)])], "00001")
    assert [videos.video_ids for videos in videos_with_faces(folder, True)] == [("a", "b", "v-n1"), ("c",)]
    assert sorted(read(folder)) == ["a", "b", "c", "v-n1"]


@pytest.mark.parametrize("table", ["faces", "frames", "videos"])
@pytest.mark.parametrize("other", [True, False])
def test_tables_that_do_not_agree(tmp_path, table, other):
    """Whether the table has nothing, or another video's rows."""
    run = str(tmp_path)
    write_film(run, [Film("v", BOTH)], without=[table])
    if other:
        write_film(run, [Film("w", [Seen(0)])], "00001")
    with pytest.raises(ValueError, match=rf"the table {table} has not what embeddings has of the video v; delete"):
        read(run)


def test_faces_or_frames_that_lack_one(tmp_path):
    run = str(tmp_path)
    write_film(run, [Film("v", BOTH)])
    write_film(run, [Film("v", BOTH[1:])], without=["embeddings"])
    with pytest.raises(ValueError, match="the table faces has not what embeddings has of the video v"):
        read(run)
    write_film(run, [Film("v", BOTH, sampled=[0, 1, 2])])
    with pytest.raises(ValueError, match="the table frames has not what embeddings has of the video v"):
        read(run)


def test_listed_spans_bound_the_time_that_frames_stand_for(folder):
    write_film(folder, [Film("v", [Seen(3)], sampled=[3, 4], spans=[[4, 4.2], [2.9, 3.1]])])
    moments = read(folder)["v"].moments
    np.testing.assert_allclose([moments.start, moments.end], [[3, 4], [3.1, 4.2]])
