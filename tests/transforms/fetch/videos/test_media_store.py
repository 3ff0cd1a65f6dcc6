"""A video that was fetched is not fetched again, as long as its file and its record are whole."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.fetched_videos import fetched, settings_for
from tests.video_server import File, serving
from transforms.fetch.videos import media_store
from transforms.fetch.videos.media_store import Stored
from transforms.tables.files import commit_file
from transforms.videos.container import VideoInfo
from transforms.videos.library import file_path, local_file, media_name

pytestmark = [pytest.mark.server, pytest.mark.integration]


def test_a_finished_download_is_not_repeated(folder, made):
    """On every kind of storage, as long as its file is whole, whatever else of the settings changes."""
    with serving() as server:
        server.files["/a.mp4"] = File(made["good"])
        url = server.url("/a.mp4")
        (first,) = fetched(folder, settings_for(server), url)
        asked = server.requests["/a.mp4"]
        (again,) = fetched(folder, settings_for(server, per_host=1), url)
        assert (again.media, again.origin, again.info) == (first.media, first.origin, first.info)
        assert fetched(folder, settings_for(server, accept={"min_height": 300}), url) == ["low_resolution"]
        (wider,) = fetched(folder, settings_for(server, accept={"max_seconds": 60}), url)
        assert wider.accepted_by["accept"]["max_seconds"] == 60
        assert server.requests["/a.mp4"] == asked
        with local_file(folder, first.media) as path:
            assert Path(path).read_bytes() == made["good"]
        fetched(folder, settings_for(server, max_height=480), url)
        assert server.requests["/a.mp4"] > asked


def test_a_damaged_download_is_repeated(tmp_path, made):
    with serving() as server:
        server.files = {"/a.mp4": File(made["good"]), "/b.mp4": File(made["good"])}
        urls = [server.url("/a.mp4"), server.url("/b.mp4")]
        first, second = fetched(tmp_path, settings_for(server), *urls)
        Path(tmp_path, first.media).write_bytes(b"short")
        Path(tmp_path, "media", second.media.split("/")[1], "v1.json").write_text('{"media": 3')
        again, other = fetched(tmp_path, settings_for(server), *urls)
        assert Path(tmp_path, again.media).read_bytes() == made["good"]
        assert other.sha256 == again.sha256


INFO = VideoInfo("mov", "h264", 320, 240, 0, 50, 2.0, 25.0, True)


STORED = asdict(Stored("media/ca/a.mp4", 5, "", INFO, {}, {"url": "u"}, {}))


@pytest.mark.parametrize(
    "record",
    [
        [STORED],
        STORED | {"bytes": "5"},
        STORED | {"info": {}},
        STORED | {"info": asdict(INFO) | {"width": "320"}},
        STORED | {"origin": []},
        STORED | {"sha256": None},
        STORED | {"made_by": {}},
        STORED | {"media": "../a.mp4"},
    ],
)
def test_a_record_that_says_other_things_than_a_record_does_is_none(tmp_path, record):
    """It may come from elsewhere with its run."""
    path = tmp_path / "media" / "ca" / "a.json"
    path.parent.mkdir(parents=True)
    (path.parent / "a.mp4").write_bytes(b"whole")
    path.write_text(json.dumps(STORED))
    assert media_store.find(str(tmp_path), "a", {"url": "u"}).info == INFO
    path.write_text(json.dumps(record))
    assert media_store.find(str(tmp_path), "a", {"url": "u"}) is None


def test_the_files_of_a_video_are_its_own_whatever_others_are_called(folder):
    names = [
        "a.json", "a.0123456789ab.mp4", "a.ba9876543210.mkv", "a.0123456789ab.txt", "a.b.json",
        "a.0123456789ab.json", "a.0123456789ab.0123456789ab.mp4", "ab.json",
    ]  # fmt: skip
    for name in names:
        with commit_file(file_path(folder, f"{media_name('a', '')[:-1]}{name}")) as out:
            out.write(b"x")
    found = [name.rpartition("/")[2] for name in media_store.files_of(folder, "a")]
    assert found == ["a.0123456789ab.mp4", "a.ba9876543210.mkv", "a.json"]
    assert media_store.files_of(folder, "b") == []
