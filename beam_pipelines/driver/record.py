"""run.json: what a run was made with and what came of it."""

import json
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from apache_beam.io.filesystems import FileSystems

from beam_pipelines import __version__
from beam_pipelines.errors import RunFailed
from transforms.tables.files import commit_file, exists, open_binary

_PACKAGES = (
    "apache-beam",
    "pyarrow",
    "numpy",
    "opencv-python-headless",
    "onnxruntime",
    "faiss-cpu",
    "pycurl",
)


def record_path(run: str) -> str:
    """The path of a run's record."""
    return str(FileSystems.join(run, "run.json"))


def read_record(run: str) -> dict[str, Any]:
    """The record of a run; empty if the folder has none yet. RunFailed if it is not one of ours."""
    path = record_path(run)
    if not exists(path):
        return {}
    with open_binary(path) as file:
        try:
            record = json.loads(file.read())
        except ValueError as error:
            raise RunFailed(
                f"{path}: this is not JSON ({error}); restore the file, or give another --output."
            ) from error
    if not isinstance(record, dict):
        raise RunFailed(f"{path}: this is no record of a run; restore the file, or give another --output.")
    return record


def write_record(run: str, record: dict[str, Any]) -> None:
    """Replace the record, whole or not at all."""
    with commit_file(record_path(run)) as out:
        out.write((json.dumps(record, indent=2, ensure_ascii=False) + "\n").encode())


def versions() -> dict[str, str]:
    """The versions that results may depend on."""
    found = {"manyfaces": __version__, "python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:  # faiss and onnxruntime have a package per profile
            continue
    return found
