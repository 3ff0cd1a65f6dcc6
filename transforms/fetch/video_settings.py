"""Settings of video manifests and of downloading videos."""

from collections.abc import Container
from typing import Literal

from pydantic import Field, field_validator, model_validator

from transforms.fetch.guard import parse_allow_host
from transforms.fetch.lists.columns import usual_column
from transforms.fetch.lists.settings import QUOTING, ListFormat, Quoting
from transforms.fetch.settings import suited_rows
from transforms.media.video_settings import VideoAcceptSettings
from transforms.settings import How, Settings


class VideoColumns(Settings):
    """The manifest's columns by name, letter case as in the file; one with a name of its own must be there."""

    id: str | None = Field(
        "video_id",
        description="the video's id. By default the column `video_id`, else `id`, where there is one; a row that has "
        "an id alone means the YouTube video of this id",
    )
    url: str | None = Field("url", description="an http(s) URL, a gs:// URI, a path or a YouTube id")
    label: str | None = Field(None, description="the source label")
    clips: str | None = Field(
        "clip",
        description="the spans that are used of the video: HD-VILA's list of clips, each with its `span` [start, end], "
        "or a list of such pairs; null: a column of this name is passed on",
    )
    clip_id: str | None = Field(
        "clip_id", description="of clip lists: its first 11 characters are the video's YouTube id"
    )
    duration: str | None = Field(
        "duration", description="of clip lists, beside clip_id: the clip's [start, end], each as H:M:S.mmm"
    )

    def id_column(self, names: Container[str]) -> str | None:
        """The column of the ids, in a file or record with these names."""
        return usual_column(self.id, ("video_id", "id"), names)

    def required(self, names: list[str]) -> list[tuple[str, str]]:
        """The columns (setting, name) that a file with these columns must have: those with another name than by
        default, and one that says which video it is."""
        usual = {key: field.default for key, field in type(self).model_fields.items()}
        wanted = [(key, name) for key, name in self if name is not None and name != usual[key]]
        if not any(name in names for name in (self.id, self.url, self.clip_id)):
            wanted.append(("url", self.url or "url"))
        return wanted

    def used(self, names: list[str]) -> frozenset[str]:
        """Those of these columns that are used and not only passed on."""
        return frozenset(set(names) & {self.id_column(names), *(name for _, name in self)})

    def item(self, names: list[str]) -> str:
        """The column that says which item a row is."""
        return next((name for name in (self.url, self.id, self.clip_id) if name in names), "")


class VideoManifestSettings(Settings):
    """How a list of videos is read and split."""

    format: ListFormat = Field(
        "auto",
        description="auto: by the extension (.csv .tsv .jsonl .ndjson .json .parquet .txt, with .gz .bz2 .xz .zst "
        "after it if packed); text: a URL, path or YouTube id a line; list: lines `idx label url`, with columns of "
        "these names",
    )
    quoting: Quoting = Field("auto", description=QUOTING)
    columns: VideoColumns = Field(VideoColumns(), description="which columns hold what; others are passed on")
    rows_per_shard: int | None = Field(
        None,
        ge=1,
        le=100_000,
        description="videos of a shard: the unit of work and of restart; null: a 64th of the list, from 2 to 8",
    )

    def shard_rows(self, rows: int) -> int:
        """The videos of a shard of a list of so many rows."""
        return self.rows_per_shard or suited_rows(rows, 2, 8)


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
