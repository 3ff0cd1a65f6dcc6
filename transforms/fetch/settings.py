"""Settings of the manifest and of downloading."""

from typing import Literal

from pydantic import Field, field_validator

from transforms.fetch.guard import parse_allow_host
from transforms.media.settings import AcceptSettings, StoreSettings
from transforms.settings import Settings


class Columns(Settings):
    """The manifest's columns by name, letter case as in the file."""

    id: str | None = Field(None, description="the item's id; without one, ids are hashes of the URL")
    url: str = Field("url", description="the URL")
    label: str | None = Field(None, description="the source label (search term)")

    def required(self, _names: list[str]) -> list[tuple[str, str]]:
        """The columns (setting, name) that a file must have, whichever others it has."""
        return [(key, name) for key, name in self if name is not None]


class ManifestSettings(Settings):
    """How the manifest is read and split."""

    format: Literal["auto", "csv", "tsv", "jsonl", "parquet", "text", "list"] = Field(
        "auto",
        description="auto: by the extension (.csv .tsv .jsonl .ndjson .parquet .txt, with .gz after it if compressed); "
        "text: a URL a line; list: lines `idx label url`, with columns of these names",
    )
    columns: Columns = Field(Columns(), description="which columns hold id, URL and label; others are passed on")
    rows_per_shard: int = Field(1000, ge=1, le=100_000, description="items of a shard: the unit of work and of restart")


class DownloadSettings(Settings):
    """How images are fetched."""

    connections: int = Field(64, ge=1, le=1000, description="transfers at once, for each chunk in work")
    connect_timeout: float = Field(10, gt=0, le=600, description="to resolve and connect, seconds")
    stall_timeout: int = Field(10, ge=1, le=600, description="without any progress, seconds")
    total_timeout: float = Field(20, gt=0, le=3600, description="one try with one URL, seconds")
    retries: int = Field(1, ge=0, le=10, description="further tries after transient errors")
    backoff: float = Field(1, ge=0, le=60, description="wait before the first retry, doubled for each further, seconds")
    max_backoff: float = Field(
        30, ge=0, le=3600, description="longest wait, seconds; a `Retry-After` that asks for more ends the tries"
    )
    max_redirects: int = Field(5, ge=0, le=30, description="redirects followed for one item")
    max_bytes: int = Field(
        32_000_000,
        ge=1,
        description="of one file, decompressed; more is `too_large`, and `too_large_result` where it is to be stored",
    )
    max_buffer_bytes: int = Field(
        128_000_000, ge=1, description="bytes fetched and not yet decoded; above it no transfer starts"
    )
    per_host: int = Field(16, ge=1, le=1000, description="transfers at once with one host, for each chunk in work")
    host_interval: float = Field(
        0,
        ge=0,
        le=3600,
        description="least time between two requests to one host, for each chunk in work, seconds",
    )
    user_agent: str = Field(
        "manyfaces/0.1", pattern=r"^[\x21-\x7e][\x20-\x7e]*$", description="says what fetches, to every server"
    )
    contact: str = Field(
        "", pattern=r"^[\x20-\x7e]*$", description="URL or e-mail address added to it, where server owners reach you"
    )
    opt_out: tuple[str, ...] = Field(
        ("noai", "noimageai", "noindex", "noimageindex", "none"),
        description="directives of the X-Robots-Tag header that refuse this use; empty: the header is not looked at",
    )
    tdm_reservation: bool = Field(True, description="respect the header `tdm-reservation: 1`")
    allow_hosts: tuple[str, ...] = Field(
        (), description="`host` or `host:port` that may be fetched from even at a private address"
    )
    proxy: str = Field(
        "",
        description="URL of a proxy; it then resolves the names, and must itself keep away from private addresses. The "
        "environment's proxies are not used",
    )
    verify_tls: bool = Field(True, description="refuse servers whose certificate is not valid")
    accept: AcceptSettings = Field(AcceptSettings(), description="which images are let in")
    store: StoreSettings = Field(StoreSettings(), description="how they are stored")

    @field_validator("allow_hosts")
    @classmethod
    def _hosts_parse(cls, hosts: tuple[str, ...]) -> tuple[str, ...]:
        for host in hosts:
            parse_allow_host(host)
        return hosts
