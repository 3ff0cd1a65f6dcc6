"""Settings of lists of videos."""

from collections.abc import Container
from typing import ClassVar

from pydantic import Field

from transforms.fetch.lists.columns import lacking_in_manifest, usual_column
from transforms.fetch.lists.media_folder import VIDEOS
from transforms.fetch.lists.settings import FIRST_ROWS, QUOTING, ListFormat, Quoting, suited_rows
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

    def lacking(self, key: str, name: str, names: list[str]) -> str:
        """What to say where a required column (setting, name) is not there."""
        return lacking_in_manifest(key, name, names)


class VideoManifestSettings(Settings):
    """How a list of videos is read and split."""

    endings: ClassVar[tuple[str, ...]] = VIDEOS

    format: ListFormat = Field(
        "auto",
        description="auto: by the extension (.csv .tsv .jsonl .ndjson .json .parquet .txt, with .gz .bz2 .xz .zst "
        "after it if packed); text: a URL, path or YouTube id a line; list: lines `idx label url`, with columns of "
        "these names",
    )
    quoting: Quoting = Field("auto", description=QUOTING)
    columns: VideoColumns = Field(VideoColumns(), description="which columns hold what; others are passed on")
    first_rows: How[int | None] = Field(None, ge=1, description=FIRST_ROWS)
    rows_per_shard: int | None = Field(
        None,
        ge=1,
        le=100_000,
        description="videos of a shard: the unit of work and of restart; null: a 64th of the list, from 2 to 8",
    )

    def shard_rows(self, rows: int) -> int:
        """The videos of a shard of a list of so many rows."""
        return self.rows_per_shard or suited_rows(rows, 2, 8)
