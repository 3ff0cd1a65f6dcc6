"""Fixtures for the tests that fetch videos."""

import pytest

from tests.fetched_videos import small_videos


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """Small videos of every kind, by name."""
    return small_videos(tmp_path_factory.mktemp("videos"))
