"""Frames by pointer: decoded once, bounded in bytes and open files, the same for all threads."""

import fcntl
import threading
from pathlib import Path

import numpy as np
import pytest

from tests.object_store import OBJECTS, new_folder
from tests.videos import File, number_frames, read_number, write
from transforms.tables.reasons import Rejected
from transforms.videos import frame_cache
from transforms.videos.frame_cache import frame_pixels
from transforms.videos.library import media_name
from transforms.videos.reader import VideoReader

SIZE = (160, 120)
FRAME = 160 * 120 * 3  # bytes
NAMES = [f"v{n}" for n in range(4)]


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> str:
    """A run with four videos of 30 frames; the n-th begins with the number 100 n."""
    folder = tmp_path_factory.mktemp("run")
    for place, name in enumerate(NAMES):
        path = folder / media_name(name, ".mp4")
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, number_frames(30, SIZE, first=100 * place), File(options={"preset": "medium", "g": "10"}))
    return str(folder)


@pytest.fixture
def counts(monkeypatch):
    """How many readers were opened and frames read, of empty caches."""
    monkeypatch.setattr(frame_cache, "_FRAMES", type(frame_cache._FRAMES)())
    monkeypatch.setattr(frame_cache, "_VIDEOS", type(frame_cache._VIDEOS)())
    seen = {"opened": 0, "read": 0}

    class Counting(VideoReader):
        def __init__(self, path):
            seen["opened"] += 1
            super().__init__(path)

        def read(self, number):
            seen["read"] += 1
            return super().read(number)

    monkeypatch.setattr(frame_cache, "VideoReader", Counting)
    return seen


def media(place):
    return media_name(NAMES[place], ".mp4")


def test_the_same_frame_is_decoded_once_and_cannot_be_changed(run, counts):
    first, second = frame_pixels(run, media(0), 7), frame_pixels(run, media(0), 7)
    assert first is second
    assert read_number(first) == 7
    assert counts == {"opened": 1, "read": 1}
    with pytest.raises(ValueError, match="read-only"):
        first[0, 0] = 0


def test_videos_interleaved_are_opened_once(run, counts):
    for number in (3, 1, 20):
        for place in (0, 1, 2):
            assert read_number(frame_pixels(run, media(place), number)) == 100 * place + number
    assert counts == {"opened": 3, "read": 9}


def test_bytes_are_bounded(run, counts, monkeypatch):
    monkeypatch.setattr(frame_cache, "BYTES", 3 * FRAME)
    for number in range(10):
        frame_pixels(run, media(0), number)
    assert [number for _, _, number in frame_cache._FRAMES] == [7, 8, 9]
    frame_pixels(run, media(0), 7)
    frame_pixels(run, media(0), 20)
    assert [number for _, _, number in frame_cache._FRAMES] == [9, 7, 20]


def test_a_frame_larger_than_the_bound_is_given_and_is_the_only_one_kept(run, counts, monkeypatch):
    monkeypatch.setattr(frame_cache, "BYTES", 1)
    for number in (1, 2):
        assert read_number(frame_pixels(run, media(0), number)) == number
    assert len(frame_cache._FRAMES) == 1


def test_open_videos_are_bounded(run, counts, monkeypatch):
    monkeypatch.setattr(frame_cache, "READERS", 2)
    for place in (0, 1, 2, 1, 0):
        frame_pixels(run, media(place), place + 1 + counts["read"])
        assert len(frame_cache._VIDEOS) <= 2
    assert counts["opened"] == 4


def test_threads_get_the_right_frames(run, counts, monkeypatch):
    monkeypatch.setattr(frame_cache, "READERS", 2)
    monkeypatch.setattr(frame_cache, "BYTES", 10 * FRAME)
    wrong = []

    def work(seed):
        chance = np.random.default_rng(seed)
        for _ in range(40):
            place, number = int(chance.integers(4)), int(chance.integers(30))
            found = read_number(frame_pixels(run, media(place), number))
            if found != 100 * place + number:
                wrong.append((place, number, found))

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    assert not wrong
    assert len(frame_cache._VIDEOS) <= 2


def test_an_object_store_serves_frames(run, counts, tmp_path, monkeypatch):
    monkeypatch.setenv("MANYFACES_MEDIA_CACHE", str(tmp_path))
    store = new_folder()
    OBJECTS[f"{store}/{media(1)}"] = Path(run, media(1)).read_bytes()
    assert read_number(frame_pixels(store, media(1), 12)) == 112
    assert len(list(tmp_path.glob("*.mp4"))) == 1


def test_a_video_that_cannot_be_opened_is_not_held(counts, tmp_path, monkeypatch):
    monkeypatch.setenv("MANYFACES_MEDIA_CACHE", str(tmp_path))
    store = new_folder()
    OBJECTS[f"{store}/media/a.mp4"] = b"<html>"
    with pytest.raises(Rejected, match="not_a_video"):
        frame_pixels(store, "media/a.mp4", 0)
    (lock,) = tmp_path.glob("*.lock")
    with lock.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_errors_are_those_of_the_reader_and_are_not_kept(run, counts, tmp_path):
    with pytest.raises(IndexError):
        frame_pixels(run, media(0), 30)
    with pytest.raises(FileNotFoundError):
        frame_pixels(str(tmp_path), media(0), 0)
    (tmp_path / "media").mkdir()
    (tmp_path / "media" / "a.mp4").write_bytes(b"#EXTM3U")
    with pytest.raises(Rejected, match="playlist"):
        frame_pixels(str(tmp_path), "media/a.mp4", 0)
    assert read_number(frame_pixels(run, media(0), 29)) == 29
