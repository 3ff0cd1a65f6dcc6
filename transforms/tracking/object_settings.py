"""Settings of the stage objects: what is looked for in the frames of a shot, and how."""

from pydantic import Field

from transforms.settings import How, InferenceSettings, Settings


class ObjectSettings(Settings):
    """Stage objects: every object in some frames of each shot."""

    frame_rate: float = Field(
        16,
        gt=0,
        le=1000,
        description="frames a second that are looked at; of a video that has fewer, all. TrackVerse: 16, in the "
        "command of its README 8",
    )
    model: str = Field("nanodet-objects", description="catalogue name of the detector")
    detector_side: int | None = Field(
        None, ge=32, le=4096, description="side of the detector's square input, pixels; null: as the catalogue says"
    )
    vocabulary: str | None = Field(
        None,
        description="what an open-vocabulary detector looks for: coco, lvis, or a file with a phrase a line; null: as "
        "the catalogue says",
    )
    classes: tuple[str, ...] = Field(
        (), description="names of classes in the vocabulary: only objects of these are kept; none: all"
    )
    min_score: float = Field(0.1, ge=0, le=1, description="least detection score; tracks are made of low ones too")
    max_overlap: float = Field(
        0.7,
        gt=0,
        le=1,
        description="intersection over union; of two boxes in a frame that overlap more, whatever their classes, the "
        "one of the higher score is kept",
    )
    max_objects: int = Field(100, ge=1, le=10_000, description="objects of a frame that are kept, best first")
    min_probability: float = Field(
        0.01, ge=0, le=1, description="probabilities of classes below this count as 0; the best class always stays"
    )
    appearance_model: str | None = Field(
        None,
        description="catalogue name of the model that says how an object looks, for telling tracks apart and for "
        "`manyfaces curate`; null: the detector's own features, if it has any",
    )
    appearance_min_score: float = Field(
        0.3,
        ge=0,
        le=1,
        description="objects of a lower score are not shown to the appearance model; the tracker goes by the looks of "
        "those above its high_score alone",
    )
    max_failed_share: float = Field(
        0.1, ge=0, le=1, description="a shot fails when more than this share of its frames do; else they are left out"
    )
    inference: How[InferenceSettings] = InferenceSettings()
