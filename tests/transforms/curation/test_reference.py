"""The folder of the earlier system, on planted tables: what is in it, what goes out of it, links and copies."""

import os
from dataclasses import replace

import numpy as np
import pytest
from apache_beam.io.filesystems import FileSystems

from tests.object_store import new_folder
from tests.transforms.curation.test_selection_stage import SETTINGS, planted, select, write_run
from transforms.curation.columns import read_candidates
from transforms.curation.reference import plan_reference, write_work
from transforms.curation.selection_stage import mend_selection
from transforms.tables.files import commit_file, link_file, open_binary
from transforms.tables.rows import Embedding
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import shard_path, write_rows
from transforms.tables.video_rows import Video

REFERENCE = SETTINGS.model_copy(update={"layout": "reference"})
JSON = ["metadata/identity_map.json", "metadata/quality_scores.json", "metadata/selection_results.json"]


def vector(face_id):
    return np.arange(4, dtype=np.float16) + len(face_id)


def write_others(run, faces, videos):
    """The vectors of the faces, in two shards in another order than they, and the videos."""
    ids = [(one.face_id, None, one.frame_id, None, "{}") for one in faces]
    rows = [Embedding(*one, 0.9, 100, vector(one[0]), 1, "m") for one in ids]
    for number in (0, 1):
        write_rows(shard_path(run, "embeddings", f"{number:05d}"), rows[number::2], arrow_schema(Embedding))
    made = []
    for name, label in videos.items():
        media = f"media/00/{name}.mkv"
        with commit_file(f"{run}/{media}") as out:
            out.write(name.encode())
        sizes = (3, "0", "matroska", "h264", 64, 48, 0, 10, 1.0, 10.0, False, "{}")
        made.append(Video(name, f"http://h/{name}", label, "{}", None, media, *sizes))
    write_rows(shard_path(run, "videos", "00000"), made, arrow_schema(Video))


@pytest.fixture(params=["local", "object store"])
def run(request, tmp_path):
    folder = str(tmp_path) if request.param == "local" else new_folder()
    faces, person = planted()
    write_run(folder, faces, person)
    write_others(folder, faces, {"a": "../up", "b": None})
    return folder


def there(run):
    found = {}
    for entry in FileSystems.match([f"{run}/reference/**"])[0].metadata_list:
        with open_binary(entry.path) as file:
            found[entry.path[len(run) + 11 :]] = file.read()
    return found


def expected(faces, person):
    """Names and bytes of frames and processed, of what a face is and whose it is."""
    found = {}
    for face, who in zip(faces, person, strict=True):
        emotion, number = face.emotion or "unknown", face.face_id[-1]
        name = f"{face.video_id}/frame_{face.number:05d}_face_{number}"
        found[f"frames/{emotion}/{name}.jpg"] = face.crop
        found[f"frames/{emotion}/{name}.npy"] = vector(face.face_id).astype(np.float32).tobytes()
        if who is not None:
            found[f"processed/person_{who:04d}/{emotion}/{name.replace('/', '_')}.jpg"] = face.crop
    return found


def without_headers(files):
    return {name: content[-16:] if name.endswith(".npy") else content for name, content in files.items()}


def test_what_is_in_it_and_that_another_layout_has_none(run):
    faces, person = planted()
    select(run, REFERENCE)
    found = there(run)
    final = {name: content for name, content in found.items() if name.startswith("final/")}
    assert len(final) == 7
    for name in [*JSON, *final]:
        with open_binary(f"{run}/{name}") as file:
            assert found.pop(name) == file.read()
    assert without_headers(found) == expected(faces, person) | {
        "raw_videos/~2E.~2Fup/a.mkv": b"a",
        "raw_videos/unknown/b.mkv": b"b",
    }
    select(run)
    assert there(run) == {}


def test_what_is_removed_and_what_has_changed_leave_nothing(run):
    faces, person = planted()
    select(run, REFERENCE)
    faces[0] = replace(faces[0], emotion="angry")  # as after another model
    faces, person = faces[:-2], [None, *person[1:-2]]
    write_run(run, faces, person)
    write_others(run, faces, {"b": "street"})
    work = plan_reference(run, read_candidates(run), [])
    mended = there(run)
    for one in work:
        write_work(one, run)
    found = there(run)
    assert set(mended) <= set(found)
    assert without_headers({name: found[name] for name in found if name not in JSON}) == expected(faces, person) | {
        "raw_videos/street/b.mkv": b"b"
    }


def test_a_mend_takes_out_and_writes_no_face(run):
    faces, person = planted()
    select(run, REFERENCE)
    before = there(run)
    write_run(run, faces[:-1], person[:-1])
    write_others(run, faces[:-1], {"b": None})
    mend_selection(run, REFERENCE)
    gone = set(before) - set(there(run))
    assert gone == {"raw_videos/~2E.~2Fup/a.mkv"} | set(expected(faces[-1:], person[-1:]))
    assert all(there(run)[name] == before[name] for name in there(run) if name not in JSON)


def test_files_of_the_run_are_links_on_a_disk(tmp_path):
    run = str(tmp_path)
    faces, person = planted()
    write_run(run, faces, person)
    write_others(run, faces, {"a": "x", "b": "x"})
    select(run, REFERENCE)
    assert os.path.samefile(f"{run}/media/00/a.mkv", f"{run}/reference/raw_videos/x/a.mkv")
    frame = f"{run}/reference/frames/happy/b/frame_00000_face_0.jpg"
    assert os.path.samefile(frame, f"{run}/reference/processed/person_0001/happy/b_frame_00000_face_0.jpg")
    select(run, REFERENCE)
    assert list(tmp_path.rglob(".*")) == []  # no link on its way is left


def test_a_disk_without_links_gets_copies(tmp_path, monkeypatch):
    def no_links(source, path):
        raise OSError(95, "Operation not supported")

    (tmp_path / "one").write_bytes(b"content")
    monkeypatch.setattr(os, "link", no_links)
    link_file(str(tmp_path / "one"), str(tmp_path / "folder" / "two"))
    assert (tmp_path / "folder" / "two").read_bytes() == b"content"
    assert not os.path.samefile(tmp_path / "one", tmp_path / "folder" / "two")


def test_no_candidates(tmp_path):
    write_run(str(tmp_path), [], [])
    write_others(str(tmp_path), [], {})
    select(str(tmp_path), REFERENCE)
    assert sorted(there(str(tmp_path))) == JSON
