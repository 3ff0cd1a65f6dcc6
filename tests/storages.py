"""The kinds of storage that tests run on, and a folder of each."""

import pytest

from tests.object_store import new_folder

STORAGES = ("local", "object store", pytest.param("gcs", marks=pytest.mark.gcs))
S3 = pytest.param("s3", marks=[pytest.mark.s3, pytest.mark.xdist_group("s3")])  # where the storage itself is tested


def folder_on(storage, request, tmp_path) -> str:
    """A new folder: with folders and renames, with objects only, or by the real clients."""
    if storage in ("gcs", "s3"):
        return request.getfixturevalue(storage).folder()
    return str(tmp_path / "run") if storage == "local" else new_folder()
