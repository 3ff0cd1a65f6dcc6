"""Settings of downloading videos."""

from typing import Literal

from pydantic import Field, model_validator

from transforms.fetch.http.fields import (
    AllowHosts,
    AllowPaths,
    Backoff,
    Contact,
    HostInterval,
    MaxBackoff,
    OptOut,
    Proxy,
    Retries,
    TdmReservation,
    UserAgent,
    VerifyTls,
)
from transforms.settings import How, Settings
from transforms.videos.settings import VideoAcceptSettings


class VideoDownloadSettings(Settings):
    """How videos are fetched."""

    downloads: How[int] = Field(
        4, ge=1, le=64, description="videos at once, for each chunk in work; each in a process of its own"
    )
    per_host: How[int] = Field(2, ge=1, le=64, description="videos at once from one host, for each chunk in work")
    host_interval: How[HostInterval] = 0
    stall_timeout: How[float] = Field(20, gt=0, le=600, description="to connect, and without any byte, seconds")
    total_timeout: How[float] = Field(
        3600, gt=0, le=86_400, description="one video, all tries together without the waits between them, seconds"
    )
    retries: How[Retries] = 2
    backoff: How[Backoff] = 2
    max_backoff: How[MaxBackoff] = 120
    max_bytes: int = Field(4_000_000_000, ge=1, description="of one video, all its parts; more is `too_large`")
    max_memory: How[int] = Field(
        3 * 2**30, ge=2**28, description="bytes of data that the process of one download may have in memory"
    )
    max_height: int = Field(
        1080, ge=1, description="the format chosen is the highest up to here, else the lowest above; pixels"
    )
    check_bytes: int = Field(
        4_000_000, ge=65_536, description="bytes of a file that are fetched at most to learn its resolution beforehand"
    )
    unknown_resolution: Literal["keep", "drop"] = Field(
        "keep", description="keep: fetch a video whose height cannot be told beforehand, and look at it then"
    )
    user_agent: How[UserAgent] = Field(
        "manyfaces/0.1",
        description="says what fetches, to servers of plain files and pages; sites that yt-dlp knows are asked its way",
    )
    contact: How[Contact] = ""
    opt_out: OptOut = ("noai", "noindex", "none")
    tdm_reservation: TdmReservation = True
    allow_hosts: How[AllowHosts] = ()
    allow_paths: How[AllowPaths] = Field(
        (),
        description="folders that the list may name files in, as /path or file:///path, which all workers must see "
        "there, or folders of stores other than gs://, which may always be named",
    )
    proxy: How[Proxy] = Field("", pattern=r"^$|^https?://")
    verify_tls: How[VerifyTls] = True
    cookies: How[str] = Field(
        "", description="a file of cookies in Netscape's format that is sent to the sites it names"
    )
    js_runtime: How[str] = Field(
        "", description="path of the program deno, which yt-dlp needs for all formats of YouTube; empty: without it"
    )
    accept: VideoAcceptSettings = Field(VideoAcceptSettings(), description="which videos are let in")

    @model_validator(mode="after")
    def _heights_meet(self) -> "VideoDownloadSettings":
        if self.max_height < self.accept.min_height:
            raise ValueError(f"max_height {self.max_height} is below accept.min_height {self.accept.min_height}")
        return self
