"""Fixtures that tests of several packages share."""

import pytest
from hypothesis import settings

from tests.object_store import new_folder

settings.register_profile("manyfaces", deadline=None)  # machines are shared; pytest has a time limit of its own
settings.load_profile("manyfaces")


@pytest.fixture(params=["local", "object store"])
def folder(request, tmp_path) -> str:
    """A folder for a run on each kind of file system: one with folders and renames, and one with objects only."""
    return str(tmp_path / "run") if request.param == "local" else new_folder()
