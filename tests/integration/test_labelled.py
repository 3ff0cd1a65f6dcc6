"""Identities against labelled photographs of several people, if there are some on this machine."""

import os
from pathlib import Path

import pytest

from benchmarks.identities import evaluate_labelled

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif("MANYFACES_TEST_DATA" not in os.environ, reason="MANYFACES_TEST_DATA names no labelled data"),
]


def test_identities_agree_with_the_labels(tmp_path):
    found = evaluate_labelled(Path(os.environ["MANYFACES_TEST_DATA"]), tmp_path, [])
    assert found.counts.with_face > 0.9 * found.counts.in_run
    assert found.counts.not_in_run == found.counts.ambiguous == 0
    assert found.before.agreement.pairwise.precision > 0.95
    assert found.before.agreement.pairwise.f1 > 0.85
