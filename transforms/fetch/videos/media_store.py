"""The videos of a run: each one's file, and beside it a record that says that it is whole and what is in it.

The file's name has a part of its hash, so that another download of the same video is another file; the record, written
after the file, names the one that counts. A download with its record is finished, whatever became of its chunk.
"""

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from apache_beam.io.filesystems import FileSystems
from pydantic import TypeAdapter

from transforms.tables.files import commit_file, commit_finished, is_local, open_binary, temporary_name
from transforms.videos.container import VideoInfo
from transforms.videos.library import MEDIA, file_path, media_name

_SUFFIXES = {
    "mov": ".mp4", "matroska": ".mkv", "avi": ".avi", "mpeg": ".mpg", "mpegvideo": ".mpg", "mpegts": ".ts",
    "flv": ".flv", "asf": ".wmv", "ogg": ".ogv", "gif": ".gif", "apng": ".png",
}  # fmt: skip
_DOWNLOAD = re.compile(rf"(.+)\.[0-9a-f]{{12}}(?:{'|'.join(map(re.escape, sorted(set(_SUFFIXES.values()))))})")
_MAX_RECORD = 1_000_000  # bytes


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """A video of the run: `made_by` is what its bytes depend on, `accepted_by` the rules that let it in."""

    media: str
    bytes: int
    sha256: str
    info: VideoInfo
    origin: dict[str, Any]
    made_by: dict[str, Any]
    accepted_by: dict[str, Any]


_RECORD = TypeAdapter(Stored)


def find(run: str, video_id: str, made_by: dict[str, Any]) -> Stored | None:
    """The finished download of this video, if there is one: its record is whole and its file has the record's size."""
    try:
        with open_binary(file_path(run, media_name(video_id, ".json"))) as file:
            stored = _RECORD.validate_json(file.read(_MAX_RECORD), strict=True)
        whole = stored.made_by == made_by and _size(file_path(run, stored.media)) == stored.bytes
    except (FileNotFoundError, ValueError):
        return None
    return stored if whole else None


def keep(run: str, video_id: str, file: str, stored: Stored) -> None:
    """Commit the file, which goes from where it is, and then its record."""
    commit_finished(file, file_path(run, stored.media))
    write_record(run, video_id, stored)


def write_record(run: str, video_id: str, stored: Stored) -> None:
    """Say that the video's file is whole, what is in it, and which rules let it in."""
    with commit_file(file_path(run, media_name(video_id, ".json"))) as out:
        out.write(json.dumps(asdict(stored), sort_keys=True).encode())


def file_name(video_id: str, sha256: str, container: str) -> str:
    """The name of a video's file below the run."""
    return media_name(video_id, f".{sha256[:12]}{_SUFFIXES[container]}")


def files_of(run: str, video_id: str) -> list[str]:
    """The names below the run of all files of a video: each download of it, and the record."""
    stem = media_name(video_id, "")
    found = FileSystems.match([file_path(run, f"{stem}.*")])[0].metadata_list
    names = (f"{stem.rpartition('/')[0]}/{FileSystems.split(one.path)[1]}" for one in found)
    return sorted(
        name for name in names if name == f"{stem}.json" or ((own := _DOWNLOAD.fullmatch(name)) and own[1] == stem)
    )


def unrecorded(run: str) -> list[str]:
    """The names below the run of the files of videos that no record names: downloads that were not finished."""
    top = len(file_path(run, MEDIA)) - len(MEDIA)
    names = {one.path[top:] for one in FileSystems.match([file_path(run, f"{MEDIA}/*/*")])[0].metadata_list}
    stems: dict[str, list[str]] = {}
    for name in sorted(names):
        if download := _DOWNLOAD.fullmatch(name):
            stems.setdefault(download[1], []).append(name)
    return [
        name
        for stem, own in stems.items()
        for name in own
        if f"{stem}.json" not in names or (len(own) > 1 and name != _recorded(run, f"{stem}.json"))
    ]


def _recorded(run: str, record: str) -> str | None:
    """The file that a record names; None if it is broken."""
    with open_binary(file_path(run, record)) as file:
        try:
            return _RECORD.validate_json(file.read(_MAX_RECORD), strict=True).media
        except ValueError:
            return None


def file_hash(path: str) -> str:
    """The sha256 of a file, hex."""
    with open(path, "rb") as file:
        digest = hashlib.sha256()
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()


@contextmanager
def work_folder(run: str) -> Iterator[str]:
    """A folder for what is being fetched: on the run's own disk, else where this machine keeps temporary files."""
    if is_local(run):
        folder = os.path.abspath(os.path.join(run, MEDIA, temporary_name("fetching")))
        os.makedirs(folder)
    else:
        folder = tempfile.mkdtemp(prefix="manyfaces-")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _size(path: str) -> int:
    found = FileSystems.match([path])[0].metadata_list
    return found[0].size_in_bytes if found else -1
