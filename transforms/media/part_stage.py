"""Stage parts: shots -> a file of each, copied out of the video without encoding."""

import tempfile
from functools import partial
from pathlib import Path

import apache_beam as beam

from transforms.media.clip_writer import copy_span
from transforms.media.library import add_file, local_file, video_folder
from transforms.tables.steps import enter, leave, step
from transforms.tables.video_schemas import Shot, VideoPart

TABLE = "parts"


class CopyParts(beam.PTransform):
    """Item[Shot] -> Outcome[VideoPart]: the file `parts/<video_id>/<video_id>_part_<number of the shot>.mp4`."""

    def __init__(self, run: str) -> None:
        super().__init__()
        self._run = run

    def expand(self, items: beam.PCollection) -> beam.PCollection:
        """Copy each shot by itself."""
        copy = partial(copy_part, self._run)
        return items | "Enter" >> enter() | "Copy" >> step(copy) | "Leave" >> leave(_shot_id)


def _shot_id(shot: Shot) -> str:
    return shot.shot_id


def copy_part(run: str, shot: Shot) -> tuple[VideoPart, ...]:
    """The row of a shot's file, once that is committed; Rejected `broken_video` if MP4 cannot hold its streams."""
    number = shot.shot_id.rpartition("-s")[2]
    name = f"{video_folder(TABLE, shot.video_id)}/{shot.video_id}_part_{number}.mp4"
    with tempfile.TemporaryDirectory(prefix="manyfaces-part-") as folder:
        path = Path(folder, "part.mp4")
        with local_file(run, shot.media) as video:
            copied = copy_span(video, shot.start, shot.end, str(path))
        add_file(run, name, str(path))
        size = path.stat().st_size
    row = VideoPart(
        part_id=shot.shot_id,
        video_id=shot.video_id,
        label=shot.label,
        source=shot.source,
        file=name,
        bytes=size,
        first_frame=copied.first,
        end_frame=copied.end,
        start=copied.start,
        end=copied.stop,
    )
    return (row,)
