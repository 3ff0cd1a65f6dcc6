"""The rows of the tables that only recipes for objects in videos have; see `video_rows` for what they begin with.

Frames are numbered from 0, times are seconds from the video's first frame, boxes are in pixels of the upright frame.
Several objects in several frames stand in flat lists, one behind the other, with a list that says how many there are.
"""

from dataclasses import dataclass

import pyarrow as pa

from transforms.tables.schemas import BOX, F32, I32, Vector, column
from transforms.tables.video_rows import SPANS, Shot

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


# the tables whose rows are shots, all of them or those that pass the filters, and the types of these rows
SHOTS: dict[str, type[Shot] | type[PassedShot]] = {"shots": Shot, "passed_shots": PassedShot}


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
        pa.list_(pa.list_(pa.float16())),
        "(N,D) how each looks, unit length; 0: not told; null: no model",
        True,
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
class LeftOutTrack:
    """A row of `left_out` of the recipe object_tracks: a track that no stage after `distinct` sees."""

    track_id: str = column(pa.string(), "key: the track")
    reason: str = column(pa.string(), "reason code")
    original_id: str = column(pa.string(), "the track that stays and shows the same")


@dataclass(frozen=True, slots=True, eq=False)
class TrackClip:
    """A row of `clips` of the recipe object_tracks: a track as an MP4 file that follows the object."""

    clip_id: str = column(
        pa.string(), "key: <track_id>-x<n>, n the box expansion in percent; -p<m> behind it: a later part"
    )
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
class PlannedVideo:
    """A row of `track_plan`: a video whose tracks are written to files, and where in the tables they are."""

    video_id: str = column(pa.string(), "key: the video")
    media: str = column(pa.string(), "the video's file, below the run's folder")
    width: int = column(pa.int32(), "of the frames, pixels")
    height: int = column(pa.int32(), "of the frames, pixels")
    frames: int = column(pa.int64(), "number of frames of the video")
    fps: float = column(pa.float64(), "frames a second")
    segments: list[list[float]] = column(
        SPANS, "(S,2) the shots that were looked at to the end, start and end, seconds"
    )
    seen_shards: list[str] = column(pa.list_(pa.string()), "(O,) shards of `objects` that have its shots, in order")
    seen_rows: list[int] = column(_I64S, "(O,) the row in each")
    track_shards: list[str] = column(pa.list_(pa.string()), "(R,) shards of `tracks` that have its tracks, in order")
    track_starts: list[int] = column(_I64S, "(R,) the first row in each")
    track_ends: list[int] = column(_I64S, "(R,) the first row after them")


@dataclass(frozen=True, slots=True, eq=False)
class TrackFile:
    """A row of `track_files`: a file of tracks of one video, or of the whole bundle."""

    file: str = column(pa.string(), "key: the file, below the run's folder")
    video_id: str | None = column(pa.string(), "the video; null: the file is of all videos", nullable=True)
    format: str = column(pa.string(), "the name of its format")
    bytes: int = column(pa.int64(), "its size")
    sha256: str = column(pa.string(), "of the file, hex")
    tracks: int = column(pa.int64(), "the tracks of the video, or of all videos")
