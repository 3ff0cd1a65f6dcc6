"""What the identity stage is told of evidence, poor faces and the second look."""

from pydantic import Field

from transforms.identity.similarity import Cosine, Similarity
from transforms.settings import Settings


class EvidenceSettings(Settings):
    """What pictures and videos show by themselves: who is two people, and who is one."""

    pictures: bool = Field(
        False, description="two faces of one picture are never one person, and copies of a photograph always are"
    )
    same_face_overlap: float = Field(
        0.5, gt=0, le=1, description="two boxes of a picture with more IoU than this are one face that was found twice"
    )
    copy_similarity: Similarity = Field(
        None,
        description="faces of two pictures above this cosine are the same photograph again, and so one person; null: "
        "the embedding model's own; auto: as clusters.link_similarity",
    )
    repeat_similarity: Cosine | None = Field(
        None,
        description="a picture with two faces above this cosine shows somebody twice (a collage, a mirror) and "
        "proves nothing; null: clusters.link_similarity; 1: every picture proves something",
    )
    tracks: bool = Field(
        False,
        description="of videos whose shots are known: faces that are followed through a shot without a break are one "
        "person",
    )
    track_overlap: float = Field(
        0.5, gt=0, le=1, description="least IoU of a face's boxes in two frames that follow one another in a shot"
    )
    track_seconds: float = Field(2, gt=0, description="longest time between two such frames, seconds")
    track_similarity: Similarity = Field(
        None,
        description="a track ends where the cosine of its face in two such frames is below this: there was a cut that "
        "was not found; null: the embedding model's own of an edge; auto: as clusters.link_similarity",
    )

    @property
    def any(self) -> bool:
        """Whether anything counts as evidence."""
        return self.pictures or self.tracks


class PoorFaceSettings(Settings):
    """Which faces are poor: they are attached to an identity, but never join two. A limit at its default is off."""

    min_px: float = Field(0, ge=0, description="least shorter side of the face's box, pixels; 0: off")
    min_score: float = Field(0, ge=0, le=1, description="least detection score; 0: off")
    min_norm: float = Field(0, ge=0, description="least length of the vector as the model gives it; 0: off")
    min_sharpness: float = Field(0, ge=0, description="least sharpness, where the table faces has it; 0: off")
    max_yaw: float = Field(180, ge=0, le=180, description="most that a head is turned sideways, degrees; 180: off")
    max_pitch: float = Field(180, ge=0, le=180, description="most that it is turned up or down, degrees; 180: off")

    @property
    def needs_measures(self) -> bool:
        """Whether a limit is on that the table faces has the measure of."""
        return self.min_sharpness > 0 or self.max_yaw < 180 or self.max_pitch < 180

    @property
    def any(self) -> bool:
        """Whether a limit is on."""
        return self != PoorFaceSettings()


class SecondLookSettings(Settings):
    """Faces that clustering left alone go to a cluster that is near enough, and clearly nearer than the next."""

    similarity: Cosine = Field(
        1, description="least cosine of a face that was left alone to the centre of its cluster; 1: no second look"
    )
    margin: float = Field(
        0.02, ge=0, lt=1, description="the next cluster that an edge of the face leads to is less similar by this"
    )
