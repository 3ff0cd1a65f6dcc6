"""The rows of the tables of video recipes; see `schemas` for how a row type is declared.

Frames are numbered from 0 in the order in which they are shown, and a time is in seconds from the first frame, however
the file itself counts. Boxes and points are in pixels of the upright frame (rotation applied).
"""

from dataclasses import dataclass

import pyarrow as pa

from transforms.tables.schemas import BOX, F32, POINT2, POINT3, column

SPANS = pa.list_(pa.list_(pa.float64(), 2))


@dataclass(frozen=True, slots=True, eq=False)
class ListedVideo:
    """A row of `manifest`: one video of the user's list."""

    video_id: str = column(pa.string(), "the manifest's id, or a hash of the URL")
    url: str = column(pa.string(), "where to fetch it: http(s) URL, gs:// URI or path")
    label: str | None = column(pa.string(), "the source label, if the manifest has one", nullable=True)
    source: str = column(pa.string(), "the manifest's other columns as one JSON object")
    spans: list[list[float]] | None = column(
        SPANS, "(N,2) the listed spans, start and end in seconds; null: the whole video", nullable=True
    )


@dataclass(frozen=True, slots=True, eq=False)
class Video:
    """A row of `videos`: a downloaded and probed video."""

    video_id: str = column(pa.string(), "key")
    url: str = column(pa.string(), "where it came from")
    label: str | None = column(pa.string(), "source label", nullable=True)
    source: str = column(pa.string(), "other columns of the manifest, JSON")
    spans: list[list[float]] | None = column(SPANS, "(N,2) the listed spans, seconds; null: the whole video", True)
    media: str = column(pa.string(), "path of the file below the run's folder")
    bytes: int = column(pa.int64(), "size of the file")
    sha256: str = column(pa.string(), "of the file, hex")
    container: str = column(pa.string(), "FFmpeg's name of the container format")
    codec: str = column(pa.string(), "FFmpeg's name of the video codec")
    width: int = column(pa.int32(), "upright, of square pixels")
    height: int = column(pa.int32(), "upright, of square pixels")
    rotation: int = column(pa.int32(), "degrees that the stored frames are turned clockwise to stand upright")
    frames: int = column(pa.int64(), "number of frames")
    seconds: float = column(pa.float64(), "from the start of the first frame to the end of the last")
    fps: float = column(pa.float64(), "frames / seconds")
    has_audio: bool = column(pa.bool_(), "whether there is an audio stream")
    origin: str = column(pa.string(), "what the site says of the video (title, uploader, format ...), JSON")


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """A row of `shots`: a span of a video, between two cuts or as the manifest or the configuration has it."""

    shot_id: str = column(pa.string(), "key: <video_id>-s<n>, n by time")
    video_id: str = column(pa.string(), "the video")
    label: str | None = column(pa.string(), "source label", nullable=True)
    source: str = column(pa.string(), "other columns of the manifest, JSON")
    media: str = column(pa.string(), "the video's file, below the run's folder")
    first_frame: int = column(pa.int64(), "number of its first frame")
    end_frame: int = column(pa.int64(), "number of the first frame after it")
    start: float = column(pa.float64(), "time of its first frame, seconds")
    end: float = column(pa.float64(), "time at which its last frame ends, seconds")
    width: int = column(pa.int32(), "of the frames, pixels")
    height: int = column(pa.int32(), "of the frames, pixels")


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A row of `frames`: a sampled frame, by pointer; its pixels are decoded where they are needed."""

    frame_id: str = column(pa.string(), "key: <video_id>-n<number>")
    video_id: str = column(pa.string(), "the video")
    label: str | None = column(pa.string(), "source label", nullable=True)
    source: str = column(pa.string(), "other columns of the manifest, JSON")
    media: str = column(pa.string(), "the video's file, below the run's folder")
    number: int = column(pa.int64(), "number of the frame")
    time: float = column(pa.float64(), "seconds from the video's first frame")
    segment: str = column(pa.string(), "the part of the video that was sampled: front, middle, end, or a span or shot")
    sample: int = column(pa.int32(), "place among the samples of the segment, from 0")
    shot: int | None = column(pa.int32(), "number of the shot, where shots were looked for", nullable=True)
    width: int = column(pa.int32(), "pixels")
    height: int = column(pa.int32(), "pixels")


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """A row of `detections`: a face found in a sampled frame, as the detector gives it."""

    face_id: str = column(pa.string(), "key: <frame_id>-f<n>, n by falling score")
    frame_id: str = column(pa.string(), "the frame")
    video_id: str = column(pa.string(), "the video")
    label: str | None = column(pa.string(), "source label", nullable=True)
    source: str = column(pa.string(), "other columns of the manifest, JSON")
    media: str = column(pa.string(), "the video's file, below the run's folder")
    number: int = column(pa.int64(), "number of the frame")
    time: float = column(pa.float64(), "seconds from the video's first frame")
    segment: str = column(pa.string(), "the part of the video that was sampled")
    sample: int = column(pa.int32(), "place among the samples of the segment")
    shot: int | None = column(pa.int32(), "number of the shot, where shots were looked for", nullable=True)
    width: int = column(pa.int32(), "of the frame, pixels")
    height: int = column(pa.int32(), "of the frame, pixels")
    box: F32 = column(BOX, "pixels of the frame")
    score: float = column(pa.float32(), "detection score, 0 to 1")
    landmarks: F32 = column(pa.list_(POINT2, 5), "(5,2) pixels of the frame")


@dataclass(frozen=True, slots=True, eq=False)
class VideoFace:
    """A row of `faces` of a video recipe: a face that passed the quality filter, with its crop."""

    face_id: str = column(pa.string(), "key: that of the detection")
    frame_id: str = column(pa.string(), "the frame")
    video_id: str = column(pa.string(), "the video")
    label: str | None = column(pa.string(), "source label", nullable=True)
    source: str = column(pa.string(), "other columns of the manifest, JSON")
    media: str = column(pa.string(), "the video's file, below the run's folder")
    number: int = column(pa.int64(), "number of the frame")
    time: float = column(pa.float64(), "seconds from the video's first frame")
    segment: str = column(pa.string(), "the part of the video that was sampled")
    sample: int = column(pa.int32(), "place among the samples of the segment")
    shot: int | None = column(pa.int32(), "number of the shot, where shots were looked for", nullable=True)
    box: F32 = column(BOX, "pixels of the frame")
    score: float = column(pa.float32(), "detection score, 0 to 1")
    landmarks: F32 = column(pa.list_(POINT2, 5), "(5,2) pixels of the frame")
    crop: bytes = column(pa.binary(), "JPEG of the square crop with margin")
    crop_bytes: int = column(pa.int64(), "size of the JPEG")
    side: int = column(pa.int32(), "side of the crop, pixels")
    crop_landmarks: F32 = column(pa.list_(POINT2, 5), "(5,2) the landmarks in pixels of the crop")
    mesh: F32 | None = column(
        pa.list_(POINT3), "(468,3) face mesh, pixels of the crop, z in the same unit; null without a mesh model", True
    )
    yaw: float = column(pa.float32(), "degrees; positive: the face turns to its own left (image right)")
    pitch: float = column(pa.float32(), "degrees; positive: the face looks up")
    roll: float = column(pa.float32(), "degrees; positive: clockwise in the image")
    sharpness: float = column(pa.float32(), "variance of the Laplacian of the grey crop before it was resized")
    frontality: float = column(pa.float32(), "1 for a face that looks straight ahead, less for every degree; 0 to 1")
    face_ratio: float = column(pa.float32(), "area of the face's box, share of the frame's")
    composite: float = column(pa.float32(), "the weighted quality score, 0 to 1")
    emotion: str | None = column(pa.string(), "the likeliest of seven; null without a model", nullable=True)
    emotion_score: float | None = column(pa.float32(), "its probability; null without a model", nullable=True)
    bg_hash: str = column(pa.string(), "8 x 8 mean hash of the crop without the face, 16 hex digits")


@dataclass(frozen=True, slots=True, eq=False)
class LeftOut:
    """A row of `left_out`: a face that no stage after `candidates` sees."""

    face_id: str = column(pa.string(), "key: the face")
    reason: str = column(pa.string(), "reason code")


@dataclass(frozen=True, slots=True, eq=False)
class SelectedFace:
    """A row of `selection`: an image of the final dataset; a face may be both among the best and in the sequence."""

    face_id: str = column(pa.string(), "the face")
    identity: int = column(pa.int64(), "number of the person")
    group: str = column(pa.string(), "high_quality or temporal_sequence")
    place: int = column(pa.int32(), "from 0: by falling composite, or by time")
    file: str = column(pa.string(), "path of the JPEG below the run's folder")
    video_id: str = column(pa.string(), "the video")
    number: int = column(pa.int64(), "number of the frame")
    label: str | None = column(pa.string(), "source label", nullable=True)
    emotion: str | None = column(pa.string(), "the likeliest of seven; null without a model", nullable=True)
    composite: float = column(pa.float32(), "the weighted quality score, 0 to 1")


@dataclass(frozen=True, slots=True, eq=False)
class FaceSpan:
    """A row of `spans`: a stretch of a shot in which one face stays in place; samples are the frames looked at."""

    span_id: str = column(pa.string(), "key: <shot_id>-<first_frame>")
    shot_id: str = column(pa.string(), "the shot")
    video_id: str = column(pa.string(), "the video")
    label: str | None = column(pa.string(), "source label", nullable=True)
    source: str = column(pa.string(), "other columns of the manifest, JSON")
    media: str = column(pa.string(), "the video's file, below the run's folder")
    first_frame: int = column(pa.int64(), "number of its first frame")
    end_frame: int = column(pa.int64(), "number of the first frame after it")
    width: int = column(pa.int32(), "of the frames, pixels")
    height: int = column(pa.int32(), "of the frames, pixels")
    numbers: list[int] = column(pa.list_(pa.int64()), "(N,) frames of the samples in which the face was found")
    boxes: F32 = column(pa.list_(BOX), "(N,4) the face in each of them, pixels of the frame")
    scores: F32 = column(pa.list_(pa.float32()), "(N,) detection scores, 0 to 1")
    landmarks: F32 = column(pa.list_(pa.list_(POINT2, 5)), "(N,5,2) pixels of the frame")
    face_consistency: float | None = column(
        pa.float32(),
        "largest 1 - cosine between the embeddings of the first five samples that have one; null: fewer than two",
        nullable=True,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """A row of `clips`: a span as files; scores are null where their model is not configured."""

    clip_id: str = column(pa.string(), "key: that of the span")
    shot_id: str = column(pa.string(), "the shot")
    video_id: str = column(pa.string(), "the video")
    label: str | None = column(pa.string(), "source label", nullable=True)
    source: str = column(pa.string(), "other columns of the manifest, JSON")
    media: str = column(pa.string(), "the video's file, below the run's folder")
    file: str = column(pa.string(), "the MP4 file, below the run's folder")
    bytes: int = column(pa.int64(), "its size")
    sha256: str = column(pa.string(), "of the MP4 file, hex")
    lmdb: str | None = column(pa.string(), "the LMDB folder, below the run's folder", nullable=True)
    lmdb_frames: int | None = column(pa.int32(), "images in it", nullable=True)
    audio: str | None = column(pa.string(), "the wav file, below the run's folder; null: none, or no sound", True)
    first_frame: int = column(pa.int64(), "number of its first frame in the video")
    end_frame: int = column(pa.int64(), "number of the first frame after it")
    start: float = column(pa.float64(), "time of its first frame, seconds")
    end: float = column(pa.float64(), "time at which its last frame ends, seconds")
    crop_box: F32 = column(BOX, "the square that was cut out, whole pixels of the frame; black outside the frame")
    side: int = column(pa.int32(), "of the square, pixels")
    face_score: float = column(pa.float32(), "mean detection score of its samples")
    sharpness: float = column(pa.float32(), "mean of its samples: variance of the Laplacian of the grey clip at 224 px")
    face_consistency: float | None = column(
        pa.float32(), "largest 1 - cosine between face embeddings of its first five samples; less is better", True
    )
    brisque: float | None = column(pa.float32(), "mean BRISQUE score of two frames at 224 px; less is better", True)
    clip_score: float | None = column(
        pa.float32(), "largest 1 - cosine between CLIP embeddings of its first five frames; less is better", True
    )
    hyperiqa: float | None = column(pa.float32(), "mean HyperIQA score of the same two frames; more is better", True)
    clipiqa: float | None = column(pa.float32(), "mean CLIP-IQA+ score of the same two frames; more is better", True)


@dataclass(frozen=True, slots=True, eq=False)
class VideoState:
    """A row of `metadata`: what became of a video of the manifest."""

    video_id: str = column(pa.string(), "key")
    downloaded: bool = column(pa.bool_(), "whether it is there")
    failed: bool = column(pa.bool_(), "whether it was tried and is not there; the ledger of download says why")
    path: str | None = column(pa.string(), "the video's file, below the run's folder", nullable=True)
    num_clips: int = column(pa.int64(), "pieces of the configured length that it was cut into: rows of `shots`")


@dataclass(frozen=True, slots=True, eq=False)
class VideoPart:
    """A row of `parts`: a shot as a file; copied, so that it begins and ends at key frames, or encoded anew."""

    part_id: str = column(pa.string(), "key: that of the shot")
    video_id: str = column(pa.string(), "the video")
    label: str | None = column(pa.string(), "source label", nullable=True)
    source: str = column(pa.string(), "other columns of the manifest, JSON")
    file: str = column(pa.string(), "the MP4 file, below the run's folder")
    bytes: int = column(pa.int64(), "its size")
    first_frame: int = column(pa.int64(), "number of its first frame in the video")
    end_frame: int = column(pa.int64(), "number of the first frame after it")
    start: float = column(pa.float64(), "time of its first frame, seconds")
    end: float = column(pa.float64(), "time at which its last frame ends, seconds")
