"""Stage clips: tracks -> clips that follow the object, and their boxes."""

from functools import partial

import apache_beam as beam

from transforms.flow.stages import RowStage
from transforms.flow.steps import enter, leave, step
from transforms.settings import Settings
from transforms.tables.track_rows import Track, TrackClip
from transforms.tracking.clip_files import TABLE, CoverOf, cut_track
from transforms.tracking.clip_settings import TrackClipSettings


def write_track_clips(
    settings: TrackClipSettings,
    without: str | None = None,
    cover_of: CoverOf | None = None,
    also: tuple[str, ...] = (),
    covering: Settings | None = None,
) -> RowStage:
    """The stage clips: each track as clips, but those whose ids the table `without` lists.

    `cover_of` gives for a run and a shot a function that covers, in a frame of it, what must not be seen: it takes the
    frame's number and its pixels, which it must not change, and gives others. It looks into the tables `also`, and
    `covering` are the settings that it goes by.
    """
    return RowStage(
        name="clips",
        reads="tracks",
        row_in=Track,
        writes=TABLE,
        row_out=TrackClip,
        transform=partial(WriteTrackClips, settings=settings, cover_of=cover_of),
        settings={"clips": settings} | ({} if covering is None else {"covering": covering}),
        without=without,
        also=also,
    )


class WriteTrackClips(beam.PTransform):
    """Item[Track] -> Outcome[TrackClip], a row for each clip."""

    def __init__(self, run: str, settings: TrackClipSettings, cover_of: CoverOf | None = None) -> None:
        super().__init__()
        self._run, self._settings, self._cover_of = run, settings, cover_of

    def expand(self, items: beam.PCollection) -> beam.PCollection:
        """Write the clips of each track by itself."""
        write = partial(cut_track, self._run, self._settings, self._cover_of)
        return items | "Enter" >> enter() | "Write" >> step(write) | "Leave" >> leave(Track)
