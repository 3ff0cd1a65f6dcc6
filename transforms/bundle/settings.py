"""Settings of the bundle."""

from typing import Annotated

from pydantic import Field, field_validator

from transforms.bundle.formats import load_format
from transforms.settings import How, Settings

FolderName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
Grey = Annotated[int, Field(ge=0, le=255)]


class BundleSettings(Settings):
    """How the clean identities are written for training."""

    sinks: tuple[str, ...] = Field(
        ("recordio", "webdataset", "tfrecord"),
        min_length=1,
        description="formats to write, each into a folder of its own: recordio, webdataset, tfrecord, arcface (the "
        "faces as insightface's training reads them: one train.rec of 112-pixel crops), or `module:attribute` of "
        "one's own",
    )
    body_side: int = Field(384, ge=16, le=4096, description="side of the square body image, pixels")
    fill: tuple[Grey, Grey, Grey] = Field(
        (255, 255, 255), description="colour of the canvas round the body, RGB, 0 to 255"
    )
    quality: int = Field(95, ge=1, le=100, description="JPEG quality of what is encoded again")
    face_side: int | None = Field(
        None,
        ge=16,
        le=4096,
        description="side of the face image, pixels, so that a loader can stack faces; null keeps each as it is "
        "stored, of sizes that differ",
    )
    min_visibility: float = Field(
        0.5, ge=0, le=1, description="a keypoint below this visibility counts as not visible (-1 in the table)"
    )
    records_per_file: int = Field(
        100_000,
        ge=1,
        le=1_000_000,
        description="images in one RecordIO file, and in one piece of work: pieces are done in parallel, each with "
        "about 1.5 KB of memory an image",
    )
    samples_per_file: int = Field(
        5_000,
        ge=1,
        le=1_000_000,
        description="images in one file of WebDataset and TFRecord, at most: every worker of a loader should have "
        "some; their number and size is in `shards.json` beside them",
    )
    threads: How[int] = Field(
        4, ge=1, le=64, description="threads that decode and encode images, for each file in work"
    )
    bodies: FolderName = Field("bodies", description="folder and file name of the bodies, below `<run>/bundle`")
    faces: FolderName = Field("faces", description="folder and file name of the faces, below `<run>/bundle`")

    @field_validator("sinks")
    @classmethod
    def _sinks_are_there(cls, sinks: tuple[str, ...]) -> tuple[str, ...]:
        names = [load_format(sink).name for sink in sinks]
        if len(set(names)) < len(names):
            raise ValueError(f"sinks: two of these write the same folder: {', '.join(sorted(names))}; leave one out.")
        return sinks
