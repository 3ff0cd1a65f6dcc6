"""What the stage persons can be told. Distances belong to the models; the defaults are for dlib's descriptors."""

from typing import Literal

from pydantic import Field, model_validator

from transforms.settings import Settings


class EvidenceSettings(Settings):
    """What the film shows by itself: who is seen at once is not one person, who is followed without a break is."""

    frames: bool = Field(True, description="two faces of one frame are never one person")
    same_face_overlap: float = Field(
        0.5, gt=0, le=1, description="two boxes of a frame with more IoU than this are one face that was found twice"
    )
    tracks: bool = Field(True, description="faces that are followed through a shot without a break are one person")
    track_overlap: float = Field(
        0.5, gt=0, le=1, description="least IoU of a face's boxes in two frames that follow one another in a shot"
    )
    track_seconds: float = Field(2, gt=0, description="longest time between two such frames, seconds")
    # Over a cut that was not found one face follows another in the same place. On composed films (benchmarks/films) the
    # vectors of a face in two frames of a track half a second apart differ by 0.08, 1 in 100 by 0.26 and none by more
    # than 0.33; those of different people by 0.43 and more but for 1 in 20, and two wrong tracks did by 0.46 and 0.52.
    track_face_distance: float = Field(
        0.4,
        gt=0,
        le=2,
        description="a track ends where the unit vectors of its face in two such frames are further apart than this: "
        "there was a cut that was not found",
    )


class MergingSettings(Settings):
    """Which clusters are one person: those whose mean faces, or mean clothes, are near enough."""

    # On the films to choose by (benchmarks/films) the means of the faces of two shots are 0.18 apart if they are one
    # person's, and 1 in 20 more than 0.31; if they are not, 0.52, 1 in 100 less than 0.36 and none less than 0.33.
    # Between 0.30 and 0.34 merging mends nearly all that too strict a similarity splits; from 0.36 on it joins people.
    face_distance: float = Field(
        0.32, ge=0, le=2, description="Euclidean distance of the means of unit face vectors is below this; 0: never"
    )
    # The means of different people's clothes are never nearer than 0.5 there, those of the same clothes 0.2 to 0.4. But
    # films have uniforms, so that clothes decide only where faces leave it open.
    clothing_distance: float = Field(
        0.4, ge=0, le=2, description="that of the means of unit clothing vectors is below this; 0: never"
    )
    clothing_face_distance: float = Field(
        0.38,
        ge=0,
        le=2,
        description="clusters are merged for their clothes only if their mean faces are nearer than this; 2: whatever "
        "their faces",
    )
    passes: int = Field(1, ge=0, le=100, description="how often all clusters are gone through; 0: no merging")


class PersonSettings(Settings):
    """Stage persons: the faces of a video by person."""

    # Vectors of clothes are nearly twice as far apart as those of faces, and people change clothes: with equal weights,
    # the reference's, who wears something else is somebody else (NMI 0.77 on the films to choose by, 1.0 with 0.3).
    face_weight: float = Field(1, ge=0, le=100, description="how much faces count in the distance of two faces")
    clothing_weight: float = Field(0.3, ge=0, le=100, description="how much clothes count in it")
    # A cut at 0.46. On these films nearly all are told apart from 0.40 to 0.50 with evidence, and from 0.40 to 0.44
    # without. The reference's rule, a share of the video's largest distance, cuts who is alone in a film into pieces.
    similarity: float = Field(
        0.78, ge=0, le=1, description="clusters are joined up to the distance (1 - this) x `scale`"
    )
    scale: Literal["largest", "possible"] = Field(
        "possible",
        description="largest: the largest distance of two faces of the video; possible: the largest that two faces "
        "can have, the same for every video",
    )
    max_groups: int = Field(
        10_000,
        ge=2,
        le=20_000,
        description="groups of faces of a video that are compared each with each, a group being what evidence shows to "
        "be one person; of more, the nearest are joined first. Memory: 16 bytes x its square, 1.6 GB for 10,000",
    )
    neighbours: int = Field(64, ge=1, le=1024, description="neighbours of a face that this joining looks at")
    min_size: int = Field(6, ge=1, description="faces of a person, at least; smaller clusters are dropped")
    key_persons: int = Field(10, ge=0, description="persons of a video with most time on screen who are marked as key")
    evidence: EvidenceSettings = EvidenceSettings()
    merging: MergingSettings = MergingSettings()

    @model_validator(mode="after")
    def _something_counts(self) -> "PersonSettings":
        if self.face_weight == 0 and self.clothing_weight == 0:
            raise ValueError("face_weight and clothing_weight are both 0; one of them must count")
        return self
