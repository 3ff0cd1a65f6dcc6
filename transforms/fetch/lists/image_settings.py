"""Settings of lists of images."""

from collections.abc import Container
from typing import ClassVar

from pydantic import Field

from transforms.fetch.lists.columns import lacking_in_manifest, usual_column
from transforms.fetch.lists.media_folder import IMAGES
from transforms.fetch.lists.settings import FIRST_ROWS, QUOTING, ListFormat, Quoting, suited_rows
from transforms.settings import How, Settings


class Columns(Settings):
    """The manifest's columns by name, letter case as in the file; one with a name of its own must be there."""

    id: str | None = Field(
        "id",
        description="the item's id. By default the column `id`, else `image_id`, where there is one, and a hash of the "
        "URL for rows without; with null ids are hashes of the URL",
    )
    url: str = Field("url", description="the URL")
    label: str | None = Field(None, description="the source label (search term)")

    def id_column(self, names: Container[str]) -> str | None:
        """The column of the ids, in a file or record with these names."""
        return usual_column(self.id, ("id", "image_id"), names)

    def needs_id(self) -> bool:
        """Whether each row must have an id: where the column has a name of its own."""
        return self.id not in (None, "id")

    def required(self, _names: list[str]) -> list[tuple[str, str]]:
        """The columns (setting, name) that a file must have, whichever others it has."""
        needed = {"id": self.id if self.needs_id() else None, "url": self.url, "label": self.label}
        return [(key, name) for key, name in needed.items() if name is not None]

    def used(self, names: list[str]) -> frozenset[str]:
        """Those of these columns that are used and not only passed on."""
        return frozenset(name for name in (self.id_column(names), self.url, self.label) if name in names)

    def item(self, _names: list[str]) -> str:
        """The column that says which item a row is."""
        return self.url

    def lacking(self, key: str, name: str, names: list[str]) -> str:
        """What to say where a required column (setting, name) is not there."""
        return lacking_in_manifest(key, name, names)


class ManifestSettings(Settings):
    """How the manifest is read and split."""

    endings: ClassVar[tuple[str, ...]] = IMAGES

    format: ListFormat = Field(
        "auto",
        description="auto: by the extension (.csv .tsv .jsonl .ndjson .json .parquet .txt, with .gz .bz2 .xz .zst "
        "after it if packed); text: a URL a line; list: lines `idx label url`, with columns of these names",
    )
    quoting: Quoting = Field("auto", description=QUOTING)
    columns: Columns = Field(Columns(), description="which columns hold id, URL and label; others are passed on")
    first_rows: How[int | None] = Field(None, ge=1, description=FIRST_ROWS)
    rows_per_shard: int | None = Field(
        None,
        ge=1,
        le=100_000,
        description="items of a shard: the unit of work and of restart; null: a 64th of the list, from 8 to 1000",
    )

    def shard_rows(self, rows: int) -> int:
        """The items of a shard of a list of so many rows."""
        return self.rows_per_shard or suited_rows(rows, 8, 1000)
