"""Settings of the stage clips of tracks: what is cut out of the frames, and the files that it becomes."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from transforms.settings import Settings
from transforms.videos.clip_writer import EncodeSettings

WIDEST = 1.5  # a clip's longer side over its shorter one, at most
Expansion = Annotated[float, Field(ge=0, le=9.99)]


class TrackClipSettings(Settings):
    """Stage clips: a track as clips that follow the object, one for each expansion of its box."""

    expansions: tuple[Expansion, ...] = Field(
        (0.0,),
        min_length=1,
        max_length=16,
        description="a clip for each: added to width and height of the box, its share, in whole percent",
    )
    smoothing: float = Field(
        0.66, ge=0, le=10, description="seconds: deviation of the Gaussian by which boxes are smoothed; 0: not at all"
    )
    min_side: int = Field(
        16, ge=16, le=1024, multiple_of=2, description="of a clip, pixels: smaller boxes are enlarged"
    )
    max_side: int = Field(1024, ge=32, le=8192, multiple_of=2, description="of a clip, pixels: larger ones are reduced")
    max_seconds: float = Field(30, gt=0, le=3600, description="length of a clip")
    longer: Literal["parts", "first"] = Field(
        "parts",
        description="what becomes of a longer track; parts: it is cut into few clips of about one length; "
        "first: a clip of its beginning, the rest is left out",
    )
    layout: Literal["ids", "trackverse"] = Field(
        "ids",
        description="names of the files; ids: clips/<video_id>/<clip_id>.mp4; trackverse: its own, "
        "clips/BoxExp<expansion>/<two letters>/<video_id>-<class>-<hash>.mp4",
    )
    encode: EncodeSettings = Field(EncodeSettings(), description="how the MP4 files are made")

    @model_validator(mode="after")
    def _check(self) -> "TrackClipSettings":
        if self.max_side < WIDEST * self.min_side:
            raise ValueError(f"max_side must be {WIDEST:g} times min_side at least")
        if len({percent(one) for one in self.expansions}) < len(self.expansions):
            raise ValueError("expansions must differ by a percent at least")
        return self


def percent(expansion: float) -> int:
    """An expansion in whole percent, as it stands in a clip's id."""
    return round(100 * expansion)
