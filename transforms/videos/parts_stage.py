"""Stage parts: shots -> a file of each, copied out of the video or encoded anew where it must be exact."""

import tempfile
from functools import partial
from pathlib import Path
from typing import Any, Literal

import apache_beam as beam
from pydantic import Field

from transforms.flow.stages import RowStage
from transforms.flow.steps import enter, leave, step
from transforms.settings import Settings
from transforms.tables.schemas import derived
from transforms.tables.track_rows import SHOTS, PassedShot
from transforms.tables.video_rows import Shot, VideoPart
from transforms.videos.audio import cut_audio, encode_sound
from transforms.videos.clip_copy import Copied, copy_span
from transforms.videos.clip_writer import EncodeSettings, encode_span
from transforms.videos.covering import Covering, Paint
from transforms.videos.join import join
from transforms.videos.library import add_file, local_file, video_folder

TABLE = "parts"


class PartSettings(Settings):
    """How shots become files."""

    cuts: Literal["key_frames", "exact"] = Field(
        "key_frames",
        description="key_frames: copied without encoding, from the key frame before the shot to the one after it; "
        "exact: encoded anew, the shot's own frames and their sound",
    )
    encode: EncodeSettings = Field(EncodeSettings(), description="how exact parts are encoded")


def write_parts(settings: PartSettings, covering: Covering | None = None, reads: str = "shots") -> RowStage:
    """The stage parts: each shot of the table that it `reads`, one of SHOTS, as a file; covered by `covering`.

    ValueError if parts that are copied were to be covered: pixels change only where they are encoded anew.
    """
    if covering is not None:
        check_encoded(settings)
    return RowStage(
        name="parts",
        reads=reads,
        row_in=SHOTS[reads],
        writes=TABLE,
        row_out=VideoPart,
        transform=partial(WriteParts, settings=settings, row_in=SHOTS[reads], covering=covering),
        settings={"parts": settings, **(covering.settings if covering else {})},
        also=covering.tables if covering else (),
    )


def check_encoded(settings: PartSettings) -> None:
    """ValueError unless parts are encoded anew, which those must be that are covered."""
    if settings.cuts != "exact":
        raise ValueError("parts.cuts must be exact with the stage covers: what is copied cannot be painted over.")


class WriteParts(beam.PTransform):
    """Item[Shot] -> Outcome[VideoPart]: the file `parts/<video_id>/<video_id>_part_<number of the shot>.mp4`."""

    def __init__(self, run: str, settings: PartSettings, row_in: type[Any], covering: Covering | None = None) -> None:
        super().__init__()
        self._run, self._settings, self._row_in, self._covering = run, settings, row_in, covering

    def expand(self, items: beam.PCollection) -> beam.PCollection:
        """Write each shot by itself."""
        write = partial(write_part, self._run, self._settings, covering=self._covering)
        return items | "Enter" >> enter() | "Write" >> step(write) | "Leave" >> leave(self._row_in)


def write_part(
    run: str, settings: PartSettings, shot: Shot | PassedShot, covering: Covering | None = None
) -> tuple[VideoPart, ...]:
    """The row of a shot's file, once that is committed; Rejected `broken_video` if MP4 cannot hold copied streams."""
    paint = None if covering is None else covering.paint(run, shot.shot_id)
    number = shot.shot_id.rpartition("-s")[2]
    name = f"{video_folder(TABLE, shot.video_id)}/{shot.video_id}_part_{number}.mp4"
    with tempfile.TemporaryDirectory(prefix="manyfaces-part-") as folder:
        path = Path(folder, "part.mp4")
        with local_file(run, shot.media) as video:
            if settings.cuts == "exact":
                held = encode_part(video, shot, folder, path, settings.encode, paint)
            else:
                held = copy_span(video, shot.start, shot.end, str(path))
        add_file(run, name, str(path))
        size = path.stat().st_size
    row = derived(
        VideoPart,
        shot,
        part_id=shot.shot_id,
        file=name,
        bytes=size,
        first_frame=held.first,
        end_frame=held.end,
        start=held.start,
        end=held.stop,
    )
    return (row,)


def encode_part(
    video: str, shot: Shot | PassedShot, folder: str, path: Path, settings: EncodeSettings, paint: Paint | None = None
) -> Copied:
    """Write the shot's frames and, if the video has sound, what sounds meanwhile; the folder is for work on the way."""
    silent = Path(folder, "silent.mp4")
    encode_span(video, shot.first_frame, shot.end_frame, str(silent), settings, paint)
    add_sound(video, shot.start, shot.end, silent, folder, path)
    return Copied(shot.first_frame, shot.end_frame, shot.start, shot.end)


def add_sound(video: str, start: float, end: float, silent: Path, folder: str, path: Path) -> bool:
    """Make `path` of the silent MP4 and what sounds in the video from `start` to `end`; whether there is any sound."""
    wav, sound = Path(folder, "sound.wav"), Path(folder, "sound.mp4")
    with wav.open("wb") as out:
        sounds = cut_audio(video, start, end, out, mono=False)
    if sounds:
        encode_sound(str(wav), str(sound))
        join(str(silent), str(sound), str(path))
    else:
        silent.rename(path)
    return sounds
