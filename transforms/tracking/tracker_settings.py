"""Settings of the tracker: which detections belong to one object."""

import math

from pydantic import Field, model_validator

from transforms.settings import Settings


class TrackerSettings(Settings):
    """How detections become tracks (ByteTrack); where the reference has another value, it stands behind.

    The scores are the reference's, for detectors whose good scores are high, such as YOLOX; NanoDet's are lower, and so
    are the values of the recipe object_tracks. Costs and times were chosen on real and composed paths of objects with
    generated detections (`benchmarks.tracking`). Times are in seconds: another frame rate needs no other setting.
    """

    low_score: float = Field(0.1, ge=0, le=1, description="detections of at most this score are not looked at")
    high_score: float = Field(
        0.55,
        ge=0,
        le=1,
        description="detections of at least this score are matched first, the others only with tracks in sight; "
        "depends on the detector (YOLOX: 0.55, NanoDet: 0.3)",
    )
    new_score: float = Field(
        0.65,
        ge=0,
        le=1,
        description="least score of the detection with which a track begins; depends on the detector (YOLOX: 0.65, "
        "NanoDet: 0.3)",
    )
    mean_score: float = Field(
        0.5,
        ge=0,
        le=1,
        description="least mean score of a track's detections; a track below it is left out at its end (reference: 0)",
    )
    max_cost: float = Field(
        0.85, gt=0, le=2, description="limit of the first match where no features are given, of 1 - IoU x score"
    )
    max_mixed_cost: float = Field(
        0.45,
        gt=0,
        le=2,
        description="limit of the first match with features, of (1 - appearance_weight) x (1 - IoU x score) + "
        "appearance_weight x (1 - cosine); the reference's",
    )
    max_low_cost: float = Field(
        0.5, gt=0, le=1, description="limit of the match of low detections, of 1 - IoU (the reference's)"
    )
    max_unconfirmed_cost: float = Field(
        0.8,
        gt=0,
        le=1,
        description="limit of the match of tracks of one detection, of 1 - IoU x score (reference: 0.7)",
    )
    appearance_weight: float = Field(
        0.6, ge=0, le=1, description="weight of how objects look in the first match; 0: features are not looked at"
    )
    feature_memory: float = Field(
        0.5, ge=0, lt=1, description="weight of a track's feature until now when a new one is averaged in"
    )
    lost_seconds: float = Field(
        1.5, ge=0, le=60, description="seconds for which a track may be out of sight and go on (reference: 0.75)"
    )
    max_duplicate_overlap: float = Field(
        1,
        gt=0,
        le=1,
        description="of a track out of sight and one in sight with a larger IoU the shorter ends; 1: neither, since it "
        "is more often somebody hidden behind another than the same one (reference: 0.85)",
    )

    @model_validator(mode="after")
    def _scores_rise(self) -> "TrackerSettings":
        if not self.low_score <= self.high_score <= self.new_score:
            raise ValueError("low_score, high_score and new_score must not fall in this order.")
        return self

    def lost_frames(self, frame_rate: float) -> int:
        """In how many frames in a row a track may be missing, at so many a second (reference: 12 at 16)."""
        return math.ceil(self.lost_seconds * frame_rate - 1e-6)
