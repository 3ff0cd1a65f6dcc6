"""What every request for an image says of itself, and which certificates it trusts."""

import os

import certifi

from transforms.fetch.http.settings import DownloadSettings

# formats that need no conversion first, so that servers which negotiate send those
ACCEPT = "Accept: image/jpeg,image/png,image/webp;q=0.9,image/*;q=0.8,*/*;q=0.5"


def user_agent(settings: DownloadSettings) -> str:
    """The value of the header User-Agent."""
    return settings.user_agent + (f" (+{settings.contact})" if settings.contact else "")


def trusted_roots() -> str:
    """The file of root certificates."""
    return os.environ.get("SSL_CERT_FILE") or certifi.where()
