"""Covers are found again on every storage, by several threads, and after a table has changed."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from transforms.anonymizing.lookup import covers_of, covers_of_video
from transforms.tables.cover_rows import ShotCovers
from transforms.tables.reasons import Rejected
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import shard_path, write_rows

pytestmark = pytest.mark.filterwarnings("error")


def row(shot: int = 0, video: str = "v", numbers=(), value: float = 1.0) -> ShotCovers:
    count = len(numbers)
    return ShotCovers(
        shot_id=f"{video}-s{shot}",
        video_id=video,
        label=None,
        source="{}",
        media=f"media/{video}.mp4",
        first_frame=100 * shot,
        end_frame=100 * shot + 100,
        width=320,
        height=240,
        numbers=list(numbers),
        boxes=np.tile(np.float32([value, 2, 3, 4]), (count, 1)),
        kinds=["face"] * count,
        tracks=np.arange(count, dtype=np.int32),
        found=[True] * count,
        scores=np.full(count, 0.5, np.float32),
    )


def write(run: str, name: str, *rows: ShotCovers) -> None:
    write_rows(shard_path(run, "covers", name), rows, arrow_schema(ShotCovers))


def test_a_table_that_is_not_there_covers_nothing(folder):
    with pytest.raises(Rejected) as rejected:
        covers_of(folder, "v-s0")
    assert rejected.value.code == "not_covered"
    assert covers_of_video(folder, "v") == []


def test_the_boxes_of_a_frame(folder):
    write(folder, "00000", row(0), row(1, numbers=[102, 102, 150]))
    covers = covers_of(folder, "v-s1")
    assert [len(covers.at(number)) for number in (100, 102, 103, 150, 199)] == [0, 2, 0, 1, 0]
    assert covers.at(150).tolist() == [[1, 2, 3, 4]]
    assert covers_of(folder, "v-s0").at(0).shape == (0, 4)
    for outside in (99, 200):
        with pytest.raises(IndexError, match="not in the shot"):
            covers.at(outside)


def test_shots_of_a_video_come_from_all_shards(folder):
    write(folder, "00000", row(2), row(0), row(0, "w"))
    write(folder, "00001", row(1))
    assert [covers.first_frame for covers in covers_of_video(folder, "v")] == [0, 100, 200]


def test_what_has_changed_is_noticed(folder):
    write(folder, "00000", row(0, numbers=[5]))
    assert covers_of(folder, "v-s0").at(5)[0, 0] == 1
    with pytest.raises(Rejected):
        covers_of(folder, "v-s1")
    write(folder, "r0001-covers-00000", row(1, numbers=[105]))  # a retry
    assert len(covers_of(folder, "v-s1").at(105)) == 1
    assert len(covers_of_video(folder, "v")) == 2
    write(folder, "00000", row(0, numbers=[5], value=0.5))  # made anew, of the same size
    assert covers_of(folder, "v-s0").at(5)[0, 0] == 0.5
    write(folder, "00000", row(3))
    with pytest.raises(Rejected):
        covers_of(folder, "v-s0")


def test_many_threads_may_ask(folder):
    for shard in range(4):
        write(folder, f"{shard:05d}", *(row(10 * shard + n, numbers=[1000 * shard + 100 * n]) for n in range(10)))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: covers_of(folder, f"v-s{n}").first_frame, [*range(40)] * 3))
    assert found == [100 * n for n in range(40)] * 3
