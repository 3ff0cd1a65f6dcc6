"""Settings of downloading images."""

from pydantic import Field

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
from transforms.images.settings import AcceptSettings, StoreSettings
from transforms.settings import How, Settings


class DownloadSettings(Settings):
    """How images are fetched."""

    connections: How[int] = Field(64, ge=1, le=1000, description="transfers at once, for each chunk in work")
    connect_timeout: How[float] = Field(10, gt=0, le=600, description="to resolve and connect, seconds")
    stall_timeout: How[int] = Field(10, ge=1, le=600, description="without any progress, seconds")
    total_timeout: How[float] = Field(20, gt=0, le=3600, description="one try with one URL, seconds")
    retries: How[Retries] = 1
    backoff: How[Backoff] = 1
    max_backoff: How[MaxBackoff] = 30
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
    host_interval: How[HostInterval] = 0
    user_agent: How[UserAgent] = "manyfaces/0.1"
    contact: How[Contact] = ""
    opt_out: OptOut = ("noai", "noimageai", "noindex", "noimageindex", "none")
    tdm_reservation: TdmReservation = True
    allow_hosts: How[AllowHosts] = ()
    allow_paths: How[AllowPaths] = ()
    proxy: How[Proxy] = ""
    verify_tls: How[VerifyTls] = True
    accept: AcceptSettings = Field(AcceptSettings(), description="which images are let in")
    store: StoreSettings = Field(StoreSettings(), description="how they are stored")
