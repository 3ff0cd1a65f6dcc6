"""Settings of video manifests and of downloading videos."""

from typing import Literal

from pydantic import Field

from transforms.settings import Settings


class VideoColumns(Settings):
    """The manifest's columns by name, letter case as in the file; one with a name of its own must be there."""

    id: str | None = Field(
        "video_id", description="the video's id; a row that has an id alone means the YouTube video of this id"
    )
    url: str | None = Field("url", description="an http(s) URL, a gs:// URI, a path or a YouTube id")
    label: str | None = Field(None, description="the source label")
    clips: str | None = Field("clip", description="HD-VILA's list of clips, each with its `span` [start, end]")
    clip_id: str | None = Field(
        "clip_id", description="of clip lists: its first 11 characters are the video's YouTube id"
    )
    duration: str | None = Field(
        "duration", description="of clip lists, beside clip_id: the clip's [start, end], each as H:M:S.mmm"
    )

    def required(self, names: list[str]) -> list[tuple[str, str]]:
        """The columns (setting, name) that a file with these columns must have: those configured, and one that says
        which video it is."""
        wanted = [(key, name) for key, name in self if name is not None and key in self.model_fields_set]
        if not any(name in names for name in (self.id, self.url, self.clip_id)):
            wanted.append(("url", self.url or "url"))
        return wanted


class VideoManifestSettings(Settings):
    """How a list of videos is read and split."""

    format: Literal["auto", "csv", "tsv", "jsonl", "parquet", "text", "list"] = Field(
        "auto",
        description="auto: by the extension (.csv .tsv .jsonl .ndjson .parquet .txt, with .gz after it if compressed); "
        "text: a URL, path or YouTube id a line; list: lines `idx label url`, with columns of these names",
    )
    columns: VideoColumns = Field(VideoColumns(), description="which columns hold what; others are passed on")
    rows_per_shard: int = Field(8, ge=1, le=100_000, description="videos of a shard: the unit of work and of restart")
