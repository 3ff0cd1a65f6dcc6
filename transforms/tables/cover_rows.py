"""The rows of the tables that say what is covered in videos and images; see `video_rows` for what they begin with."""

from dataclasses import dataclass

import pyarrow as pa

from transforms.tables.schemas import BOX, F32, I32, column

_F32S, _I32S, _I64S = pa.list_(pa.float32()), pa.list_(pa.int32()), pa.list_(pa.int64())


@dataclass(frozen=True, slots=True, eq=False)
class ShotCovers:
    """A row of `covers`: all that must not be seen in a shot, frame by frame; N boxes, none where nothing was found."""

    shot_id: str = column(pa.string(), "key: that of the shot")
    video_id: str = column(pa.string(), "the video")
    label: str | None = column(pa.string(), "source label", nullable=True)
    source: str = column(pa.string(), "other columns of the manifest, JSON")
    media: str = column(pa.string(), "the video's file, below the run's folder")
    first_frame: int = column(pa.int64(), "number of its first frame")
    end_frame: int = column(pa.int64(), "number of the first frame after it")
    width: int = column(pa.int32(), "of the frames, pixels")
    height: int = column(pa.int32(), "of the frames, pixels")
    numbers: list[int] = column(_I64S, "(N,) the frame of each box, ascending")
    boxes: F32 = column(pa.list_(BOX), "(N,4) what is covered there, with its margin, pixels of the frame")
    kinds: list[str] = column(pa.list_(pa.string()), "(N,) face or plate")
    tracks: I32 = column(_I32S, "(N,) the same number: the same face or plate, followed through the shot")
    found: list[bool] = column(pa.list_(pa.bool_()), "(N,) found in this frame, or filled in between or beyond others")
    scores: F32 = column(_F32S, "(N,) detection scores, 0 to 1; 0 where it was filled in")


@dataclass(frozen=True, slots=True, eq=False)
class AnonymizedVideo:
    """A row of `anonymized` of videos: a video, or one of its listed spans, as a file with its faces covered."""

    anonymized_id: str = column(
        pa.string(), "key: <video_id>-a<n>, n by time; 0 is the whole video where none is listed"
    )
    video_id: str = column(pa.string(), "the video")
    label: str | None = column(pa.string(), "source label", nullable=True)
    source: str = column(pa.string(), "other columns of the manifest, JSON")
    file: str = column(pa.string(), "the MP4 file, below the run's folder")
    bytes: int = column(pa.int64(), "its size")
    sha256: str = column(pa.string(), "of the MP4 file, hex")
    report: str | None = column(pa.string(), "CSV of all covers, below the run's folder; null: not asked for", True)
    first_frame: int = column(pa.int64(), "number of its first frame in the video")
    end_frame: int = column(pa.int64(), "number of the first frame after it")
    start: float = column(pa.float64(), "time of its first frame, seconds")
    end: float = column(pa.float64(), "time at which its last frame ends, seconds")
    width: int = column(pa.int32(), "of the file, pixels: even numbers")
    height: int = column(pa.int32(), "of the file, pixels: even numbers")
    audio: bool = column(pa.bool_(), "whether it has the video's sound")
    covered_frames: int = column(pa.int64(), "frames in which anything is covered")
    covers: int = column(pa.int64(), "covers in all frames")
    covered_share: float = column(pa.float32(), "covered pixels, share of those of all frames")


@dataclass(frozen=True, slots=True, eq=False)
class AnonymizedImage:
    """A row of `anonymized` of images: an image as a file with its faces covered; N covers."""

    image_id: str = column(pa.string(), "key: the image")
    label: str | None = column(pa.string(), "source label", nullable=True)
    source: str = column(pa.string(), "other columns of the manifest, JSON")
    file: str = column(pa.string(), "the JPEG file, below the run's folder")
    bytes: int = column(pa.int64(), "its size")
    sha256: str = column(pa.string(), "of the JPEG file, hex")
    width: int = column(pa.int32(), "pixels")
    height: int = column(pa.int32(), "pixels")
    boxes: F32 = column(pa.list_(BOX), "(N,4) what is covered, with its margin, pixels")
    kinds: list[str] = column(pa.list_(pa.string()), "(N,) face or plate")
    scores: F32 = column(_F32S, "(N,) detection scores, 0 to 1")
