"""Stage clips: spans -> the files of each, with scores."""

import math
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import apache_beam as beam
import numpy as np

from model_handlers.interface import Array
from model_handlers.models.roles import KnownModels, Models
from transforms.flow.stages import RowStage
from transforms.flow.steps import AskModel, ask, enter, leave, step
from transforms.settings import InferenceSettings
from transforms.tables.schemas import derived
from transforms.tables.video_rows import Clip, FaceSpan
from transforms.videos.covering import Covering
from transforms.vision.clip_files import TABLE, ClipFiles, write_clip
from transforms.vision.clip_settings import ClipSettings
from transforms.vision.identity_changes import largest_distance

QUALITY = ("brisque", "hyperiqa", "clipiqa")  # roles of the models that score single frames


@dataclass(frozen=True, slots=True, eq=False)
class _Clip:
    """A clip on its way through the stage: its files are written, scores are added one by one."""

    files: ClipFiles
    scores: dict[str, float | None] = field(default_factory=dict)

    def with_score(self, role: str, score: float | None) -> "_Clip":
        known = score is not None and math.isfinite(score)  # a model may have no number for an image all of one colour
        return replace(self, scores={**self.scores, role: score if known else None})


def write_clips(settings: ClipSettings, models: KnownModels, covering: Covering | None = None) -> RowStage:
    """The stage clips: the files of each span, with scores; covered where `covering` is given."""
    used = models.of(**dict(settings.scores))
    return RowStage(
        name="clips",
        reads="spans",
        row_in=FaceSpan,
        writes=TABLE,
        row_out=Clip,
        transform=partial(WriteClips, settings=settings, models=used, covering=covering),
        settings={"clips": settings, **(covering.settings if covering else {})},
        models=used,
        also=covering.tables if covering else (),
    )


class WriteClips(beam.PTransform):
    """Item[FaceSpan] -> Outcome[Clip]; each of the `models` gives the score of its role."""

    def __init__(self, run: str, settings: ClipSettings, models: Models, covering: Covering | None = None) -> None:
        super().__init__()
        self._run, self._settings, self._models, self._covering = run, settings, models, covering

    def expand(self, items: beam.PCollection) -> beam.PCollection:
        """Write the files while the frames are decoded, then ask each model that is configured."""
        settings = self._settings
        write = partial(_write, self._run, settings, self._covering)
        clips = items | "Enter" >> enter() | "Write files" >> step(write)
        for role in self._models.entries:
            clips = clips | f"Score {role}" >> _score(self._models, role, settings.inference)
        return clips | "Row" >> step(_row) | "Leave" >> leave(FaceSpan)


def _write(run: str, settings: ClipSettings, covering: Covering | None, span: FaceSpan) -> _Clip:
    return _Clip(write_clip(run, settings, span, covering))


def _score(models: Models, role: str, inference: InferenceSettings) -> AskModel:
    if role in QUALITY:
        return ask(models, role, inference, _drawn, partial(_mean, role))
    return ask(models, role, inference, _first, _difference)


def _first(clip: _Clip) -> list[tuple[Any, ...]]:
    return [(image,) for image in clip.files.first]


def _difference(clip: _Clip, results: list[Array]) -> _Clip:
    return clip.with_score("clip_image", largest_distance(np.array(results)))


def _drawn(clip: _Clip) -> list[tuple[Any, ...]]:
    return [(image,) for image in clip.files.drawn]


def _mean(role: str, clip: _Clip, results: list[float]) -> _Clip:
    return clip.with_score(role, float(np.mean(results)))


def _row(clip: _Clip) -> tuple[Clip, ...]:
    files, span = clip.files, clip.files.span
    row = derived(
        Clip,
        span,
        clip_id=span.span_id,
        file=files.file,
        bytes=files.bytes,
        sha256=files.sha256,
        lmdb=files.lmdb,
        lmdb_frames=files.lmdb_frames,
        audio=files.audio,
        start=files.start,
        end=files.end,
        crop_box=files.crop_box.astype(np.float32),
        side=int(files.crop_box[2] - files.crop_box[0]),
        face_score=float(np.mean(span.scores)),
        sharpness=files.sharpness,
        brisque=clip.scores.get("brisque"),
        clip_score=clip.scores.get("clip_image"),
        hyperiqa=clip.scores.get("hyperiqa"),
        clipiqa=clip.scores.get("clipiqa"),
    )
    return (row,)
