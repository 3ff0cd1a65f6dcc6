"""Settings of the stage pictures."""

from pydantic import Field

from transforms.settings import Settings


class PictureSettings(Settings):
    """Stage pictures: what people look at of the persons of each video."""

    files: int | None = Field(
        None,
        ge=1,
        description="faces of a person that are written as files, spread over its time, beside the one that stands "
        "for it; null: all",
    )
    clusters: int = Field(60, ge=1, le=1000, description="clusters on an overview, the largest first")
    faces: int = Field(10, ge=1, le=100, description="faces of each cluster on an overview, spread over its time")
