"""Which faces are poor, with and without the table that measures them."""

import numpy as np
import pyarrow as pa
import pytest

from transforms.identity.evidence_settings import PoorFaceSettings
from transforms.identity.poor_faces import Measured, measured, poor
from transforms.tables.shards import shard_path, write_shard

FOUND = Measured(
    sharpness=np.array([50, 10, np.nan], np.float32),
    yaw=np.array([-60, 0, np.nan], np.float32),
    pitch=np.array([0, 40, np.nan], np.float32),
)


@pytest.mark.parametrize(
    ("limits", "found", "expected"),
    [
        ({}, FOUND, [False, False, False]),
        ({"min_px": 60}, FOUND, [True, False, False]),
        ({"min_score": 0.6}, FOUND, [False, True, False]),
        ({"min_norm": 5}, FOUND, [False, False, True]),
        ({"min_sharpness": 20}, FOUND, [False, True, False]),
        ({"max_yaw": 45}, FOUND, [True, False, False]),
        ({"max_pitch": 30, "max_yaw": 45}, FOUND, [True, True, False]),
        ({"max_pitch": 30, "min_sharpness": 20}, Measured(), [False, False, False]),
    ],
)
def test_poor_faces(limits, found, expected):
    px, score, norm = (np.array(values, np.float32) for values in ([59, 60, 200], [0.9, 0.5, 0.9], [9, 9, 4]))
    assert poor(px, score, norm, found, PoorFaceSettings(**limits)).tolist() == expected


def test_measures_are_found_by_face_id_whatever_columns_there_are(tmp_path):
    run = str(tmp_path)
    assert measured(run, pa.array(["a"], pa.large_string())).box is None
    boxes = pa.array([[1, 2, 3, 4], [5, 6, 7, 8]], pa.list_(pa.float32(), 4))
    for name, face in (("00000", ["c", "a"]), ("00001", ["x", "y"])):
        write_shard(shard_path(run, "faces", name), pa.table({"face_id": face, "box": boxes, "crop": [b"", b""]}))
    found = measured(run, pa.array(["a", "b", "c"], pa.large_string()))
    assert found.sharpness is None
    assert found.box[[0, 2]].tolist() == [[5, 6, 7, 8], [1, 2, 3, 4]]
    assert np.isnan(found.box[1]).all()
