"""The format coco_video: `annotations.json`, all videos in one file of COCO's form for videos, as TAO has it.

Its lists are `videos`, `images`, `tracks`, `annotations` and `categories`. A box is an annotation [x, y, width, height]
that names its track, its image and its video. TAO's toolkit reads it, TrackEval as TAO, and, by the keys `frame_id` and
`instance_id` besides, what reads CocoVID. An image is a frame that was looked at, with a track in it or not: `frame_id`
is its place among those of its video, `frame_index` the frame's number in the file, both from 0, and `file_name` is
`<video_id>/<frame, 6 digits>.jpg`. Other ids count from 1; a category's is its number in the vocabulary and 1.

One worker writes it in one pass over all tracks. The lists grow in temporary files of their own, as large together as
the result; of the tracks those of one video are in memory.
"""

import json
import shutil
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from typing import IO, Any

import numpy as np

from model_handlers.geometry import sized
from transforms.bundle.tracks.format import Open, TrackFormat, VideoTracks
from transforms.tables.track_rows import PlannedVideo, Track

ANNOTATIONS = "annotations.json"
_LISTS = ("videos", "images", "tracks", "annotations")


class _Lists:
    """Lists of JSON that grow at the same time, each in a file of its own."""

    def __init__(self, files: dict[str, IO[bytes]]) -> None:
        self._files, self._counts = files, dict.fromkeys(files, 0)

    def add(self, kind: str, /, **values: Any) -> int:
        """Append an object, whose `id` is its number from 1; returns that."""
        self._counts[kind] += 1
        before = ",\n" if self._counts[kind] > 1 else ""
        text = json.dumps({"id": self._counts[kind], **values}, allow_nan=False)
        self._files[kind].write(f"{before}{text}".encode())
        return self._counts[kind]

    def copy(self, kind: str, out: IO[bytes]) -> None:
        """Write a list, without its brackets."""
        self._files[kind].seek(0)
        shutil.copyfileobj(self._files[kind], out, 2**20)


def files(video_id: str) -> tuple[str, ...]:
    """A video has no file of its own."""
    return ()


def write(video: VideoTracks, open_file: Open) -> None:
    """There is nothing to write of one video."""


def write_all(videos: Iterable[VideoTracks], open_file: Open) -> None:
    """Write `annotations.json`."""
    categories: dict[int, str] = {}
    with ExitStack() as stack:
        lists = _Lists({kind: stack.enter_context(tempfile.TemporaryFile()) for kind in _LISTS})
        for video in videos:
            _add_video(lists, video, categories)
        out = stack.enter_context(open_file(ANNOTATIONS))
        out.write(b'{"info": {}, "licenses": []')
        for name in _LISTS:
            out.write(f',\n"{name}": [\n'.encode())
            lists.copy(name, out)
            out.write(b"]")
        out.write(b',\n"categories": ' + json.dumps(_categories(categories)).encode() + b"}\n")


def _categories(names: dict[int, str]) -> list[dict[str, Any]]:
    return [{"id": number + 1, "name": names[number], "synset": "unknown"} for number in sorted(names)]


def _add_video(lists: _Lists, video: VideoTracks, categories: dict[int, str]) -> None:
    told, tracks = video.video, video.tracks()
    size = {"width": told.width, "height": told.height}
    metadata = {"media": told.media, "fps": told.fps, "frames": told.frames}
    exhaustive: dict[str, list[int]] = {"neg_category_ids": [], "not_exhaustive_category_ids": []}
    video_number = lists.add("videos", name=told.video_id, **size, **exhaustive, metadata=metadata)
    numbers = sorted({*video.seen(), *(number for track in tracks for number in track.numbers)})
    images = {
        number: lists.add("images", **_image(told, number), video_id=video_number, frame_id=place, **size)
        for place, number in enumerate(numbers)
    }
    for track in tracks:
        kind = int(track.top_classes[0])
        categories.setdefault(kind, track.class_name)
        of_track = {"video_id": video_number, "category_id": kind + 1}
        number = lists.add("tracks", **of_track, name=track.track_id)
        _add_boxes(lists, track, images, {**of_track, "track_id": number, "instance_id": number})


def _image(video: PlannedVideo, number: int) -> dict[str, Any]:
    name = f"{video.video_id}/{number:06d}.jpg"
    return {"file_name": name, "video": video.video_id, "frame_index": number, "license": 0}


def _add_boxes(lists: _Lists, track: Track, images: dict[int, int], more: dict[str, int]) -> None:
    boxes = sized(track.boxes).tolist()
    for number, box, score in zip(track.numbers, boxes, np.asarray(track.scores, np.float64).tolist(), strict=True):
        area = box[2] * box[3]
        lists.add("annotations", image_id=images[number], **more, bbox=box, area=area, score=score, iscrowd=0)


FORMAT = TrackFormat("coco_video", files, write, (ANNOTATIONS,), write_all)
