"""Files that no row names go; what a row, or the record of a download, names stays, and so does all else."""

import json
from dataclasses import asdict, dataclass

import pyarrow as pa
from apache_beam.io.filesystems import FileSystems

from beam_pipelines.driver.unnamed import delete_unnamed
from transforms.fetch.videos.media_store import Stored
from transforms.flow.stages import RowStage
from transforms.tables.files import commit_file
from transforms.tables.schemas import arrow_schema, column
from transforms.tables.shards import shard_path, to_table, write_shard
from transforms.videos.container import VideoInfo


@dataclass(frozen=True)
class Made:
    """A row that names a file, and maybe a folder."""

    made_id: str = column(pa.string(), "key")
    file: str = column(pa.string(), "a file")
    lmdb: str | None = column(pa.string(), "a folder", nullable=True)


@dataclass(frozen=True)
class Fetched:
    """A row that names a video."""

    video_id: str = column(pa.string(), "key")
    media: str = column(pa.string(), "a file")


@dataclass(frozen=True)
class Plain:
    """A row that names no file."""

    plain_id: str = column(pa.string(), "key")


def stage(row_out, table, *files):
    return RowStage(
        name="make",
        reads="x",
        row_in=Plain,
        writes=table,
        row_out=row_out,
        transform=lambda run: None,
        files=files,
    )


def write(run, rows, table):
    for number, row in enumerate(rows):
        write_shard(shard_path(run, table, f"{number:05d}"), to_table([row], arrow_schema(type(row))))


def put(run, *names, content=b"x"):
    for name in names:
        with commit_file(f"{run}/{name}") as out:
            out.write(content)


def there(run):
    return {one.path.removeprefix(f"{run}/") for one in FileSystems.match([f"{run}/**"])[0].metadata_list}


def test_what_rows_name_stays_and_what_lies_beside_shards(folder):
    put(folder, "made/a/1.mp4", "made/a/1.lmdb/data.mdb", "made/b/2.mp4", "made/notes.txt", "other/a/1.mp4")
    write(folder, [Made("1", "made/a/1.mp4", "made/a/1.lmdb"), Made("2", "made/b/2.mp4", None)], "made")
    before = there(folder)
    put(folder, "made/a/3.mp4", "made/a/1.lmdb2/data.mdb", "made/c/deep/4.csv")
    assert delete_unnamed(folder, stage(Made, "made")) == 3
    assert there(folder) == before
    assert delete_unnamed(folder, stage(Made, "made")) == 0


def test_a_table_whose_rows_name_no_file_has_no_files(folder):
    put(folder, "plain/a/1.mp4")
    write(folder, [Plain("1")], "plain")
    assert delete_unnamed(folder, stage(Plain, "plain")) == 0
    assert "plain/a/1.mp4" in there(folder)


def test_without_any_row_all_go(folder):
    put(folder, "made/a/1.mp4")
    assert delete_unnamed(folder, stage(Made, "made")) == 1
    assert there(folder) == set()


def test_of_videos_what_is_finished_stays(folder):
    """Finished is what the record beside it names, taken or not; a broken record names nothing."""
    info = VideoInfo("mov", "h264", 320, 240, 0, 50, 2.0, 25.0, True)
    media = {name: f"media/00/{name}.0123456789ab.mp4" for name in ("taken", "refused", "cut", "broken", "a.b")}
    put(folder, *media.values(), "media/00/taken.ffffffffffff.mkv", "media/00/broken.ffffffffffff.mkv")
    for name in ("taken", "refused", "a.b"):
        stored = Stored(media[name], 1, "", info, {}, {"url": "u"}, {})
        put(folder, f"media/00/{name}.json", content=json.dumps(asdict(stored)).encode())
    put(folder, "media/00/broken.json", content=b"{")
    put(folder, "media/00/mine.mp4")
    write(folder, [Fetched("taken", media["taken"]), Fetched("broken", media["broken"])], "videos")
    before = there(folder)
    delete_unnamed(folder, stage(Fetched, "videos", "media"))
    gone = {media["cut"], "media/00/taken.ffffffffffff.mkv", "media/00/broken.ffffffffffff.mkv"}
    assert there(folder) == before - gone
