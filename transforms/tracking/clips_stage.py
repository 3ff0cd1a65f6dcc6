"""Stage clips: tracks -> clips that follow the object, and their boxes."""

from functools import partial

import apache_beam as beam

from transforms.flow.stages import RowStage
from transforms.flow.steps import enter, leave, step
from transforms.tables.track_rows import Track, TrackClip
from transforms.tracking.clip_files import TABLE, cut_track
from transforms.tracking.clip_settings import TrackClipSettings
from transforms.videos.covering import Covering


def write_track_clips(
    settings: TrackClipSettings, without: str | None = None, covering: Covering | None = None
) -> RowStage:
    """The stage clips: each track as clips, but those whose ids the table `without` lists.

    Frames are covered where `covering` is given, before anything is cut out of them.
    """
    return RowStage(
        name="clips",
        reads="tracks",
        row_in=Track,
        writes=TABLE,
        row_out=TrackClip,
        transform=partial(WriteTrackClips, settings=settings, covering=covering),
        settings={"clips": settings, **(covering.settings if covering else {})},
        without=without,
        also=covering.tables if covering else (),
    )


class WriteTrackClips(beam.PTransform):
    """Item[Track] -> Outcome[TrackClip], a row for each clip."""

    def __init__(self, run: str, settings: TrackClipSettings, covering: Covering | None = None) -> None:
        super().__init__()
        self._run, self._settings, self._covering = run, settings, covering

    def expand(self, items: beam.PCollection) -> beam.PCollection:
        """Write the clips of each track by itself."""
        write = partial(cut_track, self._run, self._settings, self._covering)
        return items | "Enter" >> enter() | "Write" >> step(write) | "Leave" >> leave(Track)
