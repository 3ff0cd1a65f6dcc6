"""Settings of downloading videos."""

from typing import Literal

from pydantic import Field, field_validator, model_validator

from transforms.fetch.http.guard import parse_allow_host
from transforms.settings import How, Settings
from transforms.videos.settings import VideoAcceptSettings


class VideoDownloadSettings(Settings):
    """How videos are fetched."""

    downloads: How[int] = Field(
        4, ge=1, le=64, description="videos at once, for each chunk in work; each in a process of its own"
    )
    per_host: How[int] = Field(2, ge=1, le=64, description="of them with one host, for each chunk in work")
    host_interval: How[float] = Field(
        0, ge=0, le=3600, description="least time between the starts of two with one host, for each chunk, seconds"
    )
    stall_timeout: How[float] = Field(20, gt=0, le=600, description="to connect, and without any byte, seconds")
    total_timeout: How[float] = Field(
        3600, gt=0, le=86_400, description="one video, all tries together without the waits between them, seconds"
    )
    retries: How[int] = Field(2, ge=0, le=10, description="further tries after transient errors")
    backoff: How[float] = Field(
        2, ge=0, le=600, description="wait before the first retry, doubled for each further, seconds"
    )
    max_backoff: How[float] = Field(
        120, ge=0, le=3600, description="longest wait, seconds; a `Retry-After` that asks for more ends the tries"
    )
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
    user_agent: How[str] = Field(
        "manyfaces/0.1",
        pattern=r"^[\x21-\x7e][\x20-\x7e]*$",
        description="says what fetches, to servers of plain files and pages; sites that yt-dlp knows are asked its way",
    )
    contact: How[str] = Field(
        "", pattern=r"^[\x20-\x7e]*$", description="URL or e-mail address added to it, where server owners reach you"
    )
    opt_out: tuple[str, ...] = Field(
        ("noai", "noindex", "none"),
        description="directives of a file's X-Robots-Tag header that refuse this use; empty: it is not looked at",
    )
    tdm_reservation: bool = Field(True, description="respect the header `tdm-reservation: 1` of a file")
    allow_hosts: How[tuple[str, ...]] = Field(
        (), description="`host` or `host:port` that may be fetched from even at a private address"
    )
    allow_paths: How[tuple[str, ...]] = Field(
        (),
        description="folders that the manifest may name files in: local paths, or of stores other than gs://, which "
        "may always be named",
    )
    proxy: How[str] = Field(
        "",
        pattern=r"^$|^https?://",
        description="URL of a proxy; it then resolves the names, and must itself keep away from private addresses. The "
        "environment's proxies are not used",
    )
    verify_tls: How[bool] = Field(True, description="refuse servers whose certificate is not valid")
    cookies: How[str] = Field(
        "", description="a file of cookies in Netscape's format that is sent to the sites it names"
    )
    js_runtime: How[str] = Field(
        "", description="path of the program deno, which yt-dlp needs for all formats of YouTube; empty: without it"
    )
    accept: VideoAcceptSettings = Field(VideoAcceptSettings(), description="which videos are let in")

    @field_validator("allow_hosts")
    @classmethod
    def _hosts_parse(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            parse_allow_host(host)
        return hosts

    @model_validator(mode="after")
    def _heights_meet(self) -> "VideoDownloadSettings":
        if self.max_height < self.accept.min_height:
            raise ValueError(f"max_height {self.max_height} is below accept.min_height {self.accept.min_height}")
        return self
