"""The address guard of a whole process: no socket of it connects to a refused address, whatever library opens it.

Python tells an audit hook of every connection before it is made, with the numeric address, and of every program
before it is started; a hook cannot be removed. The one library that yt-dlp would connect with past all this cannot be
imported. Names are resolved by one function of the module `socket`, which is wrapped so that hosts that the
configuration allows are told from others at the same address.
"""

import socket
import sys
import threading
from typing import Any

from transforms.fetch.http.guard import is_allowed, parse_url, refusal
from transforms.tables.reasons import Rejected

_UNHEARD = "curl_cffi"  # connects without Python hearing of it; yt-dlp uses it wherever it is installed
_CONNECT = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_PROGRAMS = frozenset({"subprocess.Popen", "os.exec", "os.posix_spawn", "os.system", "os.fork", "os.forkpty"})


class BlockedAddress(PermissionError):
    """The connection was refused by the guard; nothing was sent."""


def guard_process(allow_hosts: tuple[str, ...], programs: frozenset[str] = frozenset()) -> None:
    """From now on this process connects to permitted addresses only and starts none but these programs (paths)."""
    last = _LastResolved()
    resolve = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *more: Any, **named: Any) -> Any:
        found = resolve(host, port, *more, **named)
        last.addresses = (
            frozenset((str(entry[4][0]), int(entry[4][1])) for entry in found)
            if _named(host, port, allow_hosts)
            else frozenset()
        )
        return found

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event in _CONNECT:
            _check_address(args[0].family, args[1], last.addresses, allow_hosts)
        elif event in _PROGRAMS and not (event == "subprocess.Popen" and str(args[0]) in programs):
            raise PermissionError(f"{event} of {str(args[0])[:100] if args else ''} is refused")

    sys.modules[_UNHEARD] = None  # type: ignore[assignment]  # what makes every import of it fail
    socket.getaddrinfo = getaddrinfo
    sys.addaudithook(hook)


class _LastResolved(threading.local):
    """Of each thread: the addresses (text, port) of the host that it resolved last, if that is an allowed one."""

    addresses: frozenset[tuple[str, int]] = frozenset()


def _check_address(family: int, address: Any, resolved: frozenset[tuple[str, int]], allow: tuple[str, ...]) -> None:
    if address is None:  # of a connected socket, which was checked when it connected
        return
    if family not in (socket.AF_INET, socket.AF_INET6) or not isinstance(address, tuple):
        raise BlockedAddress("no IP address")
    host, port = address[0], address[1]
    if (host, port) in resolved or _named(host, port, allow):
        return
    why = refusal(str(host))
    if why:
        raise BlockedAddress(f"{host} is {why}")


def _named(host: Any, port: Any, allow_hosts: tuple[str, ...]) -> bool:
    """Whether the configuration names this host and port."""
    if not allow_hosts:
        return False
    text = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
    try:
        return is_allowed(parse_url(f"http://{f'[{text}]' if ':' in text else text}:{port}/"), allow_hosts)
    except Rejected:
        return False
