"""Stage filters: shots -> those that every configured filter lets pass.

Filters by statistics are asked first, all of them; only of shots that pass these do models see frames.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import apache_beam as beam
import numpy as np

from model_handlers.interface import Array, Pixels
from model_handlers.models.roles import KnownModels, Models
from transforms.filtering.filter_settings import FilterSettings
from transforms.filtering.limits import BY_MODELS, Limits, by_models, by_statistics, check
from transforms.filtering.shot_filter import mean, measured, score
from transforms.flow.gather import Branches, each
from transforms.flow.pieces import InPieces, succeeded
from transforms.flow.stages import RowStage
from transforms.flow.steps import ask, enter, leave, step
from transforms.tables.schemas import derived
from transforms.tables.track_rows import PassedShot
from transforms.tables.video_rows import Shot
from transforms.videos.frame_cache import frame_pixels, frame_times
from transforms.videos.sampling import every_seconds

_EPSILON = 1e-6  # seconds; times are floats


@dataclass(frozen=True, slots=True, eq=False)
class _Scored:
    """A shot on its way through the stage, and the scores of the filters that it has passed."""

    shot: Shot
    scores: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class _Frame:
    """A frame that is looked at, and what filters measured of it, by name."""

    media: str
    number: int
    pixels: Pixels | None = None
    measured: dict[str, Array] = field(default_factory=dict)


def filter_shots(settings: FilterSettings, models: KnownModels) -> RowStage:
    """The stage filters: the shots that every configured filter lets pass."""
    used = models.of(**{one.name: getattr(settings, one.name).model for one in by_models(settings)})
    return RowStage(
        name="filters",
        reads="shots",
        row_in=Shot,
        writes="passed_shots",
        row_out=PassedShot,
        transform=partial(FilterShots, settings=settings, models=used),
        settings={"filters": settings},
        models=used,
    )


class FilterShots(beam.PTransform):
    """Item[Shot] -> branches of Outcome[PassedShot]; `models` has a role for each configured filter by a model."""

    def __init__(self, run: str, settings: FilterSettings, models: Models) -> None:
        super().__init__()
        self._run, self._settings, self._models = run, settings, models

    def expand(self, items: beam.PCollection) -> Branches:
        """Each shot goes through the filters frame by frame; where none is configured, no frame is decoded."""
        run, settings = self._run, self._settings
        frames, statistics, models = partial(_frames, run, settings), by_statistics(settings), by_models(settings)
        shots = items | "Enter" >> enter() | "Begin" >> step(_Scored)
        if statistics:
            look = step(partial(_with_measured, run, [one.name for one in statistics]))
            scores = partial(_passed, settings, statistics)
            shots = each(shots, "By statistics", InPieces(frames, look, scores))
        if models:
            ask_all = _AskModels(run, settings, self._models)
            shots = each(shots, "By models", InPieces(frames, ask_all, partial(_passed, settings, models)))
        return each(each(shots, "Row", step(_rows)), "Leave", leave(Shot))


class _AskModels(beam.PTransform):
    """Visits of frames: decode, ask every model, forget the pixels."""

    def __init__(self, run: str, settings: FilterSettings, models: Models) -> None:
        super().__init__()
        self._run, self._settings, self._models = run, settings, models

    def expand(self, frames: beam.PCollection) -> beam.PCollection:
        seen = frames | "Decode" >> step(partial(_decoded, self._run))
        for role in self._models.entries:
            question = ask(self._models, role, self._settings.inference, _pixels, partial(_with_answer, role))
            seen = seen | f"Ask {role}" >> question
        return seen | "Forget pixels" >> step(_slim)


def sampled(settings: FilterSettings, shot: Shot, times: Array) -> list[int]:
    """The numbers of the frames of a shot that are looked at; `times` (N,) has those of all frames of its video."""
    until = int(np.searchsorted(times, shot.start + settings.seconds - _EPSILON))
    end = min(shot.end_frame, max(until, shot.first_frame + 1))
    return every_seconds(times, (shot.first_frame, end), 1 / settings.frames_per_second)


def _frames(run: str, settings: FilterSettings, scored: _Scored) -> list[_Frame]:
    shot = scored.shot
    times, _ = frame_times(run, shot.media)
    return [_Frame(shot.media, number) for number in sampled(settings, shot, times)]


def _decoded(run: str, frame: _Frame) -> _Frame:
    return replace(frame, pixels=frame_pixels(run, frame.media, frame.number))


def _with_measured(run: str, names: Sequence[str], frame: _Frame) -> _Frame:
    pixels = frame_pixels(run, frame.media, frame.number)
    return replace(frame, measured={name: measured(name, pixels) for name in names})


def _pixels(frame: _Frame) -> list[tuple[Any, ...]]:
    return [(frame.pixels,)]


def _with_answer(role: str, frame: _Frame, results: list[float]) -> _Frame:
    (answer,) = results
    return replace(frame, measured={**frame.measured, role: np.asarray(answer)})


def _slim(frame: _Frame) -> _Frame:
    return replace(frame, pixels=None)


def _passed(settings: FilterSettings, limits: Sequence[Limits], scored: _Scored, frames: list[Any]) -> _Scored:
    """With the scores of these filters; Rejected if too many frames failed, or if a score does not keep its limits."""
    seen: list[_Frame] = succeeded(frames, settings.max_failed_share)
    found = {one.name: [frame.measured[one.name] for frame in seen] for one in limits}
    scores = {name: mean(values) if name in BY_MODELS else score(name, values) for name, values in found.items()}
    check(limits, scores)
    return replace(scored, scores=scored.scores | scores)


def _rows(scored: _Scored) -> tuple[PassedShot, ...]:
    scores = np.array(list(scored.scores.values()), np.float32)
    return (derived(PassedShot, scored.shot, filters=list(scored.scores), filter_scores=scores),)
