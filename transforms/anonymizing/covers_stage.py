"""Stage covers: shots -> what must not be seen of them, frame by frame."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import apache_beam as beam
import numpy as np

from model_handlers.interface import Array, Pixels
from model_handlers.models.roles import KnownModels, Models
from transforms.anonymizing.covers_settings import CoverSettings, FindSettings
from transforms.anonymizing.fill_in import Filled, fill_in
from transforms.anonymizing.finding import KINDS, NONE, Found, find_models, hits
from transforms.anonymizing.linking import linked
from transforms.flow.gather import Branches, each
from transforms.flow.pieces import InPieces
from transforms.flow.stages import RowStage
from transforms.flow.steps import ask, enter, leave, step
from transforms.tables.cover_rows import ShotCovers
from transforms.tables.reasons import Rejected
from transforms.tables.schemas import derived
from transforms.tables.track_rows import SHOTS, PassedShot
from transforms.tables.video_rows import Shot
from transforms.videos.frame_cache import frame_pixels, frame_times

TABLE = "covers"


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A frame that is looked at: its number, and what was found in it."""

    media: str
    number: int
    pixels: Pixels | None = None
    found: Found = field(default_factory=dict)


def find_covers(settings: CoverSettings, models: KnownModels, reads: str = "shots") -> RowStage:
    """The stage covers: every shot's faces and plates, with the gaps filled in; `reads` is one of SHOTS."""
    used = find_models(settings.find, models)
    return RowStage(
        name="covers",
        reads=reads,
        row_in=SHOTS[reads],
        writes=TABLE,
        row_out=ShotCovers,
        transform=partial(FindCovers, settings=settings, models=used, row_in=SHOTS[reads]),
        settings={"covers": settings},
        models=used,
    )


class FindCovers(beam.PTransform):
    """Item[Shot] -> branches of Outcome[ShotCovers]; `models` has the roles face and plate, or one of them."""

    def __init__(self, run: str, settings: CoverSettings, models: Models, row_in: type[Any] = Shot) -> None:
        super().__init__()
        self._run, self._settings, self._models, self._row_in = run, settings, models, row_in

    def expand(self, items: beam.PCollection) -> Branches:
        """Each shot goes through the models frame by frame."""
        run, settings = self._run, self._settings
        in_frames = InPieces(
            partial(samples_of, run, settings), _Look(run, settings, self._models), partial(cover_row, run, settings)
        )
        return each(items | "Enter" >> enter() | "In frames" >> in_frames, "Leave", leave(self._row_in))


class _Look(beam.PTransform):
    """Visits of samples: decode, find each kind that has a model."""

    def __init__(self, run: str, settings: CoverSettings, models: Models) -> None:
        super().__init__()
        self._run, self._settings, self._models = run, settings, models

    def expand(self, samples: beam.PCollection) -> beam.PCollection:
        seen = samples | "Decode" >> step(partial(_decode, self._run))
        find = self._settings.find
        for kind in KINDS:
            if kind in self._models:
                look = ask(self._models, kind, find.inference, _frame, partial(_with_hits, find, kind))
                seen = seen | f"Find {kind}" >> look
        return seen | "Forget pixels" >> step(_slim)


def samples_of(run: str, settings: CoverSettings, shot: Shot | PassedShot) -> list[Sample]:
    """The frames that are looked at for a shot, in order."""
    first, end = _stretch(frame_times(run, shot.media)[0], settings, shot)
    return [Sample(shot.media, number) for number in range(first, end, settings.every_frames)]


def _stretch(times: Array, settings: CoverSettings, shot: Shot | PassedShot) -> tuple[int, int]:
    """The shot's first frame and the one after its last, with those `around` it."""
    if not 0 <= shot.first_frame < shot.end_frame <= len(times):
        raise ValueError(f"{shot.shot_id}: the video has no frames {shot.first_frame} to {shot.end_frame}")
    begin, stop = times[shot.first_frame] - settings.around, times[shot.end_frame - 1] + settings.around
    return int(np.searchsorted(times, begin)), int(np.searchsorted(times, stop, side="right"))


