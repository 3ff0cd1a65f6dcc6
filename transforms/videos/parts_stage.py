"""Stage parts: shots -> a file of each, copied out of the video or encoded anew where it must be exact."""

import tempfile
from functools import partial
from pathlib import Path
from typing import Literal

import apache_beam as beam
from pydantic import Field

from transforms.flow.stages import RowStage
from transforms.flow.steps import enter, leave, step
from transforms.settings import Settings
from transforms.tables.schemas import derived
from transforms.tables.video_rows import Shot, VideoPart
from transforms.videos.audio import cut_audio, encode_sound
from transforms.videos.clip_copy import Copied, copy_span
from transforms.videos.clip_writer import EncodeSettings, encode_span
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


def write_parts(settings: PartSettings) -> RowStage:
    """The stage parts: each shot as a file."""
    return RowStage(
        name="parts",
        reads="shots",
        row_in=Shot,
        writes=TABLE,
        row_out=VideoPart,
        transform=partial(WriteParts, settings=settings),
        settings={"parts": settings},
    )


class WriteParts(beam.PTransform):
    """Item[Shot] -> Outcome[VideoPart]: the file `parts/<video_id>/<video_id>_part_<number of the shot>.mp4`."""

    def __init__(self, run: str, settings: PartSettings) -> None:
        super().__init__()
        self._run, self._settings = run, settings

    def expand(self, items: beam.PCollection) -> beam.PCollection:
        """Write each shot by itself."""
        write = partial(write_part, self._run, self._settings)
        return items | "Enter" >> enter() | "Write" >> step(write) | "Leave" >> leave(Shot)


def write_part(run: str, settings: PartSettings, shot: Shot) -> tuple[VideoPart, ...]:
    """The row of a shot's file, once that is committed; Rejected `broken_video` if MP4 cannot hold copied streams."""
    number = shot.shot_id.rpartition("-s")[2]
    name = f"{video_folder(TABLE, shot.video_id)}/{shot.video_id}_part_{number}.mp4"
    with tempfile.TemporaryDirectory(prefix="manyfaces-part-") as folder:
        path = Path(folder, "part.mp4")
        with local_file(run, shot.media) as video:
            if settings.cuts == "exact":
                held = encode_part(video, shot, folder, path, settings.encode)
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


def encode_part(video: str, shot: Shot, folder: str, path: Path, settings: EncodeSettings) -> Copied:
    """Write the shot's frames and, if the video has sound, what sounds meanwhile; the folder is for work on the way."""
    silent, wav, sound = (Path(folder, name) for name in ("silent.mp4", "sound.wav", "sound.mp4"))
    encode_span(video, shot.first_frame, shot.end_frame, str(silent), settings)
    with wav.open("wb") as out:
        sounds = cut_audio(video, shot.start, shot.end, out, mono=False)
    if sounds:
        encode_sound(str(wav), str(sound))
        join(str(silent), str(sound), str(path))
    else:
        silent.rename(path)
    return Copied(shot.first_frame, shot.end_frame, shot.start, shot.end)
