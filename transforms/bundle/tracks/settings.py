"""Settings of the files of tracks."""

from pydantic import Field, field_validator

from transforms.bundle.tracks.formats import load_format
from transforms.settings import Settings


class TrackFilesSettings(Settings):
    """How tracks are written for other tools."""

    formats: tuple[str, ...] = Field(
        ("trackverse",),
        min_length=1,
        max_length=16,
        description="formats to write, each into a folder of its own below `<run>/bundle`: trackverse, mot, "
        "coco_video, or `module:attribute` of one's own",
    )

    @field_validator("formats")
    @classmethod
    def _formats_are_there(cls, formats: tuple[str, ...]) -> tuple[str, ...]:
        names = [load_format(one).name for one in formats]
        if len(set(names)) < len(names):
            raise ValueError(f"formats: two of these write the same folder: {', '.join(sorted(names))}; leave one out.")
        return formats
