"""Copies of the videos of an object store: fetched once, bounded, never taken away from who uses them."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from apache_beam.io.filesystems import FileSystems

from tests import object_store
from tests.object_store import OBJECTS, new_folder
from transforms.tables.files import commit_file
from transforms.videos import library
from transforms.videos.library import file_path, local_file, media_name

MEGABYTE = 2**20


@pytest.fixture
def store(monkeypatch):
    """A run in the object store, and the count of what was read of it."""
    run, reads = new_folder(), []
    real = library.open_binary
    monkeypatch.setattr(library, "open_binary", lambda path: (reads.append(path), real(path))[1])
    return run, reads


def put(run, name, size=1000, byte=b"a"):
    media = media_name(name, ".mp4")
    OBJECTS[f"{run}/{media}"] = byte * size
    return media


def copies(folder):
    return sorted(path.name for path in Path(folder).glob("*") if path.suffix == ".mp4")


@pytest.mark.parametrize(
    ("video_id", "suffix", "name"),
    [
        ("a", ".mp4", "media/ca/a.mp4"),
        ("dQw4w9WgXcQ", ".webm", "media/5f/dQw4w9WgXcQ.webm"),
    ],
)
def test_a_video_has_its_place_below_the_run(video_id, suffix, name):
    assert media_name(video_id, suffix) == name


def test_on_a_local_run_the_path_is_the_file_itself(tmp_path):
    with commit_file(str(tmp_path / "run" / media_name("a", ".mp4"))) as out:
        out.write(b"abc")
    with local_file(str(tmp_path / "run"), media_name("a", ".mp4")) as path:
        assert Path(path).read_bytes() == b"abc"
        assert path.startswith(str(tmp_path / "run"))


@pytest.mark.parametrize(
    "name", ["", "/etc/passwd", "../other/a.mp4", "media/../../a.mp4", "media/./a.mp4", "media//a.mp4", "media/a\0.mp4"]
)
def test_names_that_lead_out_of_the_run(name, folder):
    """Rows of a run that comes from elsewhere name files; none but those below the run are opened or written."""
    with pytest.raises(ValueError, match="no name of a file below the run"), local_file(folder, name):
        pass
    with pytest.raises(ValueError, match="no name of a file below the run"):
        file_path(folder, name)


def test_every_storage_gives_the_bytes(folder, tmp_path):
    media = media_name("a", ".mp4")
    with commit_file(str(FileSystems.join(folder, *media.split("/")))) as out:
        out.write(b"abc")
    for _ in range(2):
        with local_file(folder, media, str(tmp_path / "copies")) as path:
            assert Path(path).read_bytes() == b"abc"


def test_a_file_that_is_not_there(tmp_path, store):
    run, _ = store
    with pytest.raises(FileNotFoundError), local_file(run, "media/00/absent.mp4", str(tmp_path)):
        pass
    assert not copies(tmp_path)
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_an_object_is_fetched_once(tmp_path, store):
    run, reads = store
    media = put(run, "a", 3 * MEGABYTE)
    for _ in range(3):
        with local_file(run, media, str(tmp_path)) as path:
            assert Path(path).read_bytes() == b"a" * 3 * MEGABYTE
            assert path.endswith(".mp4")
    assert len(reads) == 1


def test_the_same_name_in_two_runs_is_two_files(tmp_path):
    found = []
    for byte in (b"1", b"2"):
        run = new_folder()
        media = put(run, "a", byte=byte)
        with local_file(run, media, str(tmp_path)) as path:
            found.append(Path(path).read_bytes()[:1])
    assert found == [b"1", b"2"]


def test_an_object_that_was_replaced_is_fetched_anew(tmp_path, store):
    run, reads = store
    media = put(run, "a", 10)
    for size in (10, 11):
        put(run, "a", size)
        with local_file(run, media, str(tmp_path)) as path:
            assert os.path.getsize(path) == size
    assert len(reads) == 2


def test_what_was_not_used_for_longest_goes_first(tmp_path, store):
    run, reads = store
    names = [put(run, name, MEGABYTE) for name in "abcd"]
    for place in (0, 1, 2, 0, 3):
        with local_file(run, names[place], str(tmp_path), 3 * MEGABYTE):
            pass
    assert len(copies(tmp_path)) == 3
    reads.clear()
    for place in (0, 2, 3, 1):
        with local_file(run, names[place], str(tmp_path), 3 * MEGABYTE):
            pass
    assert [path.rpartition("/")[2] for path in reads] == ["b.mp4"]
    assert not [path for path in tmp_path.glob("*.lock") if not path.with_suffix("").exists()]


def test_what_is_in_use_stays(tmp_path, store):
    run, reads = store
    first, second, third = (put(run, name, MEGABYTE) for name in "abc")
    with local_file(run, first, str(tmp_path), MEGABYTE) as path:
        for media in (second, third):
            with local_file(run, media, str(tmp_path), MEGABYTE) as other:
                assert os.path.getsize(other) == MEGABYTE
        assert Path(path).exists()
    assert len(reads) == 3


def test_a_single_file_may_be_larger_than_the_bound(tmp_path, store):
    run, _ = store
    media = put(run, "a", 2 * MEGABYTE)
    with local_file(run, media, str(tmp_path), 1) as path:
        assert os.path.getsize(path) == 2 * MEGABYTE


def test_threads_that_want_the_same_object_fetch_it_once(tmp_path, store):
    run, reads = store
    media, sizes = put(run, "a", 5 * MEGABYTE), []

    def use():
        with local_file(run, media, str(tmp_path)) as path:
            sizes.append(os.path.getsize(path))

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sizes == [5 * MEGABYTE] * 8
    assert len(reads) == 1


_PROCESS = """
import sys, random
from pathlib import Path
from tests.object_store import OBJECTS
from transforms.videos.library import local_file, media_name
folder, seed = sys.argv[1:]
for name in "abcd":
    OBJECTS[f"objects://bucket/run/{media_name(name, '.mp4')}"] = name.encode() * 500_000
