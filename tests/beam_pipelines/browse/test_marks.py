"""What marks mean for identities, on planted people."""

import numpy as np
import pyarrow as pa
import pytest

from beam_pipelines.browse.marks import dropped, identity_dropped, other_people, other_person, same_person
from transforms.identity.cleaning import FaceColumns
from transforms.identity.evidence import no_evidence
from transforms.identity.finding import Known, cluster_and_clean
from transforms.identity.knn import edges_of, unit
from transforms.identity.overrides import resolve
from transforms.identity.settings import IdentitySettings

DEGREES = np.radians([0, 3, 6, 40, 43, 46, 150, 153])  # two people whom a link of 50 degrees takes for one, and a third
NAMES = pa.array([f"f{number}" for number in range(len(DEGREES))], pa.large_string())
LINK = float(np.cos(np.radians(50)))
SETTINGS = IdentitySettings.model_validate(
    {
        "clusters": {"link_similarity": LINK},
        "edges": {"min_similarity": LINK},
        "cleaning": {f"{rule}_similarity": 1 for rule in ("merge", "ambiguous", "leakage", "duplicate")},
    }
)


def identities(lines):
    """The identity of each face after these marks."""
    rows, by_hand = len(NAMES), resolve("marks.csv", lines, NAMES, NAMES)
    vectors = np.stack([np.cos(DEGREES), np.sin(DEGREES)], axis=1).astype(np.float16)
    first, second = np.triu_indices(rows, 1)
    similarity = (unit(vectors)[first] * unit(vectors)[second]).sum(axis=1)
    edges = edges_of(first, second, similarity).where(similarity >= LINK)
    known = Known(no_evidence(rows, by_hand.apart[:, 0], by_hand.apart[:, 1]), np.zeros(rows, bool), by_hand)
    one = np.ones(rows, np.float32)
    faces = FaceColumns(vectors, np.zeros(rows, np.int64), np.arange(rows), one, 120 * one)
    return cluster_and_clean(faces, edges, SETTINGS, known)[0].identity.tolist()


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], [0, 0, 0, 0, 0, 0, 1, 1]),
        (other_person(["f5"], "f1"), [0, 0, 0, 1, 1, 1, 2, 2]),  # who was not ticked follows who was
        (other_person(["f3", "f5"], "f1"), [0, 0, 0, 1, 1, 1, 2, 2]),
        (other_people(["f3", "f4", "f5"], "f1"), [0, 0, 0, 1, 1, 1, 2, 2]),
        (same_person("f0", "f6"), [0] * 8),
        (dropped(["f1"]), [0, -1, 0, 0, 0, 0, 1, 1]),
        (identity_dropped("f1"), [-1] * 6 + [0, 0]),
    ],
)
def test_marks_split_join_and_drop(lines, expected):
    assert identities(lines) == expected
