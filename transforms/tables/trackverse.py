"""A track as a line of JSON in the form of TrackVerse, and such a line as a row of `tracks`.

Boxes are x, y, width, height of pixels there, whatever TrackVerse's README says of corners; `video_size` is height,
width. A line lacks what the form has no key for, so that a row that is read has
- `media` and `shot_id` empty, `label` null, `source` `{}` and `feature` null;
- `numbers` that count the track's own frames from 0: the form knows times only;
- `scores` equal to `objectness`, the line's `frame_obj`, 1 where it has none;
- in lines without classes of each frame, those of the whole track in every frame.
Of the later form (`top10_logit_mu`, `track_bbox`) `track_ts` has the time of every frame.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from model_handlers.geometry import sized
from transforms.tables.item_ids import safe_id
from transforms.tables.schemas import F32
from transforms.tables.track_rows import Track

MAX_FRAMES = 100_000  # of a track: over an hour and a half, with 16 of them a second
_MAX_TOP, _MAX_TEXT, _MAX_SIDE = 100, 1000, 65_536
_YOUTUBE = 11  # characters of an id there
_HASH = re.compile(r"[0-9a-f]{32}")
Record = dict[str, Any]


def class_label(description: str) -> str:
    """The class that a description names: without the prompt `photo of a` and the synonyms in parentheses."""
    return description.replace("photo of a ", "").split(" (also")[0]


def track_hash(video_id: str, times: Sequence[float], boxes: Sequence[Sequence[float]]) -> str:
    """The MD5 by which TrackVerse names a track: of its video, times (N,) and boxes (N,4) x, y, width, height.

    It is that of the text that Python makes of tuples of plain floats (extract_tracks.py, where NumPy 2 prints others).
    """
    text = f"{video_id}-{tuple(map(float, times))}-{tuple(map(tuple, boxes))}"
    return hashlib.md5(text.encode(errors="replace"), usedforsecurity=False).hexdigest()


def track_record(track: Track, number: int) -> Record:
    """What a line says of a track, the `number`-th of its video; floats are Python's. ValueError if it has no class."""
    if not len(track.top_names):
        raise ValueError(f"track {track.track_id}: it has no class, and a line of TrackVerse needs one")
    weighted = np.asarray(track.frame_probabilities, np.float64) * np.asarray(track.objectness, np.float64)
    return {
        "track_id": number,
        "video_size": [int(track.height), int(track.width)],
        "track_ts": [float(track.start), float(track.end)],
        "top10_lbl": np.asarray(track.top_classes).tolist(),
        "top10_desc": list(track.top_names),
        "top10_cls": [_floats(track.top_means), _floats(track.top_deviations)],
        "top10_wcls": [_floats(track.top_weighted_means), _floats(track.top_weighted_deviations)],
        "frame_ts": _floats(track.times),
        "frame_bboxes": sized(track.boxes).tolist(),
        "frame_obj": _floats(track.objectness),
        "frame_cls": _floats(track.frame_probabilities),
        "frame_wcls": weighted.tolist(),
        "frame_lbl": np.asarray(track.frame_classes).tolist(),
        "frame_desc": list(track.frame_names),
    }


def _floats(values: Any) -> list[float]:
    return np.asarray(values, np.float64).tolist()  # type: ignore[no-any-return]


def to_line(record: Mapping[str, Any]) -> bytes:
    """The record as a line, with its end; ValueError if a number in it is not finite."""
    return json.dumps(record, allow_nan=False).encode() + b"\n"


def from_line(line: bytes, file_name: str) -> Track:
    """The row of a line; `file_name` tells the video where the line does not. ValueError if anything in it is wrong."""
    try:
        record = json.loads(line.decode(), parse_constant=_no_constant)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(record, dict):
        raise ValueError("it is no JSON object")
    return track_of(record, file_name)


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def track_of(record: Record, file_name: str) -> Track:
    """The row of a record, as `from_line`."""
    later = "track_bbox" in record and "frame_bboxes" not in record
    boxes = _boxes(record, "track_bbox" if later else "frame_bboxes")
    frames = len(boxes)
    times = _row(record, "track_ts" if later else "frame_ts", frames)
    if any(later < earlier for earlier, later in pairwise(times)):
        raise ValueError("the times of its frames do not ascend")
    height, width = _size(record)
    names = _texts(record, "top10_desc")
    top = len(names)
    if not 1 <= top <= _MAX_TOP:
        raise ValueError(f"top10_desc has {top} classes instead of 1 to {_MAX_TOP}")
    classes = _labels(record, "top10_lbl", top)
    means, deviations = _moments(record, "cls", "logit", top)
    weighted_means, weighted_deviations = _moments(record, "wcls", "wlogit", top)
    objectness = _f32(_row(record, "frame_obj", frames)) if "frame_obj" in record else np.ones(frames, np.float32)
    told = all(key in record for key in ("frame_lbl", "frame_desc", "frame_cls"))
    site_id = _site_id(record, file_name)
    return Track(
        track_id=f"{safe_id(site_id)}-{_hash(record, site_id, times, boxes)}",
        shot_id="",
        video_id=safe_id(site_id),
        label=None,
        source="{}",
        media="",
        width=width,
        height=height,
        first_frame=0,
        last_frame=frames - 1,
        start=times[0],
        end=times[-1],
        class_name=class_label(names[0]),
        class_score=float(weighted_means[0]),
        numbers=list(range(frames)),
        times=times,
        boxes=_f32([[x, y, x + w, y + h] for x, y, w, h in boxes]),
        scores=objectness,
        objectness=objectness,
        frame_classes=_labels(record, "frame_lbl", frames) if told else np.full(frames, classes[0], np.int32),
        frame_names=_texts(record, "frame_desc", frames) if told else [names[0]] * frames,
        frame_probabilities=_f32(_row(record, "frame_cls", frames)) if told else np.full(frames, means[0], np.float32),
        top_classes=classes,
        top_names=names,
        top_means=means,
        top_deviations=deviations,
        top_weighted_means=weighted_means,
        top_weighted_deviations=weighted_deviations,
        feature=None,
    )


