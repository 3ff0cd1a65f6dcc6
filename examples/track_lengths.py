"""A format of tracks of one's own: a CSV file for each video, with a line a track."""

from transforms.bundle.tracks.format import Open, TrackFormat, VideoTracks
from transforms.tables.csv_cells import csv_rows


def files(video_id: str) -> tuple[str, ...]:
    """The one file of a video."""
    return (f"{video_id}.csv",)


def write(video: VideoTracks, open_file: Open) -> None:
    """Write each track's class and how long it is, seconds."""
    (path,) = files(video.video.video_id)
    with open_file(path) as out:
        row = csv_rows(out)
        row(["track", "class", "seconds"])
        for track in video.tracks():
            row([track.track_id, track.class_name, round(track.end - track.start, 3)])


FORMAT = TrackFormat("lengths", files, write)
