"""Settings of videos: what is let in, and how they are decoded."""

from typing import Literal, get_args

from pydantic import Field

from transforms.settings import How, Settings

Container = Literal["mov", "matroska", "avi", "mpeg", "mpegvideo", "mpegts", "flv", "asf", "ogg", "gif", "apng"]
CONTAINERS: tuple[Container, ...] = get_args(Container)


class VideoAcceptSettings(Settings):
    """Which videos are let in; decided from the headers of container and packets, and from one decoded frame."""

    containers: tuple[Container, ...] = Field(
        CONTAINERS, min_length=1, description="formats that are opened, by FFmpeg's names: mov is MP4, matroska is WebM"
    )
    min_height: int = Field(0, ge=0, description="pixels of the upright frame; less is `low_resolution`")
    max_pixels: int = Field(
        35_400_000, ge=1, le=200_000_000, description="width times height of a frame; more is `too_many_pixels`"
    )
    max_seconds: float = Field(4 * 3600, gt=0, description="length of the video; more is `too_long`")
    max_frames: int = Field(1_000_000, ge=1, le=10_000_000, description="frames of the video; more is `too_long`")
    truncated: Literal["drop", "keep"] = Field(
        "drop",
        description="what becomes of a file that lacks its end (MP4, Matroska, AVI); keep: what is there is used",
    )
    probe_seconds: How[float] = Field(
        60, gt=0, le=600, description="time in which a video must show what it is; more is `broken_video`"
    )
    probe_memory: How[int] = Field(
        4 * 2**30, ge=2**30, description="bytes of address space of the process that looks at a video"
    )
