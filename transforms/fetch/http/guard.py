"""The address guard: which URLs and which addresses may be fetched.

A URL is parsed once, strictly, and rebuilt from its parts, so that no second parser can read it otherwise. Whether an
address may be connected to is asked again for each connection, with the address that the name resolved to.
"""

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

import idna

from transforms.tables.reasons import Rejected

_MAX_URL = 8192  # characters; longer ones are no image's address
_LABEL = re.compile(r"[a-z0-9_-]{1,63}")
_NUMBER = re.compile(r"\d+|0x[0-9a-f]*")
_SPLIT = re.compile(r"(https?)://([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?", re.IGNORECASE | re.DOTALL)
_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\\]|(?! )\s")
# characters that RFC 3986 allows in paths and queries, and "%", which starts an escape already made
_PATH_SAFE = "/:@!$&'()*+,;=-._~%[]|"
_PORTS = {"http": 80, "https": 443}

# IANA's special-purpose registries of IPv4 and IPv6, less the entries that are ordinary public addresses
_BLOCKED_4 = {
    "0.0.0.0/8": "unspecified",
    "10.0.0.0/8": "private",
    "100.64.0.0/10": "carrier NAT",
    "127.0.0.0/8": "loopback",
    "168.63.129.16/32": "cloud metadata",  # Azure's, a public address by its number
    "169.254.0.0/16": "link-local",
    "172.16.0.0/12": "private",
    "192.0.0.0/24": "protocol assignments",
    "192.0.2.0/24": "documentation",
    "192.31.196.0/24": "AS112",
    "192.52.193.0/24": "AMT",
    "192.88.99.0/24": "6to4 relay",
    "192.168.0.0/16": "private",
    "192.175.48.0/24": "AS112",
    "198.18.0.0/15": "benchmarking",
    "198.51.100.0/24": "documentation",
    "203.0.113.0/24": "documentation",
    "224.0.0.0/4": "multicast",
    "240.0.0.0/4": "reserved",
}
_BLOCKED_6 = {
    "2001::/23": "protocol assignments, Teredo",
    "2001:db8::/32": "documentation",
    "2002::/16": "6to4",
    "2620:4f:8000::/48": "AS112",
    "3fff::/20": "documentation",
}
_NETWORKS_4 = [(ipaddress.IPv4Network(network), why) for network, why in _BLOCKED_4.items()]
_NETWORKS_6 = [(ipaddress.IPv6Network(network), why) for network, why in _BLOCKED_6.items()]
_GLOBAL_6 = ipaddress.IPv6Network("2000::/3")  # all that is allotted as global unicast
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052; the last 32 bits are the IPv4 address
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")


@dataclass(frozen=True, slots=True)
class Target:
    """A URL that has been taken apart and rebuilt; `host` is lower case ASCII, IPv6 without brackets."""

    url: str
    scheme: str
    host: str
    port: int


def parse_url(url: str) -> Target:
    """The URL taken apart strictly; Rejected `bad_url` for all that is not plainly an http or https URL."""
    if len(url) > _MAX_URL:
        raise Rejected("bad_url", f"longer than {_MAX_URL} characters")
    if _FORBIDDEN.search(url):
        raise Rejected("bad_url", "control characters, white space or backslashes")
    split = _SPLIT.fullmatch(url)
    if split is None:
        raise Rejected("bad_url", "neither http:// nor https://")
    scheme, authority, path, query = split[1].lower(), split[2], split[3], split[4] or ""
    host, port = _parse_authority(authority, _PORTS[scheme])
    try:
        rest = quote(path or "/", safe=_PATH_SAFE) + quote(query, safe=_PATH_SAFE + "?")
    except UnicodeEncodeError:
        raise Rejected("bad_url", "unpaired surrogates") from None
    shown = f"[{host}]" if ":" in host else host
    at = shown if port == _PORTS[scheme] else f"{shown}:{port}"
    return Target(f"{scheme}://{at}{rest}", scheme, host, port)


def _parse_authority(authority: str, default_port: int) -> tuple[str, int]:
    """`host[:port]` without user information."""
    if "@" in authority:
        raise Rejected("bad_url", "user information before the host")
    found = re.fullmatch(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::(\d{1,5}))?", authority, re.ASCII)
    if found is None:
        raise Rejected("bad_url", "the host or port is malformed")
    port = int(found[2]) if found[2] else default_port
    if not 1 <= port <= 65535:
        raise Rejected("bad_url", f"port {port}")
    return parse_host(found[1]), port


def parse_host(host: str) -> str:
    """A host name, IPv4 address or bracketed IPv6 address in its one plain form; Rejected `bad_url` otherwise."""
    if host.startswith("["):
        try:
            return str(ipaddress.IPv6Address("zone" if "%" in host else host[1:-1]))
        except ValueError:
            raise Rejected("bad_url", "malformed IPv6 address") from None
    try:
        name = host.lower() if host.isascii() else idna.encode(host, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        raise Rejected("bad_url", "the host is no valid international name") from None
    name = name.removesuffix(".")
    labels = name.split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise Rejected("bad_url", "the host is malformed")
    if _NUMBER.fullmatch(labels[-1]):
        # whatever resolver comes later may read it as a number: only the one plain form is an address
        try:
            return str(ipaddress.IPv4Address(name))
        except ValueError:
            raise Rejected("bad_url", "an IPv4 address in another form than a.b.c.d") from None
    return name


def parse_allow_host(entry: str) -> tuple[str, int | None]:
    """`host`, `host:port` or `[IPv6]:port` of the configuration; ValueError says what is wrong."""
    try:
        host, port = _parse_authority(entry, 0) if re.search(r":\d+$", entry) else (parse_host(entry), None)
    except Rejected as why:
        raise ValueError(f"allow_hosts: {entry!r} is no host or host:port ({why.detail}).") from None
    return host, port


def is_allowed(target: Target, allow_hosts: tuple[str, ...]) -> bool:
    """Whether the configuration allows this host (and port) at whatever address it has."""
    return _is_allowed(target.host, target.port, allow_hosts)


@lru_cache(maxsize=4096)
def _is_allowed(host: str, port: int, allow_hosts: tuple[str, ...]) -> bool:
    allowed = [parse_allow_host(entry) for entry in allow_hosts]
    return (host, None) in allowed or (host, port) in allowed


def check_target(target: Target, allow_hosts: tuple[str, ...]) -> None:
    """Rejected `blocked_address` for a host that needs no resolving to be refused."""
    if is_allowed(target, allow_hosts):
        return
    if target.host == "localhost" or target.host.endswith(".localhost"):
        raise Rejected("blocked_address", "localhost")
    try:
        ipaddress.ip_address(target.host)
    except ValueError:
        return
    why = refusal(target.host)
    if why:
        raise Rejected("blocked_address", f"{target.host} is {why}")


@lru_cache(maxsize=65536)
def refusal(address: str) -> str:
    """Why the address must not be connected to; empty if it may be. `address` is in numeric form."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return "no plain address"
    return _refusal_4(ip) if isinstance(ip, ipaddress.IPv4Address) else _refusal_6(ip)


def _refusal_4(ip: ipaddress.IPv4Address) -> str:
    return next((why for network, why in _NETWORKS_4 if ip in network), "")


def _refusal_6(ip: ipaddress.IPv6Address) -> str:
    if ip.scope_id:
        return "in a zone"
    if ip in _MAPPED or ip in _NAT64:
        return _refusal_4(ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF))
    if ip not in _GLOBAL_6:
        return "loopback" if ip.is_loopback else "private" if ip.is_private else "not global unicast"
    return next((why for network, why in _NETWORKS_6 if ip in network), "")
