"""The table `bundle/keypoints`: the geometry of every bundled body, a shard beside each bundle file."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from transforms.tables.schemas import F32, POINT2, POINT3, arrow_schema, column

KEYPOINTS = "bundle/keypoints"
GEOMETRY = np.dtype(
    [
        ("keypoints", np.float32, (17, 3)),
        ("crop_height", np.int32),
        ("crop_width", np.int32),
        ("scale", np.float32, (2,)),
        ("offset", np.float32, (2,)),
        ("face_height", np.int32),
        ("face_width", np.int32),
    ]
)


@dataclass(frozen=True, slots=True, eq=False)
class KeypointEntry:
    """A row of `bundle/keypoints`. A point p of the crop is at p * scale + offset in the bundled body image."""

    record: int = column(pa.int64(), "key: the number of the image")
    identity: int = column(pa.int64(), "the class: the number of the identity")
    face_id: str = column(pa.string(), "the face")
    body_id: str = column(pa.string(), "the body")
    image_id: str = column(pa.string(), "the image")
    label: str | None = column(pa.string(), "source label", nullable=True)
    keypoints: F32 = column(
        pa.list_(POINT3, 17), "(17,3) x, y in pixels of the crop (both -1 where not visible), visibility"
    )
    crop_height: int = column(pa.int32(), "of the crop before scaling, pixels")
    crop_width: int = column(pa.int32(), "of the crop before scaling, pixels")
    scale: F32 = column(POINT2, "x, y: pixels of the bundled image for a pixel of the crop")
    offset: F32 = column(POINT2, "x, y: where the crop's left upper corner is in the bundled image, pixels")
    face_height: int = column(pa.int32(), "of the bundled face image, pixels")
    face_width: int = column(pa.int32(), "of the bundled face image, pixels")


def in_crop(keypoints: F32, crop_box: F32, width: int, height: int, min_visibility: float) -> F32:
    """Keypoints (17,3) of the image in pixels of the crop; x = y = -1 where hidden or outside the crop."""
    points = np.asarray(keypoints, np.float32).reshape(17, 3).copy()
    points[:, :2] -= np.asarray(crop_box, np.float32)[:2]
    inside = ((points[:, :2] >= 0) & (points[:, :2] <= (width, height))).all(axis=1)
    points[~(inside & (points[:, 2] >= min_visibility)), :2] = -1
    return points


def keypoint_table(entries: pa.Table, geometry: NDArray[Any]) -> pa.Table:
    """The shard: rows of `bundle_index` and their geometry, a (N,) array of GEOMETRY."""
    schema = arrow_schema(KeypointEntry)
    columns = [
        _nested(geometry[f.name], f.type) if f.name in GEOMETRY.names else entries[f.name]  # type: ignore[operator]
        for f in schema
    ]
    return pa.table(columns, schema=schema)


def _nested(values: NDArray[Any], type_: pa.DataType) -> pa.Array:
    """An (N, ...) array as fixed-size lists of its inner shape."""
    column: pa.Array = pa.array(np.ascontiguousarray(values).ravel())
    sizes = []
    while pa.types.is_fixed_size_list(type_):
        sizes.append(type_.list_size)
        type_ = type_.value_type
    for size in reversed(sizes):
        column = pa.FixedSizeListArray.from_arrays(column, size)
    return column
