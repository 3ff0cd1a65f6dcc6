"""The lock files, read: what each package is pinned to."""

from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]


def locked(name: str) -> dict[str, list[Requirement]]:
    """The requirements of a lock file by package; several where they depend on the version of Python."""
    text = (ROOT / name).read_text().replace("\\\n", " ")
    found: dict[str, list[Requirement]] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        requirement = Requirement(line.partition(" --hash")[0])
        found.setdefault(canonicalize_name(requirement.name), []).append(requirement)
    return found


def version(name: str, package: str, python: str = "3.11") -> str | None:
    """The version that a lock file pins a package to on Linux; None where it is not needed with that Python."""
    here = {"python_full_version": f"{python}.9", "python_version": python}
    found = [one for one in locked(name)[package] if one.marker is None or one.marker.evaluate(here)]
    return str(found[0].specifier).removeprefix("==") if found else None
