"""Beam's job server for Flink, and the Flink that it is for, from package registries.

Beam publishes the server as one jar to Maven Central. Where a mirror does not have that of the locked Beam, the newest
Flink runner that it has is put together from its own jars: a few Beam versions apart, which the portable protocol
bears.
"""

import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.engines.fetch import Unavailable, ask, engines, fetch, from_maven, from_pypi, maven

OPENS = tuple(  # what Flink reaches into, and Java 17 keeps shut
    f"java.base/{name}"
    for name in (
        "java.lang", "java.net", "java.io", "java.nio", "java.text", "java.time", "java.util", "java.util.concurrent",
        "java.util.concurrent.atomic", "sun.nio.ch",
    )
)  # fmt: skip
MAIN = "org.apache.beam.runners.flink.FlinkJobServerDriver"


@dataclass(frozen=True, slots=True)
class Release:
    """A Flink on PyPI and the Beam runner for it on Maven Central."""

    flink: str
    sha256: str  # of PyPI's file
    binary: bool  # PyPI has a wheel of it
    runner: str  # group:artifact:version
    job_server: Callable[[str], Path]


def published(coordinates: str) -> Path:
    """The job server as Beam publishes it; Maven compares it with the repository's own checksum. Raises Unavailable."""
    _, artifact, version = coordinates.split(":")
    return fetch(f"{artifact}-{version}.jar", None, from_maven(coordinates))


def assembled(coordinates: str) -> Path:
    """A jar that names the runner's own jar and all that it needs, each checked by Maven. Raises Unavailable."""
    _, artifact, version = coordinates.split(":")
    folder = engines() / f"{artifact}-{version}"
    if not folder.exists():
        with TemporaryDirectory(dir=engines()) as scratch:
            _copy_dependencies(Path(scratch), coordinates)
            with suppress(OSError):  # another process was faster
                (Path(scratch) / "jars").rename(folder)
    jar = engines() / f"{artifact}-{version}-job-server.jar"
    entries = {
        "Manifest-Version": "1.0",
        "Main-Class": MAIN,
        "Add-Opens": " ".join(OPENS),
        "Class-Path": " ".join(path.as_uri() for path in sorted(folder.glob("*.jar"))),
    }
    with zipfile.ZipFile(jar, "w") as archive:
        archive.writestr("META-INF/MANIFEST.MF", "".join(map(_folded, entries, entries.values())) + "\r\n")
    return jar


def _copy_dependencies(folder: Path, coordinates: str) -> None:
    group, artifact, version = coordinates.split(":")
    wanted = f"<groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>{version}</version>"
    (folder / "pom.xml").write_text(
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>manyfaces</groupId><artifactId>job-server</artifactId><version>1</version>"
        f"<dependencies><dependency>{wanted}</dependency></dependencies></project>"
    )
    options = ["--file", str(folder / "pom.xml"), "dependency:copy-dependencies"]
    ask([*maven(coordinates), *options, f"-DoutputDirectory={folder / 'jars'}"], f"Maven Central's {coordinates}")


def _folded(key: str, value: str) -> str:
    """A line of a manifest, folded: a line of the format has at most 72 bytes."""
    line = f"{key}: {value}"
    return "".join(f"{' ' if at else ''}{line[at : at + 70]}\r\n" for at in range(0, len(line), 70))


RELEASES = (
    Release(
        "2.2.1",
        "74dc5546fbd9add8fbcdf1222a237e09491f9b80296241aef8676ec56f8e686e",
        True,
        "org.apache.beam:beam-runners-flink-2.2-job-server:2.77.0",
        published,
    ),
    Release(
        "1.19.3",
        "4a58e3a1fb7d83340bc96b6c080624c6d792d69fae5d294b96224775204a9c60",
        False,
        "org.apache.beam:beam-runners-flink-1.19:2.62.0",
        assembled,
    ),
)


@cache
def job_server() -> tuple[Release, Path]:
    """The first release whose job server can be had, and that job server. Raises Unavailable."""
    reasons = []
    for release in RELEASES:
        try:
            return release, release.job_server(release.runner)
        except Unavailable as why:
            reasons.append(str(why))
    raise Unavailable(" ".join(reasons))


def flink_package(release: Release) -> Path:
    """PyPI's archive of Flink's jars. Raises Unavailable."""
    how = from_pypi(f"apache-flink-libraries=={release.flink}", binary=release.binary)
    return fetch(f"flink-{release.flink}.{'whl' if release.binary else 'tar.gz'}", release.sha256, how)
