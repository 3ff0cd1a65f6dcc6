"""A headless Chromium for tests of pages, out of the npm package @sparticuz/chromium, driven by its own protocol.

```python
with chromium() as page:  # or the fixture `page` of tests/conftest.py, which skips with a reason
    page.open(path.as_uri())
    assert page.evaluate("document.title") == "a run"
    assert page.complaints() == []
```

Names of hosts lead nowhere in it: only 127.0.0.1 and files can be asked.
"""

import base64
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import brotli
from websockets.sync.client import ClientConnection, connect

from model_handlers.weights.cache import sha256_of
from model_handlers.weights.sources import npm_client
from tests.engines.fetch import Unavailable, ask, fetch

PACKAGE = "@sparticuz/chromium@153.0.0"
_SHA256 = "20e5656fcdcf4118ede85edfb9d6bb9cc1bbb7ffb8b75622fffbcf36a835c3c0"
_SECONDS = 30  # to start, and for an answer
_OPTIONS = [
    "--headless",
    "--no-sandbox",  # which root cannot have; it opens our own pages only
    "--no-zygote",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--no-first-run",
    "--hide-scrollbars",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--remote-debugging-port=0",
]
_KEYS = {"Tab": 9, "Enter": 13, "Escape": 27, "Space": 32, "ArrowDown": 40, "ArrowUp": 38}  # Windows' numbers of them


def program() -> Path:
    """The browser's program, unpacked once and kept. Raises Unavailable."""
    if sys.platform != "linux" or os.uname().machine != "x86_64":
        raise Unavailable("the package of Chromium is for Linux on x86-64.")
    return fetch(f"chromium-{PACKAGE.rpartition('@')[2]}", None, _unpack) / "chromium"


def _unpack(folder: Path) -> Path:
    client = npm_client()
    if client is None:
        raise Unavailable("Chromium cannot be fetched: there is no npm.")
    ask([*client, "pack", "--ignore-scripts", f"--pack-destination={folder}", PACKAGE], f"npm's {PACKAGE}")
    (packed,) = folder.glob("*.tgz")
    if (found := sha256_of(packed)) != _SHA256:
        raise Unavailable(f"{PACKAGE} has the sha256 {found} instead of {_SHA256}.")
    unpacked = folder / "unpacked"
    unpacked.mkdir()
    with tarfile.open(packed) as package:
        (unpacked / "chromium").write_bytes(_member(package, "chromium.br"))
        (unpacked / "chromium").chmod(0o755)
        with tarfile.open(fileobj=io.BytesIO(_member(package, "al2023.tar.br"))) as libraries:
            libraries.extractall(unpacked, filter="data")
    return unpacked


def _member(package: tarfile.TarFile, name: str) -> bytes:
    file = package.extractfile(f"package/bin/{name}")
    assert file is not None, name
    return brotli.decompress(file.read())


@dataclass(slots=True)
class Page:
    """A tab: what it is told to do, and all that it has reported since it was opened."""

    socket: ClientConnection
    session: str | None = None
    events: list[dict[str, Any]] = field(default_factory=list)
    calls: int = 0

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The answer to a command of the DevTools protocol."""
        self.calls += 1
        message = {"id": self.calls, "method": method, "params": parameters}
        self.socket.send(json.dumps(message | ({"sessionId": self.session} if self.session else {})))
        while (answer := json.loads(self.socket.recv(timeout=_SECONDS))).get("id") != self.calls:
            self.events.append(answer)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def open(self, url: str) -> None:
        """Load a page, and wait until it and all that it needs is there; what was reported before is forgotten."""
        self.events.clear()
        self.call("Page.navigate", url=url)
        self.wait("Page.loadEventFired")

    def wait(self, event: str) -> None:
        """Until this event has been reported."""
        while not any(one["method"] == event for one in self.events):
            self.events.append(json.loads(self.socket.recv(timeout=_SECONDS)))

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page; a promise is waited for."""
        done = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in done:
            raise RuntimeError(done["exceptionDetails"]["exception"].get("description", expression))
        return done["result"].get("value")

    def press(self, key: str) -> None:
        """Press and release a key: Tab, Enter, Escape, Space, ArrowDown, ArrowUp or a letter."""
        number = _KEYS.get(key, ord(key[0].upper()))
        text = {"Enter": "\r", "Space": " "}.get(key, key if len(key) == 1 else "")
        named = " " if key == "Space" else key
        self.call("Input.dispatchKeyEvent", type="keyDown", key=named, windowsVirtualKeyCode=number, text=text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=named, windowsVirtualKeyCode=number)

    def scheme(self, name: str) -> None:
        """Ask for the page's `light` or `dark` colours."""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def size(self, width: int, height: int) -> None:
        """The size of the window, in CSS pixels."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def screenshot(self, kind: str = "png") -> bytes:
        """What the window shows, as `png` or `jpeg`."""
        return base64.b64decode(self.call("Page.captureScreenshot", format=kind)["data"])

    def requests(self) -> list[str]:
        """The addresses that were asked for since the page was opened, `data:` too."""
        self.evaluate("0")  # what was reported until now comes before its answer
        sent = (one["params"] for one in self.events if one["method"] == "Network.requestWillBeSent")
        return [one["request"]["url"] for one in sent]

    def complaints(self) -> list[str]:
        """What the browser's console has of errors and warnings: failed requests, broken policies, exceptions."""
        self.evaluate("0")
        return [told for one in self.events if (told := _complaint(one["method"], one["params"]))]


def _complaint(method: str, told: dict[str, Any]) -> str:
    if method == "Log.entryAdded" and told["entry"]["level"] in ("error", "warning"):
        return str(told["entry"]["text"])
    if method == "Runtime.consoleAPICalled" and told["type"] in ("error", "warning", "assert"):
        return " ".join(str(one.get("value", one.get("description"))) for one in told["args"])
    if method == "Runtime.exceptionThrown":
        return str(told["exceptionDetails"]["exception"].get("description", told["exceptionDetails"]["text"]))
    return ""


@contextmanager
def chromium() -> Iterator[Page]:
    """A running browser with one tab. Raises Unavailable."""
    command = [str(program()), *_OPTIONS]
    libraries = {**os.environ, "LD_LIBRARY_PATH": str(Path(command[0]).parent / "lib")}
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as profile:
        log = Path(profile) / "chromium.log"
        with log.open("wb") as out:
            process = subprocess.Popen([*command, f"--user-data-dir={profile}"], stderr=out, stdout=out, env=libraries)
        try:
            address = _address(process, Path(profile), log)
            with connect(address, max_size=None, compression=None, ping_interval=None) as socket:
                yield _tab(Page(socket))
        finally:
            process.terminate()
            process.wait(_SECONDS)


def _address(process: subprocess.Popen[bytes], profile: Path, log: Path) -> str:
    written = profile / "DevToolsActivePort"
    deadline = time.monotonic() + _SECONDS
    while not (written.exists() and written.read_text().count("\n")):
        if process.poll() is not None or time.monotonic() > deadline:
            raise Unavailable(f"Chromium did not start: {log.read_text(errors='replace')[-300:]}")
        time.sleep(0.02)
    port, path = written.read_text().split()
    return f"ws://127.0.0.1:{port}{path}"


def _tab(page: Page) -> Page:
    target = page.call("Target.createTarget", url="about:blank")["targetId"]
    page.session = page.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    for domain in ("Page", "Runtime", "Network", "Log"):
        page.call(f"{domain}.enable")
    page.size(1280, 900)
    return page
