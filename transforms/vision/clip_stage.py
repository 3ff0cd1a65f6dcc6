"""Stage clips: spans -> the files of each, with scores."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import apache_beam as beam
import numpy as np

from model_handlers.catalogue import Entry
from model_handlers.handlers import codec, handler
from model_handlers.interface import Array
from transforms.tables.steps import AskModel, Question, enter, leave, step
from transforms.tables.video_schemas import Clip, FaceSpan
from transforms.vision.clip_files import ClipFiles, write_clip
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


class WriteClips(beam.PTransform):
    """Item[FaceSpan] -> Outcome[Clip]; `models` has the entries of the scores that settings name, by their roles."""

    def __init__(self, run: str, settings: ClipSettings, models: Mapping[str, Entry], device: str = "cpu") -> None:
        super().__init__()
        self._run, self._settings, self._models, self._device = run, settings, models, device

    def expand(self, items: beam.PCollection) -> beam.PCollection:
        """Write the files while the frames are decoded, then ask each model that is configured."""
        settings = self._settings
        run = {"device": self._device, **settings.inference.model_dump()}
        clips = items | "Enter" >> enter() | "Write files" >> step(partial(_write, self._run, settings))
        for role in [role for role, name in settings.scores if name is not None]:
            entry = self._models[role]
            clips = clips | f"Score {role}" >> AskModel(handler(entry, **run), _question(role, entry))
        return clips | "Row" >> step(_row) | "Leave" >> leave(_span_id)


def _span_id(span: FaceSpan) -> str:
    return span.span_id


def _write(run: str, settings: ClipSettings, span: FaceSpan) -> _Clip:
    return _Clip(write_clip(run, settings, span))


def _question(role: str, entry: Entry) -> Question:
    if role in QUALITY:
        return Question(codec(entry), _drawn, partial(_mean, role))
    return Question(codec(entry), _first, _difference)


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
    row = Clip(
        clip_id=span.span_id,
        shot_id=span.shot_id,
        video_id=span.video_id,
        label=span.label,
        source=span.source,
        media=span.media,
        file=files.file,
        bytes=files.bytes,
        sha256=files.sha256,
        lmdb=files.lmdb,
        lmdb_frames=files.lmdb_frames,
        audio=files.audio,
        first_frame=span.first_frame,
        end_frame=span.end_frame,
        start=files.start,
        end=files.end,
        crop_box=files.crop_box.astype(np.float32),
        side=int(files.crop_box[2] - files.crop_box[0]),
        face_score=float(np.mean(span.scores)),
        sharpness=files.sharpness,
        face_consistency=span.face_consistency,
        brisque=clip.scores.get("brisque"),
        clip_score=clip.scores.get("clip_image"),
        hyperiqa=clip.scores.get("hyperiqa"),
        clipiqa=clip.scores.get("clipiqa"),
    )
    return (row,)
