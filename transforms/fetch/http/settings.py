"""Settings of downloading images."""

from pydantic import Field, field_validator

from transforms.fetch.http.guard import parse_allow_host
from transforms.images.settings import AcceptSettings, StoreSettings
from transforms.settings import How, Settings


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
