"""Settings of the stages that look at pixels: bodies, faces, embeddings."""

from typing import Literal

from pydantic import Field

from transforms.settings import How, InferenceSettings, Settings
from transforms.vision.filters import Filters


class BodySettings(Settings):
    """Stage bodies: the people of an image, their keypoints, their crops."""

    person_model: str = Field("nanodet", description="catalogue name of the model that finds people")
    keypoint_model: str | None = Field(
        "movenet-thunder",
        description="catalogue name of the body keypoint model; null: the person model finds the keypoints too",
    )
    min_score: float = Field(
        0.38, ge=0, le=1, description="least detection score; depends on the detector (YOLOv8: 0.7, NanoDet: 0.38)"
    )
    max_bodies: int = Field(6, ge=1, le=100, description="people of an image that are kept, best first")
    padding: float = Field(
        0.05, ge=0, le=1, description="added on each side of the box before cutting, share of its width and height"
    )
    jpeg_quality: int = Field(100, ge=1, le=100, description="of the crops")
    inference: How[InferenceSettings] = InferenceSettings()


class FaceSettings(Settings):
    """Stage faces: the best face of a body, aligned."""

    face_model: str = Field("centerface", description="catalogue name of the face detector")
    mesh_model: str | None = Field(
        "facemesh", description="catalogue name of the face mesh model; null: head pose from the five landmarks"
    )
    min_score: float = Field(
        0.35, ge=0, le=1, description="least detection score; depends on the detector (CenterFace: 0.35)"
    )
    detector_side: int | None = Field(
        320, ge=32, le=4096, description="side of the detector's square input, pixels; null: as the catalogue says"
    )
    min_visibility: float = Field(
        0.3, ge=0, le=1, description="least visibility of a body keypoint that shapes the upper-body crop"
    )
    extend_side: float = Field(
        0.375, ge=0, le=5, description="upper-body crop: added left and right of the head keypoints, share of width"
    )
    extend_up: float = Field(1.5, ge=0, le=5, description="upper-body crop: added above, share of height")
    extend_down: float = Field(0.5, ge=0, le=5, description="upper-body crop: added below, share of height")
    min_face_px: float = Field(
        16, ge=1, le=4096, description="the longer side of the face's box is at least this, pixels"
    )
    context: float = Field(
        160 / 112, ge=1, le=4, description="side of the aligned crop, in sides of the 112-pixel ArcFace crop; 160/112"
    )
    max_side: int = Field(320, ge=16, le=4096, description="largest side of the aligned crop, pixels")
    side_per_box: float = Field(
        2, gt=0, le=8, description="side of the aligned crop before max_side, in longer sides of the face's box"
    )
    min_mesh_score: float = Field(
        0.5, ge=0, le=1, description="a mesh of less confidence is not used; pose then comes from the landmarks"
    )
    filters: Filters = ()
    jpeg_quality: int = Field(100, ge=1, le=100, description="of the aligned crops")
    inference: How[InferenceSettings] = InferenceSettings()


class DetectionSettings(Settings):
    """Stage detections: every face of a sampled frame."""

    face_model: str = Field("centerface", description="catalogue name of the face detector")
    min_score: float = Field(
        0.35, ge=0, le=1, description="least detection score; depends on the detector (CenterFace: 0.35)"
    )
    detector_side: int | None = Field(
        640, ge=32, le=4096, description="side of the detector's square input, pixels; null: as the catalogue says"
    )
    max_height: int | None = Field(
        None, ge=16, le=16_384, description="higher pictures are made so high before faces are looked for, pixels"
    )
    resize_ratio: float = Field(
        1, gt=0, le=1, description="what sides are multiplied with before faces are looked for; smaller is faster"
    )
    max_faces: int | None = Field(None, ge=1, le=1000, description="faces of a picture that are kept, best first")
    crowds: Literal["best", "drop"] = Field(
        "best", description="of a picture with more than max_faces: best: those are kept; drop: none is"
    )
    inference: How[InferenceSettings] = InferenceSettings()


class EmbeddingSettings(Settings):
    """Stage embeddings: the vector of a face."""

    model: str = Field("fr-feature", description="catalogue name of the face embedding model")
    inference: How[InferenceSettings] = InferenceSettings()


class VideoFaceSettings(Settings):
    """Stage faces of a video recipe: the quality filter; what passes is cut out as a square."""

    mesh_model: str | None = Field(
        "facemesh", description="catalogue name of the face mesh model; null: head pose from the five landmarks"
    )
    emotion_model: str | None = Field("emotion", description="catalogue name of the emotion model; null: no emotion")
    min_face_px: float = Field(
        100, ge=1, le=4096, description="the shorter side of the face's box is at least this, pixels"
    )
    min_score: float = Field(0.6, ge=0, le=1, description="least detection score")
    min_sharpness: float = Field(
        100, ge=0, description="least variance of the Laplacian of the crop before it is resized, grey levels squared"
    )
    max_yaw: float = Field(30, ge=0, le=180, description="largest turn sideways, degrees, to either side")
    max_pitch: float = Field(25, ge=0, le=180, description="largest turn up or down, degrees")
    min_frontality: float = Field(
        0.6, ge=0, le=1, description="least 1 - (1.5 |yaw| + |pitch| + 0.5 |roll|) / 270, angles in degrees"
    )
    min_mesh_score: float = Field(
        0.5, ge=0, le=1, description="a mesh of less confidence is not used; pose then comes from the landmarks"
    )
    margin: float = Field(
        0.3, ge=0, le=4, description="added on each side of the face's box before cutting, share of its longer side"
    )
    side: int = Field(512, ge=16, le=4096, description="side of the square crop, pixels")
    filters: Filters = ()
    jpeg_quality: int = Field(95, ge=1, le=100, description="of the crops")
    inference: How[InferenceSettings] = InferenceSettings()
