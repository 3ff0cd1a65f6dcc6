"""Prism, Beam's local portable runner, built from its Go module."""

import os
import shutil
from pathlib import Path

from tests.engines.fetch import Unavailable, ask, fetch

MODULE = "github.com/apache/beam/sdks/v2/go/cmd/prism@v2.77.0"
_QUICKLY = ["-gcflags=all=-N -l -dwarf=false", "-ldflags=-s -w"]  # built in two thirds of the time, and fast enough


def prism() -> Path:
    """The program, built once and kept; Go checks the module against its checksum database. Raises Unavailable."""
    return fetch(f"prism-{MODULE.rpartition('@v')[2]}", None, _build)


def _build(folder: Path) -> Path:
    if shutil.which("go") is None:
        raise Unavailable("Prism cannot be built: there is no Go (go) on the PATH.")
    ask(
        ["go", "install", *_QUICKLY, MODULE], f"Go's {MODULE}", {**os.environ, "GOBIN": str(folder), "CGO_ENABLED": "0"}
    )
    return folder / "prism"


def arguments() -> list[str]:
    """Beam's options for a job on it."""
    return ["--runner=PrismRunner", f"--prism_location={prism()}"]
