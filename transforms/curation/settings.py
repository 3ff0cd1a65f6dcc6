"""Settings of the curation of faces: how much is taken, and what is chosen of it."""

from typing import Literal

from pydantic import Field

from transforms.settings import Settings


class CandidateSettings(Settings):
    """Stage candidates: the faces that go on to identities."""

    max_faces_per_video: int | None = Field(
        50,
        ge=1,
        le=1_000_000,
        description="faces of a video that are taken, those of the best quality score (`composite`) first; null: all",
    )
    max_bytes: int | None = Field(
        2**30,
        ge=1,
        description="videos are taken, in the manifest's order, while the crops taken of those before have fewer bytes "
        "in all; null: no limit",
    )


class SelectionSettings(Settings):
    """Stage selection: the best images and the sequence of each person."""

    high_quality: int = Field(
        10,
        ge=0,
        le=1000,
        description="images of a person, those of the best quality score (`composite`) first; or fewer, if that is all",
    )
    min_background_distance: int = Field(
        0,
        ge=0,
        le=64,
        description="bits in which the background hashes of two of those images differ at least, as long as there are "
        "such images; the rest is filled up with the best others; 0: backgrounds do not matter",
    )
    temporal: int = Field(
        5, ge=0, le=100, description="images of a sequence: consecutive samples of one shot, all of the person; 0: none"
    )
    layout: Literal["own", "reference"] = Field(
        "own",
        description="files that are written; own: `final` and `metadata`; reference: beside them the folder "
        "`reference`, in which an earlier system's users find their own: raw_videos/<source label>/, "
        "frames/<emotion>/<video>/ (the crops of all candidates, and their vectors as .npy), "
        "processed/person_<number>/<emotion>/, final/ and metadata/. What the run has as a file is a hard link there, "
        "or on an object store, which has no links, a copy",
    )
    windows_checked: int = Field(
        100,
        ge=1,
        le=1_000_000,
        description="sequences of a person that are searched for cuts, best first, until one has none; where samples "
        "know their shot, nothing is searched",
    )
