"""The format mot: the text files of MOTChallenge, which TrackEval and py-motmetrics read.

`<video_id>/gt/gt.txt` has a line for each box: frame, track, left, top, width, height, 1, class, 1. Frames, tracks,
classes and, as MOTChallenge has it, pixels count from 1. The seventh number is a flag there (0: left out of the
evaluation), and the last the visible share, which no one has told. A track has one class in all its frames: its
number in the vocabulary and 1, so that COCO's person is MOTChallenge's pedestrian. TrackEval judges results of that
class alone: those of others it reads in the form of `coco_video`.
Frames are those of the video's file: only frames that were looked at have lines, where a track was found in them.
`<video_id>/seqinfo.ini` tells the sequence's size, and `~seqmap.txt` lists the sequences.
"""

from collections.abc import Iterable

import numpy as np

from model_handlers.geometry import sized
from transforms.bundle.tracks.format import Open, TrackFormat, VideoTracks
from transforms.tables.track_rows import PlannedVideo, Track

SEQUENCES = "~seqmap.txt"  # no id of a video has a ~ with this behind it


def files(video_id: str) -> tuple[str, str]:
    """The boxes of a video, and what is told of it."""
    return f"{video_id}/gt/gt.txt", f"{video_id}/seqinfo.ini"


def write(video: VideoTracks, open_file: Open) -> None:
    """Write both files, boxes by frame and track."""
    boxes, told = files(video.video.video_id)
    with open_file(boxes) as out:
        out.write(b"".join(lines(video.tracks())))
    with open_file(told) as out:
        out.write(sequence(video.video).encode())


def lines(tracks: Iterable[Track]) -> Iterable[bytes]:
    """The line of each box, by frame and track; tracks are numbered as they come."""
    rows = [np.empty((0, 7))]
    for number, track in enumerate(tracks, 1):
        boxes = sized(track.boxes) + np.array([1, 1, 0, 0])
        told = np.tile([number, int(track.top_classes[0]) + 1], (len(boxes), 1))
        frames = np.asarray(track.numbers, np.float64)[:, None] + 1
        rows.append(np.concatenate([frames, told, boxes], axis=1))
    found = np.concatenate(rows)
    for frame, number, kind, *box in found[np.lexsort((found[:, 1], found[:, 0]))].tolist():
        yield b"%d,%d,%.2f,%.2f,%.2f,%.2f,1,%d,1\n" % (frame, number, *box, kind)


def sequence(video: PlannedVideo) -> str:
    """The content of `seqinfo.ini`; its readers take whole frame rates only."""
    told = {
        "name": video.video_id,
        "imDir": "img1",
        "frameRate": max(1, round(video.fps)),
        "seqLength": video.frames,
        "imWidth": video.width,
        "imHeight": video.height,
        "imExt": ".jpg",
    }
    return "".join(["[Sequence]\n", *(f"{key}={value}\n" for key, value in told.items())])


def write_sequences(videos: Iterable[VideoTracks], open_file: Open) -> None:
    """Write the list of sequences, as TrackEval's SEQMAP_FILE: a line `name`, then one a sequence."""
    with open_file(SEQUENCES) as out:
        out.write(b"name\n")
        for video in videos:
            out.write(f"{video.video.video_id}\n".encode())


FORMAT = TrackFormat("mot", files, write, (SEQUENCES,), write_sequences)