def _site_id(record: Record, file_name: str) -> str:
    """The video's id: `yid`, else what the name of the track's own file, or of the file itself, begins with."""
    for key in ("yid", "fn", "mp4_filename"):
        value = record.get(key)
        if isinstance(value, str) and 0 < len(value) <= _MAX_TEXT:
            return value if key == "yid" else value.rpartition("/")[2][:_YOUTUBE]
        if value is not None:
            raise ValueError(f"{key} is no text of 1 to {_MAX_TEXT} characters")
    name = file_name.rpartition("/")[2]
    video, meta, _ = name.partition("-meta.jsonl")
    return video if meta and video else name[:_YOUTUBE]


def _hash(record: Record, site_id: str, times: list[float], boxes: list[list[float]]) -> str:
    """The name that TrackVerse gives a track: an MD5 of its video, times and boxes; equal tracks have equal ones."""
    told = record.get("tid")
    if isinstance(told, str) and _HASH.fullmatch(told):
        return told
    return track_hash(site_id, times, boxes)


def _size(record: Record) -> tuple[int, int]:
    height, width = _row(record, "video_size", 2)
    for side in (height, width):
        if not 1 <= side <= _MAX_SIDE or side != int(side):
            raise ValueError(f"video_size {height:g}, {width:g} is none")
    return int(height), int(width)


def _boxes(record: Record, key: str) -> list[list[float]]:
    found = _list(record, key)
    if not 1 <= len(found) <= MAX_FRAMES:
        raise ValueError(f"{key} has {len(found)} boxes instead of 1 to {MAX_FRAMES}")
    boxes = [_numbers(box, key, 4) for box in found]
    if any(width < 0 or height < 0 for _, _, width, height in boxes):
        raise ValueError(f"{key}: a box has a negative width or height")
    return boxes


def _moments(record: Record, key: str, later: str, top: int) -> tuple[F32, F32]:
    """Means (K,) and deviations (K,) of the classes, under the one name or the two of the later form."""
    if f"top10_{key}" in record:
        both = _list(record, f"top10_{key}", 2)
        return _f32(_numbers(both[0], f"top10_{key}", top)), _f32(_numbers(both[1], f"top10_{key}", top))
    return _f32(_row(record, f"top10_{later}_mu", top)), _f32(_row(record, f"top10_{later}_std", top))


def _labels(record: Record, key: str, length: int) -> np.ndarray[Any, np.dtype[np.int32]]:
    values = _list(record, key, length)
    if not all(type(value) is int and -(2**31) <= value < 2**31 for value in values):
        raise ValueError(f"{key}: a value is no number of a class")
    return np.array(values, np.int32)


def _texts(record: Record, key: str, length: int | None = None) -> list[str]:
    values = _list(record, key, length)
    if not all(isinstance(value, str) and len(value) <= _MAX_TEXT and _is_text(value) for value in values):
        raise ValueError(f"{key}: a value is no text of at most {_MAX_TEXT} characters")
    return values


def _is_text(value: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in value)


def _row(record: Record, key: str, length: int) -> list[float]:
    return _numbers(_list(record, key), key, length)


def _list(record: Record, key: str, length: int | None = None) -> list[Any]:
    if key not in record:
        raise ValueError(f"it has no {key}")
    return _checked(record[key], key, length)


def _checked(value: Any, key: str, length: int | None) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{key}: a {type(value).__name__} stands where a list should")
    if length is not None and len(value) != length:
        raise ValueError(f"{key}: {len(value)} values instead of {length}")
    return value


def _numbers(value: Any, key: str, length: int) -> list[float]:
    """The list as floats that float32 can hold."""
    values = _checked(value, key, length)
    if not all(type(one) in (int, float) and abs(one) <= 1e30 for one in values):
        raise ValueError(f"{key}: a value is no finite number")
    return [float(one) for one in values]


def _f32(values: Any) -> F32:
    return np.array(values, np.float32)
