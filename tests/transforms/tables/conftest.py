"""Tables are tested on one more storage than what is built on them."""

import pytest

from tests.storages import S3, STORAGES, folder_on


@pytest.fixture(params=[*STORAGES, S3])
def folder(request, tmp_path) -> str:
    return folder_on(request.param, request, tmp_path)
