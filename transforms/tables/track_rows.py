"""The rows of the tables that only recipes for objects in videos have; see `video_rows` for what they begin with.

Frames are numbered from 0, times are seconds from the video's first frame, boxes are in pixels of the upright frame.
Several objects in several frames stand in flat lists, one behind the other, with a list that says how many there are.
"""

from dataclasses import dataclass

import pyarrow as pa

from transforms.tables.schemas import BOX, F32, I32, Vector, column

_F32S, _F64S = pa.list_(pa.float32()), pa.list_(pa.float64())
_I32S, _I64S = pa.list_(pa.int32()), pa.list_(pa.int64())


@dataclass(frozen=True, slots=True, eq=False)
class PassedShot:
    """A row of `passed_shots`: a shot that every configured filter lets pass, with what they measured."""

    shot_id: str = column(pa.string(), "key: that of the shot")
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
    filters: list[str] = column(pa.list_(pa.string()), "(F,) the names of the filters, in order")
    filter_scores: F32 = column(_F32S, "(F,) what each of them measured; docs/settings.md has the units")


@dataclass(frozen=True, slots=True, eq=False)
class ShotObjects:
    """A row of `objects`: everything that the detector found in the frames of a shot that were looked at."""

    shot_id: str = column(pa.string(), "key: that of the shot")
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
    numbers: list[int] = column(_I64S, "(T,) the frames that were looked at, those without an object too")
    times: list[float] = column(_F64S, "(T,) when each begins, seconds")
    counts: I32 = column(_I32S, "(T,) how many of the N objects are in each; they follow one another")
    boxes: F32 = column(pa.list_(BOX), "(N,4) pixels of the frame")
    scores: F32 = column(_F32S, "(N,) detection scores, 0 to 1")
    objectness: F32 | None = column(_F32S, "(N,) that there is an object at all, 0 to 1; null: not told", True)
    class_counts: I32 = column(_I32S, "(N,) how many of the M class probabilities are of each object")
    classes: I32 = column(_I32S, "(M,) numbers of classes in the detector's vocabulary")
    probabilities: F32 = column(_F32S, "(M,) their probabilities; those below the configured floor are left out")
    features: Vector | None = column(
        pa.list_(pa.list_(pa.float16())), "(N,D) how each object looks, unit length; null: no model tells", True
    )


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """A row of `tracks`: one object followed through frames of a shot; N frames in which it was found."""

    track_id: str = column(pa.string(), "key: <shot_id>-t<n>, n by first frame")
    shot_id: str = column(pa.string(), "the shot")
    video_id: str = column(pa.string(), "the video")
    label: str | None = column(pa.string(), "source label", nullable=True)
    source: str = column(pa.string(), "other columns of the manifest, JSON")
    media: str = column(pa.string(), "the video's file, below the run's folder")
    width: int = column(pa.int32(), "of the frames, pixels")
    height: int = column(pa.int32(), "of the frames, pixels")
    first_frame: int = column(pa.int64(), "number of the first frame in which it was found")
    last_frame: int = column(pa.int64(), "number of the last frame in which it was found")
    start: float = column(pa.float64(), "time of its first frame, seconds")
    end: float = column(pa.float64(), "time of its last frame, seconds")
    class_name: str = column(pa.string(), "the class of the highest mean of probability x objectness")
    class_score: float = column(pa.float32(), "that mean, 0 to 1")
    numbers: list[int] = column(_I64S, "(N,) the frames in which it was found, ascending")
    times: list[float] = column(_F64S, "(N,) when each begins, seconds")
    boxes: F32 = column(pa.list_(BOX), "(N,4) pixels of the frame")
    scores: F32 = column(_F32S, "(N,) detection scores, 0 to 1")
    objectness: F32 = column(_F32S, "(N,) that there is an object at all, 0 to 1; 1 where the detector does not tell")
    frame_classes: I32 = column(_I32S, "(N,) the likeliest class in each frame, its number in the vocabulary")
    frame_names: list[str] = column(pa.list_(pa.string()), "(N,) the names of these classes")
    frame_probabilities: F32 = column(_F32S, "(N,) their probabilities, 0 to 1")
    top_classes: I32 = column(_I32S, "(K,) up to ten classes by falling mean of probability x objectness")
    top_names: list[str] = column(pa.list_(pa.string()), "(K,) their names")
    top_means: F32 = column(_F32S, "(K,) means of the probability over the N frames")
    top_deviations: F32 = column(_F32S, "(K,) standard deviations of the probability")
    top_weighted_means: F32 = column(_F32S, "(K,) means of probability x objectness, falling")
    top_weighted_deviations: F32 = column(_F32S, "(K,) standard deviations of probability x objectness")
    feature: F32 | None = column(_F32S, "(D,) mean of how it looks in its frames, unit length; null: no model", True)


@dataclass(frozen=True, slots=True, eq=False)
class TrackClip:
    """A row of `clips` of the recipe object_tracks: a track as an MP4 file that follows the object."""

    clip_id: str = column(pa.string(), "key: <track_id>-x<n>, n the box expansion in percent")
    track_id: str = column(pa.string(), "the track")
    shot_id: str = column(pa.string(), "the shot")
    video_id: str = column(pa.string(), "the video")
    label: str | None = column(pa.string(), "source label", nullable=True)
    source: str = column(pa.string(), "other columns of the manifest, JSON")
    media: str = column(pa.string(), "the video's file, below the run's folder")
    class_name: str = column(pa.string(), "the track's class")
    expansion: float = column(pa.float32(), "added to the box's width and height, its share")
    file: str = column(pa.string(), "the MP4 file, below the run's folder")
    bytes: int = column(pa.int64(), "its size")
    sha256: str = column(pa.string(), "of the MP4 file, hex")
    first_frame: int = column(pa.int64(), "number of its first frame in the video")
    end_frame: int = column(pa.int64(), "number of the first frame after it")
    start: float = column(pa.float64(), "time of its first frame, seconds")
    end: float = column(pa.float64(), "time at which its last frame ends, seconds")
    width: int = column(pa.int32(), "of the clip, pixels")
    height: int = column(pa.int32(), "of the clip, pixels")
    boxes: F32 = column(pa.list_(BOX), "(frames,4) what was cut out of each frame, pixels of the video's frame")
    covered: bool = column(pa.bool_(), "whether faces and plates in it are covered")


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
