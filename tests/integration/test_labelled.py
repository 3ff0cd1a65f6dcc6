"""Identities against labelled photographs of several people, if there are some on this machine."""

import os
from pathlib import Path

import pytest

from benchmarks.identities import agreement, labelled_faces, run_labelled

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif("MANYFACES_TEST_DATA" not in os.environ, reason="MANYFACES_TEST_DATA names no labelled data"),
]


def test_identities_agree_with_the_labels(tmp_path):
    run, labels = run_labelled(Path(os.environ["MANYFACES_TEST_DATA"]), tmp_path)
    faces = labelled_faces(run, labels)
    assert len(faces) > 0.9 * len(labels)
    clusters = agreement(run, faces, "cluster").pairwise
    assert clusters.precision > 0.95
    assert clusters.f1 > 0.85
