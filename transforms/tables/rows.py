"""The rows of the tables of images and people: a frozen dataclass each, with Arrow type, unit and meaning of a field.

Boxes are `x1,y1,x2,y2` in pixels of the image named by `image_id`, float32. Body keypoints are (17,3) x, y, visibility
(0 to 1) in COCO order, face landmarks (5,2): image-left eye, image-right eye, nose, left and right mouth corner.
"""

from dataclasses import dataclass

import pyarrow as pa

from transforms.tables.schemas import BOX, F32, POINT2, POINT3, Vector, column


@dataclass(frozen=True, slots=True, eq=False)
class ListedImage:
    """A row of `manifest`: one item of the user's list."""

    image_id: str = column(pa.string(), "the manifest's id, or a hash of the URL")
    url: str = column(pa.string(), "where to fetch it")
    label: str | None = column(pa.string(), "the source label (search term), if the manifest has one", nullable=True)
    source: str = column(pa.string(), "the manifest's other columns as one JSON object")


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """A row of `images`: a downloaded image."""

    image_id: str = column(pa.string(), "key")
    url: str = column(pa.string(), "where it came from")
    label: str | None = column(pa.string(), "source label", nullable=True)
    source: str = column(pa.string(), "other columns of the manifest, JSON")
    image: bytes = column(pa.binary(), "the stored image file (resized, JPEG unless configured otherwise)")
    width: int = column(pa.int32(), "of the stored image, pixels")
    height: int = column(pa.int32(), "of the stored image, pixels")
    original_width: int = column(pa.int32(), "as displayed, after EXIF orientation, pixels")
    original_height: int = column(pa.int32(), "as displayed, after EXIF orientation, pixels")
    original_bytes: int = column(pa.int64(), "size of the downloaded file, bytes")
    original_format: str = column(pa.string(), "sniffed format of the downloaded file, lower case (jpeg, png, ...)")
    sha256: str = column(pa.string(), "of the downloaded bytes, hex")


