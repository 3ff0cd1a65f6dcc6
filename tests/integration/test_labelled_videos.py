"""Persons of face_generation against labelled videos of several people, if there are some on this machine."""

import os
from pathlib import Path

import pytest

from benchmarks.persons import VIDEOS, agreement, labelled_videos
from transforms.tables.ledger import tally

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif("MANYFACES_TEST_DATA" not in os.environ, reason="MANYFACES_TEST_DATA names no labelled data"),
]


def test_persons_agree_with_the_labels(tmp_path):
    films = labelled_videos(Path(os.environ["MANYFACES_TEST_DATA"]))
    _, found = agreement(films, [*VIDEOS, "selection.temporal=3"], tmp_path)
    assert tally(str(tmp_path / "run"), "download").by_reason == {"kept": len(films)}
    assert found.pairwise.precision > 0.9
    assert found.pairwise.recall > 0.9
