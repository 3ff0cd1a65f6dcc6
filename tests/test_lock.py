"""The lock files are complete, and whatever installs from them resolves nothing."""

import re
import shlex
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from tests.locks import ROOT, locked

UV = Path(sys.executable).with_name("uv")
LOCKS = ("requirements.lock", "requirements-cpu.lock", "requirements-frameworks.lock", "requirements-gpu.lock")


def needed(name: str, extra: str = "", seen: set[tuple[str, str]] | None = None) -> list[Requirement]:
    """All that an installed package needs here, for one of its extras or without, and all that those need in turn."""
    seen = set() if seen is None else seen
    if (name, extra) in seen:
        return []
    seen.add((name, extra))
    direct = map(Requirement, distribution(name).requires or ())
    here = [one for one in direct if one.marker is None or one.marker.evaluate({"extra": extra})]
    below = [found for one in here for wanted in ("", *one.extras) for found in needed(one.name, wanted, seen)]
    return here + below


@pytest.mark.parametrize(
    ("lock", "extras"), [("requirements.lock", ["dev"]), ("requirements-cpu.lock", ["cpu", "gcp", "video"])]
)
def test_every_package_that_is_needed_is_locked_extras_too(lock, extras):
    seen: set[tuple[str, str]] = set()
    requirements = [one for extra in ("", *extras) for one in needed("manyfaces", extra, seen)]
    assert len(requirements) > 100
    assert any(one.name == "google-auth" and one.extras for one in requirements)  # what is asked of extras is among it
    pins = {
        name: found
        for name, lines in locked(lock).items()
        for found in lines
        if found.marker is None or found.marker.evaluate()
    }
    for one in requirements:
        (pin,) = pins[canonicalize_name(one.name)].specifier
        assert one.specifier.contains(pin.version, prereleases=True), one


def test_the_environment_of_make_is_the_lock_and_nothing_else():
    command = ["pip", "sync", "--offline", "--dry-run", "--require-hashes", "--python", sys.executable]
    done = subprocess.run([UV, *command, "requirements.lock"], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    changes = [line for line in done.stderr.splitlines() if re.match(r" [+~-] ", line)]
    assert [line for line in changes if "manyfaces" not in line] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_every_line_of_a_lock_has_one_version_and_hashes(lock):
    text = (ROOT / lock).read_text()
    for requirement in re.split(r"\n(?=\S)", text.strip()):
        assert re.match(r"\S+==\S+ ", requirement), requirement
        assert "--hash=sha256:" in requirement


@pytest.mark.parametrize("python", ["3.10", "3.11", "3.12", "3.13", "3.14"])
@pytest.mark.parametrize("lock", LOCKS[:3])
def test_a_version_of_python_gets_one_version_of_each_package(lock, python):
    needs = re.search(r'python_requires="(.+)"', (ROOT / "setup.py").read_text())[1]
    assert f"{python}.0" in SpecifierSet(needs)
    here = {"python_full_version": f"{python}.1", "python_version": python}
    for lines in locked(lock).values():
        assert sum(one.marker is None or one.marker.evaluate(here) for one in lines) <= 1, lines


def commands() -> list[tuple[str, list[str]]]:
    """The words behind each `pip install` or `pip sync` that the Makefile, the Dockerfile and docs/flink.md give."""
    made = subprocess.run(
        ["make", "--dry-run", "--always-make", ".venv-frameworks/.ready"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    texts = {"Makefile": made.stdout}
    texts |= {name: (ROOT / name).read_text() for name in ("Dockerfile", "docs/flink.md")}
    return [
        (f"{name}: {found[0]}", shlex.split(found[1]))
        for name, text in texts.items()
        for found in re.finditer(r"pip (?:install|sync) ([^&\n]+)", text)
    ]


@pytest.mark.parametrize("words", [words for _, words in commands()], ids=[name for name, _ in commands()])
def test_nothing_is_resolved_when_a_lock_is_installed(words):
    if words[-1].startswith("uv=="):  # the installer itself, which needs nothing
        return
    assert "--require-hashes" in words or "--no-deps" in words
    assert words[-1] in (*LOCKS, ".", ".venv/uv.lock")
    # what has to be built is built with the locked tools
    assert "--build-constraints" in words or "--no-build-isolation" in words or words[-1] == ".venv/uv.lock"
