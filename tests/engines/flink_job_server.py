"""Beam's job server for Flink, and the Flink that it is for, from package registries.

Beam publishes the server as one jar to Maven Central. Where a mirror does not have that of the locked Beam, the newest
Flink runner that it has is put together from its own jars: a few Beam versions apart, which the portable protocol
bears.
"""

import hashlib
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from model_handlers.weights.cache import sha256_of
from tests.engines.fetch import MAVEN_COPY, Unavailable, ask, engines, fetch, from_maven, from_pypi, maven

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
    digest: str | None  # of the job server, or of all its jars; None: no hash of it is known, Maven's own check must do
    job_server: Callable[["Release"], Path]


def published(release: Release) -> Path:
    """The job server as Beam publishes it. Raises Unavailable."""
    _, artifact, version = release.runner.split(":")
    return fetch(f"{artifact}-{version}.jar", release.digest, from_maven(release.runner))


def assembled(release: Release) -> Path:
    """A jar that names the runner's own jar and all that it needs. Raises Unavailable."""
    _, artifact, version = release.runner.split(":")
    folder = _folder(release)
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=engines()) as scratch:
            _copy_dependencies(Path(scratch), release.runner)
            with suppress(OSError):  # another process was faster
                (Path(scratch) / "jars").rename(folder)
    if (found := _digest(folder)) != release.digest:
        raise Unavailable(f"{folder} has the digest {found} instead of {release.digest}; delete it to fetch it anew.")
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


def _folder(release: Release) -> Path:
    """Where the jars of an assembled job server lie.

    Beam sends what is on the job server's class path to the cluster with each job, 150 MB in 15 s, unless the path has
    `gradle/wrapper` in it. These jars are on the class path of the tests' cluster instead.
    """
    _, artifact, version = release.runner.split(":")
    return engines() / f"{artifact}-{version}" / "gradle" / "wrapper"


def on_the_cluster(release: Release) -> list[Path]:
    """The jars that a cluster must have on its class path, since the job server does not send them."""
    return sorted(jar for jar in _folder(release).glob("*.jar") if not jar.name.startswith(("flink-", "slf4j-")))


def _digest(folder: Path) -> str:
    """The SHA-256 of the names and hashes of all jars."""
    lines = [f"{path.name} {sha256_of(path)}\n" for path in sorted(folder.glob("*.jar"))]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _copy_dependencies(folder: Path, coordinates: str) -> None:
    group, artifact, version = coordinates.split(":")
    wanted = f"<groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>{version}</version>"
    (folder / "pom.xml").write_text(
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>manyfaces</groupId><artifactId>job-server</artifactId><version>1</version>"
        f"<dependencies><dependency>{wanted}</dependency></dependencies></project>"
    )
    options = ["--file", str(folder / "pom.xml"), f"{MAVEN_COPY}:copy-dependencies"]
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
        None,
        published,
    ),
    Release(
        "1.19.3",
        "4a58e3a1fb7d83340bc96b6c080624c6d792d69fae5d294b96224775204a9c60",
        False,
        "org.apache.beam:beam-runners-flink-1.19:2.62.0",
        "1d3dafed98a9fa242d8d15d6e73b16242f884711011ee989c750ceac190265e8",
        assembled,
    ),
)


@cache
def job_server() -> tuple[Release, Path]:
    """The first release whose job server can be had, and that job server. Raises Unavailable."""
    reasons = []
    for release in RELEASES:
        try:
            return release, release.job_server(release)
        except Unavailable as why:
            reasons.append(str(why))
    raise Unavailable(" ".join(reasons))


def flink_package(release: Release) -> Path:
    """PyPI's archive of Flink's jars. Raises Unavailable."""
    how = from_pypi(f"apache-flink-libraries=={release.flink}", release.sha256, release.binary)
    return fetch(f"flink-{release.flink}.{'whl' if release.binary else 'tar.gz'}", release.sha256, how)
