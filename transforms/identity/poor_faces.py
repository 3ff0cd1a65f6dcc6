"""Which faces are poor: small, blurred, turned, of a low score or norm."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from transforms.identity.evidence_settings import PoorFaceSettings
from transforms.identity.knn import F32
from transforms.tables.lookup import rows_of
from transforms.tables.shards import column_names, iter_tables

F64 = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
_OF_FRAMES = ("number", "time", "shot")  # whole numbers among them: float32 would round them


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """What the table faces says of N faces: box (N,4) pixels, the others (N,) as there; None: no such column.

    number, time and shot: of the frame of a video.
    """

    box: F32 | None = None
    sharpness: F32 | None = None
    yaw: F32 | None = None
    pitch: F32 | None = None
    number: F64 | None = None
    time: F64 | None = None
    shot: F64 | None = None


def measured(run: str, face_id: pa.Array) -> Measured:
    """What the table faces says of the faces (N,); NaN for those that it lacks. No picture is read."""
    found: dict[str, npt.NDArray[Any]] = {}
    there = column_names(run, "faces")
    kinds = {field.name: np.float64 if field.name in _OF_FRAMES else np.float32 for field in fields(Measured)}
    parts = iter_tables(run, "faces", ["face_id", *(field.name for field in fields(Measured) if field.name in there)])
    for place, rows in rows_of(face_id, parts, "face_id"):
        for name in set(rows.column_names) - {"face_id"}:
            values = rows[name].combine_chunks()
            shape = (-1, 4) if name == "box" else (-1,)
            values = (values.flatten() if name == "box" else values).to_numpy(zero_copy_only=False).reshape(shape)
            whole = found.setdefault(name, np.full((len(face_id), *shape[1:]), np.nan, kinds[name]))
            whole[place] = values
    return Measured(**found)


def poor(px: F32, score: F32, norm: F32, found: Measured, settings: PoorFaceSettings) -> Mask:
    """Whether each face (N,) misses one of the limits; what is not known misses none.

    px (N,): shorter side, pixels; score (N,) of the detector; norm (N,) of the vector.
    """
    is_poor = (px < np.float32(settings.min_px)) | (score < np.float32(settings.min_score))
    is_poor |= norm < np.float32(settings.min_norm)
    if found.sharpness is not None:
        is_poor |= found.sharpness < np.float32(settings.min_sharpness)
    for angle, most in ((found.yaw, settings.max_yaw), (found.pitch, settings.max_pitch)):
        if angle is not None:
            is_poor |= np.abs(angle) > np.float32(most)
    return is_poor
