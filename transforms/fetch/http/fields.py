"""Fields that the settings of all downloads have, each with its range and meaning; their defaults differ."""

from typing import Annotated

from pydantic import AfterValidator, Field

from transforms.fetch.http.guard import parse_allow_host


def _is_host(name: str) -> str:
    parse_allow_host(name)
    return name


def _is_rooted(folder: str) -> str:
    if not folder.startswith("/") and "://" not in folder:
        raise ValueError(f"{folder!r} is no path from the root")
    return folder


HostInterval = Annotated[
    float,
    Field(ge=0, le=3600, description="least time between two requests to one host, for each chunk in work, seconds"),
]
Retries = Annotated[int, Field(ge=0, le=10, description="further tries after transient errors")]
Backoff = Annotated[
    float, Field(ge=0, le=600, description="wait before the first retry, doubled for each further, seconds")
]
MaxBackoff = Annotated[
    float,
    Field(ge=0, le=3600, description="longest wait, seconds; a `Retry-After` that asks for more ends the tries"),
]
UserAgent = Annotated[
    str,
    Field(
        pattern=r"^[\x21-\x7e][\x20-\x7e]*$",
        description="says what fetches, to every server",
    ),
]
Contact = Annotated[
    str,
    Field(pattern=r"^[\x20-\x7e]*$", description="URL or e-mail address added to it, where server owners reach you"),
]
OptOut = Annotated[
    tuple[str, ...],
    Field(description="directives of the X-Robots-Tag header that refuse this use; empty: the header is not looked at"),
]
TdmReservation = Annotated[bool, Field(description="respect the header `tdm-reservation: 1`")]
AllowHosts = Annotated[
    tuple[Annotated[str, AfterValidator(_is_host)], ...],
    Field(description="`host` or `host:port` that may be fetched from even at a private address"),
]
Proxy = Annotated[
    str,
    Field(
        description="URL of a proxy; it then resolves the names, and must itself keep away from private addresses. The "
        "environment's proxies are not used",
    ),
]
VerifyTls = Annotated[bool, Field(description="refuse servers whose certificate is not valid")]
AllowPaths = Annotated[
    tuple[Annotated[str, AfterValidator(_is_rooted)], ...],
    Field(
        description="folders that the list may name files in, as /path or file:///path; all workers must see them there"
    ),
]
