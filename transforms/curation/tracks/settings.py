"""What a curation is asked for, and which of its settings each criterion takes."""

import math
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, model_validator

from model_handlers.named import nearest
from transforms.settings import Settings

Count = Annotated[int, Field(ge=1, le=2**40)]

_CONSTRAINTS = ("min_nn_dist", "max_spt_iou", "iou_tbuff", "min_motion", "passes")
_ALWAYS = ("criterion", "seed", "exclude_videos")
# of each criterion: what it needs (any one of these), and what else it takes
CRITERIA: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "random": (("num_samples",), ()),
    "video_balanced": (("num_samples_per_video",), ("num_samples",)),
    "class_balanced": (("num_samples_per_class",), ("num_samples", *_CONSTRAINTS)),
    "min_redundancy": (("num_samples_per_class",), ("num_samples", "max_swaps")),
    "max_motion": (("num_samples_per_class", "num_samples"), ()),
}


class CurationSettings(Settings):
    """Which tracks are chosen."""

    criterion: str = Field(description=f"by what they are chosen: {', '.join(CRITERIA)}")
    num_samples: Count | None = Field(None, description="tracks in all, at most")
    num_samples_per_video: Count | None = Field(None, description="tracks of a video, at most")
    num_samples_per_class: Count | None = Field(None, description="tracks of a class, at most")
    max_swaps: int | None = Field(
        None,
        ge=0,
        description="swaps in a class, at most; null: until a turn of all its tracks brings none, or 5 turns",
    )
    min_nn_dist: float = Field(
        0.0,
        ge=0,
        le=2,
        description="Euclidean distance of the unit features of any two tracks of a class, at least; 0: none asked for",
    )
    max_spt_iou: float = Field(
        1.0, ge=0, le=1, description="spatio-temporal IoU of two tracks of a class and video, at most; 1: any"
    )
    iou_tbuff: float = Field(
        math.inf,
        ge=0,
        description="seconds that may lie between two tracks before their IoU counts for less; inf: it never does",
    )
    min_motion: float = Field(
        0.0, ge=0, le=1000, description="motion of a track, diagonals of its box a second, at least; 0: none asked for"
    )
    passes: int = Field(
        5,
        ge=1,
        le=5,
        description="times that a class is gone through, each with laxer constraints, the fifth with none",
    )
    seed: int = Field(0, ge=0, lt=2**63, description="what chance decides follows from it and the tracks' ids alone")
    exclude_videos: str | None = Field(None, description="a text file, a video's id at the start of each line")

    @model_validator(mode="before")
    @classmethod
    def _belongs(cls, values: Any) -> Any:
        """Only what the criterion takes may be given."""
        name = values.get("criterion")
        if name not in CRITERIA:
            raise ValueError(f"there is no criterion {name!r}; {nearest(str(name), CRITERIA)}")
        needs, takes = CRITERIA[name]
        for key in values:
            if key in cls.model_fields and key not in (*_ALWAYS, *needs, *takes):
                owners = [one for one, (own, more) in CRITERIA.items() if key in (*own, *more)]
                raise ValueError(f"{_option(key)} belongs to {', '.join(owners)}, not to {name}; leave it out.")
        if all(values.get(key) is None for key in needs):
            raise ValueError(f"the criterion {name} needs {' or '.join(map(_option, needs))}.")
        return values

    @property
    def by_class(self) -> bool:
        """Whether each class is chosen from by itself."""
        return self.num_samples_per_class is not None

    @property
    def needs_features(self) -> bool:
        """Whether tracks are compared by how they look."""
        return self.criterion == "min_redundancy" or self.min_nn_dist > 0

    @property
    def needs_motion(self) -> bool:
        """Whether it matters how much tracks move."""
        return self.criterion == "max_motion" or self.min_motion > 0

    @property
    def needs_paths(self) -> bool:
        """Whether it matters where tracks of a video are."""
        return self.max_spt_iou < 1


def _option(key: str) -> str:
    return "--" + key.replace("_", "-")
