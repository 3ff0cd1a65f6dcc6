"""The format trackverse: the files that TrackVerse's own programs write and read, in folders of two characters.

`<id[:2]>/<id>-meta.jsonl.gzip` has a track a line, `<id>-progress.json` beside it the shots that were looked at to the
end and the number of tracks. A video without a track has both files too. The lines are one gzip member, where
TrackVerse has one a shot: readers that stop after the first member lose nothing.
"""

import gzip
import json

from transforms.bundle.tracks.format import Open, TrackFormat, VideoTracks
from transforms.tables.trackverse import to_line, track_record

_LEVEL = 6  # of gzip: fixed, as the time in its header, so that equal tracks give equal bytes


def files(video_id: str) -> tuple[str, str]:
    """The lines and the progress of a video."""
    stem = f"{video_id[:2]}/{video_id}"
    return f"{stem}-meta.jsonl.gzip", f"{stem}-progress.json"


def write(video: VideoTracks, open_file: Open) -> None:
    """Write both files; tracks are numbered from 0 within the video."""
    meta, progress = files(video.video.video_id)
    tracks = video.tracks()
    with (
        open_file(meta) as out,
        gzip.GzipFile(filename="", mode="wb", compresslevel=_LEVEL, fileobj=out, mtime=0) as packed,
    ):
        for number, track in enumerate(tracks):
            packed.write(to_line(track_record(track, number)))
    done = {"segments_complete": video.video.segments, "num_tracks": len(tracks)}
    with open_file(progress) as out:
        out.write(json.dumps(done, allow_nan=False).encode())


FORMAT = TrackFormat("trackverse", files, write)
