"""Fixtures that tests of several packages share."""

import pytest
from hypothesis import settings

from tests.engines.gcs_emulator import gcs_emulator
from tests.object_store import new_folder

settings.register_profile("manyfaces", deadline=None)  # machines are shared; pytest has a time limit of its own
settings.load_profile("manyfaces")


@pytest.fixture(scope="module")
def gcs():
    """A storage emulator, which `gs://` means for the tests of a module."""
    with gcs_emulator() as emulator:
        yield emulator


@pytest.fixture(params=["local", "object store", pytest.param("gcs", marks=pytest.mark.gcs)])
def folder(request, tmp_path) -> str:
    """A folder for a run on each kind of storage: with folders and renames, with objects only, and Google's client."""
    if request.param == "gcs":
        return request.getfixturevalue("gcs").folder()
    return str(tmp_path / "run") if request.param == "local" else new_folder()
