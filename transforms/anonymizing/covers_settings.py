"""Settings of anonymizing: what is looked for, when it is covered, and how a cover looks."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from transforms.settings import How, InferenceSettings, Settings

Level = Annotated[int, Field(ge=0, le=255)]


class FindSettings(Settings):
    """What is looked for in a picture."""

    face_model: str | None = Field("centerface", description="catalogue name of the face detector; null: no faces")
    plate_model: str | None = Field(
        None, description="catalogue name of the detector of licence plates, such as lpd-yunet; null: no plates"
    )
    min_face_score: float = Field(
        0.2,
        ge=0,
        le=1,
        description="least score of a face, low on purpose: what is missed is seen. Depends on the detector "
        "(CenterFace: 0.2)",
    )
    min_plate_score: float = Field(
        0.5, ge=0, le=1, description="least score of a plate, low on purpose. Depends on the detector (LPD-YuNet: 0.5)"
    )
    detector_side: int | None = Field(
        640,
        ge=32,
        le=4096,
        description="side of the face detector's square input, pixels; larger finds smaller faces; null: as the "
        "catalogue says",
    )
    margin: float = Field(
        0.3,
        ge=0,
        le=4,
        description="added on each side of what was found, share of its width and height; with less, detectors find a "
        "face by the hair and the ears around a cover",
    )
    inference: How[InferenceSettings] = InferenceSettings()

    @model_validator(mode="after")
    def _something_is_looked_for(self) -> "FindSettings":
        if self.face_model is None and self.plate_model is None:
            raise ValueError("find: name a face_model or a plate_model; with neither, nothing would be covered.")
        return self


class CoverSettings(Settings):
    """Stage covers: what must not be seen of a shot, frame by frame."""

    find: FindSettings = Field(FindSettings(), description="what is looked for")
    every_frames: int = Field(
        1, ge=1, le=1000, description="one frame of so many is looked at; the others are filled in"
    )
    beyond: float = Field(
        0.5,
        ge=0,
        le=60,
        description="seconds before the first and after the last frame in which something was found that are covered "
        "too",
    )
    max_gap: float = Field(
        2, ge=0, le=60, description="seconds; the longest time without a detection that is filled in between two"
    )
    growth: float = Field(
        0.5,
        ge=0,
        le=10,
        description="where it was not found a cover grows on each side by this share of its size, for every second "
        "from the nearest frame in which it was found",
    )
    around: float = Field(
        0,
        ge=0,
        le=60,
        description="seconds before and after a shot that are looked at too, so that nothing is missed at a seam; of "
        "use where shots are cut at fixed distances. Not across the cut, if there is one: what is there is covered",
    )
    max_failed_share: float = Field(
        0.02,
        ge=0,
        le=1,
        description="a shot fails when more than this share of its frames cannot be looked at, or more of them in a "
        "row than `beyond` seconds; else they are filled in",
    )


class PaintSettings(Settings):
    """How covers look; by default all ways leave too little of a face to find it by.

    What is around a cover stays: a detector may, rarely, still guess a face from hair and shoulders.
    """

    how: Literal["blur", "pixelate", "fill"] = Field(
        "blur", description="blur: means over `cells`, with smooth transitions; pixelate: the means; fill: one colour"
    )
    cells: int = Field(
        2,
        ge=1,
        le=8,
        description="blur, pixelate: means along the longer side of a cover; from 3 on, the middle can be lighter or "
        "darker than both sides, as a head is, and detectors find some faces again",
    )
    colour: tuple[Level, Level, Level] = Field((0, 0, 0), description="fill: red, green and blue, 0 to 255")