@dataclass(frozen=True, slots=True, eq=False)
class Duplicate:
    """A row of `duplicates`: an image with the same bytes as an earlier one."""

    image_id: str = column(pa.string(), "key: the image that is left out")
    original_id: str = column(pa.string(), "the first image with these bytes, which stays")


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """A row of `bodies`: a person found in an image."""

    body_id: str = column(pa.string(), "key: <image_id>-b<n>, n by falling score")
    image_id: str = column(pa.string(), "the image")
    label: str | None = column(pa.string(), "source label", nullable=True)
    source: str = column(pa.string(), "other columns of the manifest, JSON")
    box: F32 = column(BOX, "the person as detected, clipped to the image, pixels of the image")
    crop_box: F32 = column(BOX, "the padded and clipped box that was cut out, whole pixels of the image")
    score: float = column(pa.float32(), "detection score, 0 to 1")
    keypoints: F32 = column(pa.list_(POINT3, 17), "(17,3) x, y in pixels of the image, visibility")
    crop: bytes = column(pa.binary(), "JPEG of crop_box")


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A row of `faces`: the best face of a body, aligned."""

    face_id: str = column(pa.string(), "key: <body_id>-f0")
    body_id: str = column(pa.string(), "the body")
    image_id: str = column(pa.string(), "the image")
    label: str | None = column(pa.string(), "source label", nullable=True)
    source: str = column(pa.string(), "other columns of the manifest, JSON")
    box: F32 = column(BOX, "pixels of the image")
    score: float = column(pa.float32(), "detection score, 0 to 1")
    landmarks: F32 = column(pa.list_(POINT2, 5), "(5,2) pixels of the image")
    crop: bytes = column(pa.binary(), "JPEG of the aligned square face with context")
    side: int = column(pa.int32(), "side of the crop, pixels")
    crop_landmarks: F32 = column(pa.list_(POINT2, 5), "(5,2) the landmarks in pixels of the crop")
    mesh: F32 | None = column(
        pa.list_(POINT3), "(468,3) face mesh, pixels of the crop, z in the same unit; null without a mesh model", True
    )
    yaw: float = column(pa.float32(), "degrees; positive: the face turns to its own left (image right)")
    pitch: float = column(pa.float32(), "degrees; positive: the face looks up")
    roll: float = column(pa.float32(), "degrees; positive: clockwise in the image")
    sharpness: float = column(pa.float32(), "variance of the Laplacian of the grey crop")


@dataclass(frozen=True, slots=True, eq=False)
class ImageFace:
    """A row of `detections`: a face found in a whole image."""

    face_id: str = column(pa.string(), "key: <image_id>-f<number, best score first>")
    image_id: str = column(pa.string(), "the image")
    label: str | None = column(pa.string(), "source label", nullable=True)
    source: str = column(pa.string(), "other columns of the manifest, JSON")
    url: str = column(pa.string(), "where the image came from")
    width: int = column(pa.int32(), "of the stored image, pixels")
    height: int = column(pa.int32(), "of the stored image, pixels")
    box: F32 = column(BOX, "of the face, in the image")
    score: float = column(pa.float32(), "of the detector, 0 to 1")
    landmarks: F32 = column(pa.list_(POINT2, 5), "in the image")


@dataclass(frozen=True, slots=True, eq=False)
class Embedding:
    """A row of `embeddings`: the vector of a face, as the model gives it (not normalised)."""

    face_id: str = column(pa.string(), "key")
    body_id: str | None = column(pa.string(), "the body; null for a face of a video", nullable=True)
    image_id: str = column(pa.string(), "the image, or the frame of a video")
    label: str | None = column(pa.string(), "source label", nullable=True)
    source: str = column(pa.string(), "other columns of the manifest, JSON")
    face_score: float = column(pa.float32(), "the face's detection score")
    face_px: float = column(pa.float32(), "shorter side of the face's box, pixels of the image or frame")
    vector: Vector = column(pa.list_(pa.float16()), "fixed-size list of the model's dimension, float16")
    norm: float = column(pa.float32(), "L2 norm of the vector before rounding")
    model: str = column(pa.string(), "name of the embedding model")


@dataclass(frozen=True, slots=True, eq=False)
class Edge:
    """A row of `edges`: a kNN pair; kept, so that a new threshold needs no new search."""

    face_a: str = column(pa.string(), "the smaller face id of the pair")
    face_b: str = column(pa.string(), "the larger face id of the pair")
    similarity: float = column(pa.float32(), "cosine similarity, -1 to 1")


@dataclass(frozen=True, slots=True, eq=False)
class Identity:
    """A row of `identities`: whose face it is and what cleaning decided; one for each embedding."""

    face_id: str = column(pa.string(), "key")
    body_id: str | None = column(pa.string(), "the body; null for a face of a video", nullable=True)
    image_id: str = column(pa.string(), "the image, or the frame of a video")
    label: str | None = column(pa.string(), "source label", nullable=True)
    source: str = column(pa.string(), "other columns of the manifest, JSON")
    cluster: str | None = column(pa.string(), "the cluster before cleaning; null for noise", nullable=True)
    identity: int | None = column(
        pa.int64(), "number of the clean identity, from 0, some may lack; null if not kept", nullable=True
    )
    similarity: float | None = column(
        pa.float32(), "cosine to the centre of its identity (of its cluster if not kept); null for noise", nullable=True
    )
    reason: str = column(pa.string(), "empty if kept, else the reason code of the cleaning step that dropped it")


@dataclass(frozen=True, slots=True, eq=False)
class LabelMapping:
    """A row of `label_map`: what became of a cluster in cleaning; one for each cluster."""

    cluster: str = column(pa.string(), "key: the cluster before cleaning, called by its smallest face id")
    merged_into: str = column(
        pa.string(), "the cluster that it is part of after all merging; itself if it did not merge"
    )
    identity: int | None = column(pa.int64(), "number of the clean identity; null if none came of it", nullable=True)


@dataclass(frozen=True, slots=True, eq=False)
class IdentityChange:
    """A row of `identity_changes`: what became of an identity when faces had come in; a shard for each time."""

    time: int = column(pa.int64(), "how often identities had been found again, this time included, from 1")
    kind: str = column(
        pa.string(),
        "merged: from_identity is no more, and these of its faces are in into_identity; split: these of its faces are; "
        "new: into_identity is of faces that had no identity; gone: the faces of from_identity have none now",
    )
    from_identity: int | None = column(pa.int64(), "number of an identity that was there", nullable=True)
    into_identity: int | None = column(pa.int64(), "number of an identity that is there now", nullable=True)
    faces: int = column(pa.int64(), "faces of which this is told; of a new or a gone identity all its faces")


@dataclass(frozen=True, slots=True, eq=False)
class CleaningStep:
    """A row of `cleaning`: what was left after a step of the cleaning."""

    stage: str = column(pa.string(), "the step")
    n_subjects: int = column(pa.int64(), "clusters or identities left")
    n_images: int = column(pa.int64(), "their images; an image counts once for each identity in it")
    n_faces: int = column(pa.int64(), "their faces")
    n_dropped: int = column(pa.int64(), "faces that the step's own rule dropped")
    n_small: int = column(pa.int64(), "faces that went since their identity then had too few images")
    n_seen_together: int | None = column(
        pa.int64(), "pairs of faces of one picture in one identity; null where pictures are no evidence", nullable=True
    )
    n_pairs: int | None = column(pa.int64(), "pairs of faces in one identity", nullable=True)
    precision: float | None = column(
        pa.float64(), "share of these pairs that is right, estimated; null where it cannot be told", nullable=True
    )
    at_least: float | None = column(pa.float64(), "what that is at least", nullable=True)
    at_most: float | None = column(pa.float64(), "what that is at most", nullable=True)
    by_pictures: float | None = column(
        pa.float64(), "of the step without_evidence: that share by the faces of one picture alone", nullable=True
    )
    by_pictures_at_least: float | None = column(pa.float64(), "what that is at least, at 95 %", nullable=True)


@dataclass(frozen=True, slots=True, eq=False)
class SplitFace:
    """A row of `splits`: a face of a split; one for each split that the face's identity is in."""

    face_id: str = column(pa.string(), "the face")
    identity: int | None = column(
        pa.int64(), "number of the identity; null in the split of the faces that are nobody's", nullable=True
    )
    body_id: str = column(pa.string(), "the body")
    image_id: str = column(pa.string(), "the image")
    label: str | None = column(pa.string(), "source label", nullable=True)
    source: str = column(pa.string(), "other columns of the manifest, JSON")
    split: str = column(pa.string(), "name of the split")


@dataclass(frozen=True, slots=True, eq=False)
class LedgerEntry:
    """A row of `ledger/<stage>`: what became of one item in one stage."""

    item_id: str = column(pa.string(), "id of the row that entered the stage")
    state: str = column(pa.string(), "kept, dropped or failed")
    reason: str = column(pa.string(), "reason code; empty if kept")
    transient: bool = column(pa.bool_(), "whether a later try may end otherwise")
    detail: str = column(pa.string(), "one short line")
    rows: int = column(pa.int32(), "rows of the stage's table that the item became")


@dataclass(frozen=True, slots=True, eq=False)
class Retry:
    """A row of `retries`: a failed item that is to be tried again; a shard `r<attempt>-<stage>-<n>` is one chunk."""

    item_id: str = column(pa.string(), "id of the row that enters the stage again")
    shard: str = column(pa.string(), "the ledger shard with the entry that the new try replaces")
    input_shard: str = column(pa.string(), "the shard of the stage's input table that has the row")
    reason: str = column(pa.string(), "why it failed")
