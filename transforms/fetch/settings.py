"""Settings of the manifest and of downloading."""

from collections.abc import Container

from pydantic import Field, field_validator

from transforms.fetch.guard import parse_allow_host
from transforms.fetch.lists.columns import usual_column
from transforms.fetch.lists.settings import QUOTING, ListFormat, Quoting
from transforms.media.settings import AcceptSettings, StoreSettings
from transforms.settings import How, Settings

_SHARDS = 64  # of a list, at least: an interrupted run loses what is in work, a chunk for each worker


def suited_rows(rows: int, least: int, most: int) -> int:
    """How many rows a shard has, if nobody says so: it depends on the list alone, as resuming and all runners must."""
    return max(least, min(most, -(-rows // _SHARDS)))


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


class ManifestSettings(Settings):
    """How the manifest is read and split."""

    format: ListFormat = Field(
        "auto",
        description="auto: by the extension (.csv .tsv .jsonl .ndjson .json .parquet .txt, with .gz .bz2 .xz .zst "
        "after it if packed); text: a URL a line; list: lines `idx label url`, with columns of these names",
    )
    quoting: Quoting = Field("auto", description=QUOTING)
    columns: Columns = Field(Columns(), description="which columns hold id, URL and label; others are passed on")
    rows_per_shard: int | None = Field(
        None,
        ge=1,
        le=100_000,
        description="items of a shard: the unit of work and of restart; null: a 64th of the list, from 8 to 1000",
    )

    def shard_rows(self, rows: int) -> int:
        """The items of a shard of a list of so many rows."""
        return self.rows_per_shard or suited_rows(rows, 8, 1000)


class DownloadSettings(Settings):
    """How images are fetched."""

    connections: How[int] = Field(64, ge=1, le=1000, description="transfers at once, for each chunk in work")
    connect_timeout: How[float] = Field(10, gt=0, le=600, description="to resolve and connect, seconds")
    stall_timeout: How[int] = Field(10, ge=1, le=600, description="without any progress, seconds")
    total_timeout: How[float] = Field(20, gt=0, le=3600, description="one try with one URL, seconds")
    retries: How[int] = Field(1, ge=0, le=10, description="further tries after transient errors")
    backoff: How[float] = Field(
        1, ge=0, le=60, description="wait before the first retry, doubled for each further, seconds"
    )
    max_backoff: How[float] = Field(
        30, ge=0, le=3600, description="longest wait, seconds; a `Retry-After` that asks for more ends the tries"
    )
    max_redirects: How[int] = Field(5, ge=0, le=30, description="redirects followed for one item")
    max_bytes: int = Field(
        32_000_000,
        ge=1,
        description="of one file, decompressed; more is `too_large`, and `too_large_result` where it is to be stored",
    )
    max_buffer_bytes: How[int] = Field(
        128_000_000, ge=1, description="bytes fetched and not yet decoded; above it no transfer starts"
    )
    per_host: How[int] = Field(16, ge=1, le=1000, description="transfers at once with one host, for each chunk in work")
    host_interval: How[float] = Field(
        0,
        ge=0,
        le=3600,
        description="least time between two requests to one host, for each chunk in work, seconds",
    )
    user_agent: How[str] = Field(
        "manyfaces/0.1", pattern=r"^[\x21-\x7e][\x20-\x7e]*$", description="says what fetches, to every server"
    )
    contact: How[str] = Field(
        "", pattern=r"^[\x20-\x7e]*$", description="URL or e-mail address added to it, where server owners reach you"
    )
    opt_out: tuple[str, ...] = Field(
        ("noai", "noimageai", "noindex", "noimageindex", "none"),
        description="directives of the X-Robots-Tag header that refuse this use; empty: the header is not looked at",
    )
    tdm_reservation: bool = Field(True, description="respect the header `tdm-reservation: 1`")
    allow_hosts: How[tuple[str, ...]] = Field(
        (), description="`host` or `host:port` that may be fetched from even at a private address"
    )
    proxy: How[str] = Field(
        "",
        description="URL of a proxy; it then resolves the names, and must itself keep away from private addresses. The "
        "environment's proxies are not used",
    )
    verify_tls: How[bool] = Field(True, description="refuse servers whose certificate is not valid")
    accept: AcceptSettings = Field(AcceptSettings(), description="which images are let in")
    store: StoreSettings = Field(StoreSettings(), description="how they are stored")

    @field_validator("allow_hosts")
    @classmethod
    def _hosts_parse(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            parse_allow_host(host)
        return hosts