chance = random.Random(seed)
for _ in range(60):
    name = chance.choice("abcd")
    with local_file("objects://bucket/run", media_name(name, ".mp4"), folder, 1_200_000) as path:
        assert Path(path).read_bytes() == name.encode() * 500_000
print("fine")
"""


def test_processes_share_the_folder(tmp_path, store):
    """Three processes read four objects through room for two copies: each always finds the right bytes."""
    root, (run, _) = Path(object_store.__file__).parents[1], store
    started = [
        subprocess.Popen(
            [sys.executable, "-c", _PROCESS, str(tmp_path), str(seed)],
            cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for seed in range(3)
    ]  # fmt: skip
    for process in started:
        out, errors = process.communicate(timeout=180)
        assert out.strip() == "fine", errors
    with local_file(run, put(run, "e", 500_000), str(tmp_path), 1_200_000):
        assert len(copies(tmp_path)) == 2  # once no one uses the others


def test_what_a_killed_process_left_unfinished_goes_and_nothing_else(tmp_path, store, monkeypatch):
    """The folder may be one of the user's, with files of his own."""
    run, _ = store
    monkeypatch.setattr(library.os, "replace", lambda *_: pytest.fail("killed"))
    monkeypatch.setattr(library.os, "unlink", lambda _: None)
    with pytest.raises(BaseException, match="killed"), local_file(run, put(run, "a"), str(tmp_path)):
        pass
    monkeypatch.undo()
    (old,) = (path for path in tmp_path.iterdir() if path.name.startswith("."))
    fresh, profile, film = old.with_name(f"{old.name}2"), tmp_path / ".profile", tmp_path / "film.mp4"
    for path in (fresh, profile, film):
        path.write_bytes(b"own")
    (tmp_path / ".config").mkdir()
    for path in (old, profile, film, tmp_path / ".config"):
        os.utime(path, (time.time() - 2 * 86_400,) * 2)
    with local_file(run, put(run, "b"), str(tmp_path), 1):
        pass
    assert not old.exists()
    assert all(path.exists() for path in (fresh, profile, film, tmp_path / ".config"))
