"""A run is judged before and after cleaning, and by the faces that were kept."""

import numpy as np
import pyarrow as pa

from transforms.evaluation.agreement import PrecisionRecall
from transforms.evaluation.evaluation import judge
from transforms.evaluation.labelled_faces import Counts, LabelledFaces


def counts(**given):
    names = Counts.__dataclass_fields__
    return Counts(**(dict.fromkeys(names, 0) | given))


def test_no_faces():
    empty = np.zeros(0, np.int64)
    found = judge(LabelledFaces(pa.array([]), empty, pa.array([]), empty, empty, counts()))
    assert (found.before.faces, found.after.identities, found.kept.coverage, found.mistakes) == (0, 0, 0, ())


def test_before_after_and_kept():
    """Two clusters, one mixed, which cleaning drops but for one face of each person."""
    person = np.array([0, 0, 0, 1, 1, 2])
    cluster = np.array([4, 4, 4, 4, 5, -1])
    identity = np.array([0, 0, -1, -1, 1, -1])
    given = counts(with_face=6, without_face=2, covered_before=5, covered_after=3)
    found = judge(LabelledFaces(pa.array(list("abcdef")), person, pa.array(["x", "y", "z"]), cluster, identity, given))
    assert (found.before.faces, found.before.people, found.before.identities, found.before.coverage) == (6, 3, 2, 5 / 8)
    assert found.before.agreement.pairwise == PrecisionRecall(3 / 6, 3 / 4)
    assert (found.after.faces, found.after.people, found.after.identities, found.after.coverage) == (6, 3, 2, 3 / 8)
    assert found.after.agreement.pairwise == PrecisionRecall(1, 1 / 4)
    assert (found.kept.faces, found.kept.people, found.kept.identities) == (3, 2, 2)
    assert found.kept.agreement.pairwise == PrecisionRecall(1, 1)
    # five faces are of people with several: all are in a cluster, three in an identity
    several = [one.coverage_of_several for one in (found.before, found.after, found.kept)]
    assert several == [1, 3 / 5, 3 / 5]
    assert [(one.kind, one.group) for one in found.mistakes] == [("lost", 2)]
