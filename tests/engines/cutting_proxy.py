"""A TCP proxy on 127.0.0.1 that cuts connections in the middle, as failing networks do."""

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

_BLOCK = 65_536


@dataclass(slots=True)
class CuttingProxy:
    """The proxy's port, and the cuts still to come: (bytes from the client?, after so many of a connection)."""

    port: int
    cuts: list[tuple[bool, int]] = field(default_factory=list)
    made: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def due(self, from_client: bool, count: int) -> bool:
        """Whether the next cut is now, since `count` bytes of a connection came from this side; it is then made."""
        with self._lock:
            if self.cuts and self.cuts[0][0] == from_client and count > self.cuts[0][1]:
                self.cuts.pop(0)
                self.made += 1
                return True
            return False


def _carry(proxy: CuttingProxy, client: socket.socket, target: int) -> None:
    """Pass bytes both ways until one side closes or a cut is due."""
    with client, socket.create_connection(("127.0.0.1", target)) as server, selectors.DefaultSelector() as ready:
        counts = {client: 0, server: 0}
        for side in counts:
            ready.register(side, selectors.EVENT_READ)
        while True:
            for key, _ in ready.select():
                side = key.fileobj
                block = side.recv(_BLOCK)
                if not block:
                    return
                counts[side] += len(block)
                if proxy.due(side is client, counts[side]):
                    return
                (server if side is client else client).sendall(block)


@contextmanager
def cutting_proxy(target: int) -> Iterator[CuttingProxy]:
    """A proxy to a port of 127.0.0.1."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = CuttingProxy(listener.getsockname()[1])

        def carry(client: socket.socket) -> None:
            with suppress(OSError):
                _carry(proxy, client, target)

        def accept() -> None:
            with suppress(OSError):  # the listener is closed
                while True:
                    threading.Thread(target=carry, args=(listener.accept()[0],), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield proxy
        listener.shutdown(socket.SHUT_RDWR)
