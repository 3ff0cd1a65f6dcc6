"""Settings of the stage spans: which faces of a shot make a span."""

from pydantic import Field, model_validator

from transforms.settings import How, InferenceSettings, Settings


class SpanSettings(Settings):
    """Stage spans: the faces on every few frames of a shot, and the spans in which one of them stays in place."""

    every_frames: int = Field(2, ge=1, le=1000, description="one frame of so many is looked at: a sample")
    face_model: str = Field("centerface", description="catalogue name of the face detector")
    detector_side: int | None = Field(
        320, ge=32, le=4096, description="side of the detector's square input, pixels; null: as the catalogue says"
    )
    min_score: float = Field(
        0.5, ge=0, le=1, description="least detection score; depends on the detector (RetinaFace: 0.975)"
    )
    min_size: float = Field(
        0.1, ge=0, le=1, description="width and height of the face, in shares of the frame's, must be more"
    )
    max_jump: float = Field(
        0.06,
        gt=0,
        le=1,
        description="shares of the frame; a side of the box that moves further between samples cuts",
    )
    max_missing: int = Field(2, ge=0, le=1000, description="more samples without the face in a row cut")
    min_samples: int = Field(
        17,
        ge=1,
        le=100_000,
        description="samples with the face that a span has at least, before it is cut to max_frames",
    )
    max_std: float = Field(
        0.06,
        gt=0,
        le=1,
        description="shares of the frame; standard deviation of a side of the box in a span, at most",
    )
    max_frames: int = Field(
        256, ge=1, le=100_000, description="frames of a span, at most; longer ones are split in equal parts"
    )
    embedding_model: str | None = Field(
        "dlib-resnet", description="catalogue name of the model that tells persons apart; null: they are not told apart"
    )
    embed_every: int = Field(1, ge=1, le=1000, description="one sample of so many is embedded")
    max_distance: float = Field(
        0.075,
        gt=0,
        le=2,
        description="1 - cosine of two embeddings; more is another person. Depends on the model (dlib: 0.075)",
    )
    window: int = Field(
        8, ge=3, le=1000, description="embedded samples on each side that tell whether another person begins"
    )
    max_failed_share: float = Field(
        0.1,
        ge=0,
        le=1,
        description="a shot fails when more than this share of its samples do; else they are missing",
    )
    inference: How[InferenceSettings] = InferenceSettings()

    @model_validator(mode="after")
    def _lengths_agree(self) -> "SpanSettings":
        if self.max_frames < (self.max_missing + 1) * self.every_frames:
            raise ValueError(
                "spans.max_frames must be at least (max_missing + 1) * every_frames: spans are split at samples."
            )
        if self.max_frames <= (self.min_samples - 1) * self.every_frames:
            raise ValueError(
                "spans.max_frames must be more than (min_samples - 1) * every_frames: no span has as many samples as "
                "it must, and no more frames than it may."
            )
        return self
