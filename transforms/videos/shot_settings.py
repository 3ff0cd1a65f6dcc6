"""Settings of shots: how a video is cut up."""

from typing import Literal

from pydantic import Field, model_validator

from transforms.settings import How, Settings

Detector = Literal["none", "fixed", "adaptive", "content", "transnetv2"]


class ShotSettings(Settings):
    """How shots are found, and how long they may be. A listed span is cut up by itself: no shot crosses its ends."""

    detector: Detector = Field(
        "adaptive",
        description="none: a video, or each of its listed spans, is one shot; fixed: pieces of `fixed_seconds`; "
        "adaptive, content: PySceneDetect's detectors; transnetv2: the neural network, better on fades and, with the "
        "decoding of 720p, some seven times slower",
    )
    fixed_seconds: float = Field(60, gt=0, le=86_400, description="seconds; length of the pieces of `fixed`")
    min_seconds: float = Field(
        0, ge=0, le=86_400, description="seconds; what becomes of shorter shots says the key short; 0: no limit"
    )
    short: Literal["drop", "merge"] = Field(
        "drop",
        description="what becomes of shots shorter than `min_seconds`; merge: each is joined to the one before it, the "
        "first of a span to the one after it; a span that is shorter as a whole is dropped",
    )
    max_seconds: float = Field(
        0, ge=0, le=86_400, description="seconds; longer shots are split evenly, to the nearest frame; 0: no limit"
    )
    adaptive_ratio: float = Field(
        3.0, ge=1, le=255, description="adaptive: a cut's score over the mean score of the frames round it, at least"
    )
    adaptive_window: int = Field(2, ge=1, le=100, description="adaptive: frames on each side that make that mean")
    adaptive_score: float = Field(
        15.0,
        ge=0,
        le=255,
        description="adaptive: a cut's own score, at least: mean change of hue, saturation and value",
    )
    content_score: float = Field(27.0, gt=0, le=255, description="content: a cut's score, at least")
    min_cut_frames: int = Field(
        15, ge=0, le=10_000, description="adaptive, content: frames between cuts, at least; cuts in a row count as one"
    )
    model: str = Field("transnetv2", description="transnetv2: catalogue name of the network")
    model_score: float = Field(0.5, gt=0, lt=1, description="transnetv2: a transition's probability, at least")
    threads: How[int] = Field(1, ge=1, le=256, description="transnetv2: CPU threads of the network")

    @model_validator(mode="after")
    def _halves_are_long_enough(self) -> "ShotSettings":
        if self.max_seconds and self.max_seconds < 2 * self.min_seconds:
            raise ValueError("shots.max_seconds must be 0 or at least twice min_seconds: long shots are split evenly.")
        return self
