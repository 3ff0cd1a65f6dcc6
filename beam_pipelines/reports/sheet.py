"""A picture of a run: of its clips, a row for each with frames from first to last, of tracks, persons or identities."""

from collections.abc import Iterator

import cv2
import numpy as np

from beam_pipelines.driver.record import read_record
from beam_pipelines.reports.contact_sheet import CELL, check_picture, stack, strip, write_contact_sheet
from beam_pipelines.reports.person_sheet import write_person_sheet
from beam_pipelines.reports.track_sheet import write_track_sheet
from model_handlers.interface import Array
from transforms.anonymizing.covered_shots import covering
from transforms.anonymizing.covers_settings import PaintSettings
from transforms.anonymizing.lookup import TABLE as COVERS
from transforms.tables.shards import iter_tables, read_column, shard_names
from transforms.videos.covering import Covering
from transforms.videos.library import local_file
from transforms.videos.reader import VideoReader

MAX_CLIPS = 16
FRAMES = 8


def write_sheet(run: str, path: str) -> str:
    """Write the picture of what the run made, PNG, JPEG or WebP by the file's name; returns what is on it, in words.

    ConfigError for another name, before anything is read.
    """
    check_picture(path)
    if shard_names(run, "clips"):
        return f"{write_film_strips(run, path, 'clips', 'clip_id')} clips"
    if shard_names(run, "anonymized"):
        return write_anonymized(run, path)
    if shard_names(run, "tracks"):
        return f"{write_track_sheet(run, path, covering_of(run))} tracks"
    if shard_names(run, "persons"):
        return f"{write_person_sheet(run, path)} persons"
    return f"{write_contact_sheet(run, path)} identities"


def covering_of(run: str) -> Covering | None:
    """What covers the run's frames in what it writes, if anything does."""
    if not shard_names(run, COVERS):
        return None
    return covering(PaintSettings.model_validate(read_record(run).get("config", {}).get("paint", {})))


def write_film_strips(run: str, path: str, table: str, key: str) -> int:
    """Write the videos whose files a table names, a row for each; returns the number of videos on it."""
    files = read_column(run, table, [key, "file"]).slice(0, MAX_CLIPS).to_pylist()
    return stack([_strip(run, one[key], one["file"]) for one in files], f"nothing of {table} was kept", path)


def write_anonymized(run: str, path: str) -> str:
    """Write what was anonymized, videos or images; returns what is on it, in words."""
    if "anonymized_id" in next(iter_tables(run, "anonymized")).schema.names:
        return f"{write_film_strips(run, path, 'anonymized', 'anonymized_id')} videos"
    files = read_column(run, "anonymized", ["file"])["file"].slice(0, MAX_CLIPS * FRAMES).to_pylist()
    pictures = [picture(run, file) for file in files]
    rows = [strip("", pictures[start : start + FRAMES]) for start in range(0, len(pictures), FRAMES)]
    stack(rows, "nothing of anonymized was kept", path)
    return f"{len(pictures)} images"


def picture(run: str, file: str) -> Array:
    """An image file of the run, (CELL,W,3) BGR."""
    with local_file(run, file) as local:
        image = np.asarray(cv2.imread(local, cv2.IMREAD_COLOR))
    width = min(max(1, round(CELL * image.shape[1] / image.shape[0])), 2 * CELL)
    return np.asarray(cv2.resize(image, (width, CELL), interpolation=cv2.INTER_AREA))


def _strip(run: str, clip_id: str, file: str) -> Array:
    words, pictures = film(run, file, FRAMES)
    return strip(f"{clip_id}: {words}", pictures)


def film(run: str, file: str, most: int) -> tuple[str, list[Array]]:
    """A video's length in words, and up to `most` of its frames (CELL,W,3) BGR, from the first to the last."""
    with local_file(run, file) as local, VideoReader(local) as reader:
        last = len(reader) - 1
        numbers = np.unique(np.linspace(0, last, most).astype(np.int64)).tolist()
        return f"{last + 1} frames, {reader.seconds:.1f} s", list(_small(reader, numbers))


def _small(reader: VideoReader, numbers: list[int]) -> Iterator[Array]:
    for _, image in reader.frames(numbers):
        width = min(max(1, round(CELL * image.shape[1] / image.shape[0])), 2 * CELL)
        yield cv2.cvtColor(cv2.resize(image, (width, CELL), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2BGR)
