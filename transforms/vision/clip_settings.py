"""Settings of the stage clips: the files that are made of a span, and the scores of what they show."""

from pydantic import Field

from transforms.settings import How, InferenceSettings, Settings
from transforms.videos.clip_writer import EncodeSettings


class ScoreSettings(Settings):
    """The models that score a clip, by catalogue name; null: the score is null too."""

    clip_image: str | None = Field(
        None, description="CLIP's image encoder: how much the first five frames differ in what they show"
    )
    hyperiqa: str | None = Field(None, description="HyperIQA: image quality")
    clipiqa: str | None = Field(None, description="CLIP-IQA+: image quality")
    brisque: str | None = Field("brisque", description="BRISQUE: image quality from the statistics of natural images")


class ClipSettings(Settings):
    """Stage clips: a span as a square film of the face, and more files if asked for."""

    margin: float = Field(
        0.4, ge=0, le=10, description="added to the longer side of the box that holds all faces of the span, its share"
    )
    encode: EncodeSettings = Field(EncodeSettings(), description="how the MP4 files are made")
    lmdb: bool = Field(False, description="write frames of each clip as PNG images into an LMDB folder")
    lmdb_every: int = Field(2, ge=1, le=1000, description="one frame of so many goes into LMDB")
    audio: bool = Field(False, description="write the clip's sound as a wav file")
    mono: bool = Field(True, description="the wav file's channels are mixed to one; else as they are in the video")
    cover: bool = Field(
        False,
        description="cover in the clips what the table covers says, the very face included; needs the stage covers",
    )
    scores: ScoreSettings = ScoreSettings()
    inference: How[InferenceSettings] = InferenceSettings()