def _decode(run: str, sample: Sample) -> Sample:
    return replace(sample, pixels=frame_pixels(run, sample.media, sample.number))


def _frame(sample: Sample) -> list[tuple[Any, ...]]:
    return [(sample.pixels,)]


def _with_hits(settings: FindSettings, kind: str, sample: Sample, results: list[Any]) -> Sample:
    return replace(sample, found={**sample.found, kind: hits(kind, settings, results)})


def _slim(sample: Sample) -> Sample:
    return replace(sample, pixels=None)


def cover_row(
    run: str, settings: CoverSettings, shot: Shot | PassedShot, samples: list[Sample | Rejected]
) -> tuple[ShotCovers, ...]:
    """The row of a shot, whether anything is covered or not; Rejected if too little of it could be looked at."""
    times = frame_times(run, shot.media)[0]
    first, end = _stretch(times, settings, shot)
    numbers = np.arange(first, end, settings.every_frames)
    check_examined(samples, times[numbers], settings)
    return (_row(shot, _covers(samples, times[first:end], settings, shot), first),)


def check_examined(samples: Sequence[Sample | Rejected], times: Array, settings: CoverSettings) -> None:
    """Rejected with the reason of the first frame that failed, if too many did, or too many in a row.

    times (N,): seconds at which the frames of the samples begin.
    """
    failed = np.array([isinstance(sample, Rejected) for sample in samples], bool)
    if not failed.any():
        return
    why = next(sample for sample in samples if isinstance(sample, Rejected))
    edges = np.flatnonzero(np.diff(np.concatenate([[False], failed, [False]])))
    longest = max(float(times[last - 1] - times[start]) for start, last in edges.reshape(-1, 2))
    if failed.sum() > settings.max_failed_share * len(samples) or longest > settings.beyond:
        detail = f"{failed.sum()} of {len(samples)} frames, up to {longest:.2f} s in a row; the first: {why.detail}"
        raise Rejected(why.code, detail)


def _covers(
    samples: Sequence[Sample | Rejected], times: Array, settings: CoverSettings, shot: Shot | PassedShot
) -> list[tuple[str, Filled]]:
    """All tracks of the stretch with their kinds; times (T,) of all of its frames."""
    tracks = []
    for kind in KINDS:
        seen = [sample.found.get(kind, NONE) if isinstance(sample, Sample) else NONE for sample in samples]
        for track in linked(seen, times[:: settings.every_frames], settings.max_gap):
            pairs = list(zip(track.frames.tolist(), track.rows.tolist(), strict=True))
            boxes = np.array([seen[place].boxes[row] for place, row in pairs])
            scores = np.array([seen[place].scores[row] for place, row in pairs])
            places = track.frames * settings.every_frames
            tracks.append((kind, fill_in(places, boxes, scores, times, (shot.width, shot.height), settings)))
    return tracks


def _row(shot: Shot | PassedShot, tracks: Sequence[tuple[str, Filled]], first: int) -> ShotCovers:
    """`first` is the number of the frame at place 0; what lies before or behind the shot is left out."""
    filled = [track for _, track in tracks]
    numbers = _joined([track.places + first for track in filled], np.zeros(0, np.int64))
    which = np.repeat(np.arange(len(filled)), [len(track.places) for track in filled])
    inside = np.flatnonzero((numbers >= shot.first_frame) & (numbers < shot.end_frame))
    order = inside[np.lexsort((which[inside], numbers[inside]))]
    _, named = np.unique(which[order], return_inverse=True)
    return derived(
        ShotCovers,
        shot,
        numbers=numbers[order].tolist(),
        boxes=_joined([track.boxes for track in filled], NONE.boxes)[order],
        kinds=[tracks[n][0] for n in which[order].tolist()],
        tracks=named.astype(np.int32),
        found=_joined([track.hits for track in filled], np.zeros(0, bool))[order].tolist(),
        scores=_joined([track.scores for track in filled], NONE.scores)[order],
    )


def _joined(parts: list[Array], empty: Array) -> Array:
    return np.concatenate(parts) if parts else empty
