"""Stage detections: sampled frames -> every face in them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import apache_beam as beam
import numpy as np

from model_handlers.catalogue import Entry
from model_handlers.handlers import codec, handler
from model_handlers.interface import Detections, Pixels
from transforms.media.frame_cache import frame_pixels
from transforms.tables.reasons import Rejected
from transforms.tables.steps import AskModel, Question, enter, leave, step
from transforms.tables.video_schemas import Detection, Frame
from transforms.vision.settings import DetectionSettings


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """A frame on its way through the stage."""

    frame: Frame
    pixels: Pixels


class FindDetections(beam.PTransform):
    """Item[Frame] -> Outcome[Detection]; `models` has the entry of the role face."""

    def __init__(self, run: str, settings: DetectionSettings, models: Mapping[str, Entry], device: str = "cpu") -> None:
        super().__init__()
        self._run, self._settings, self._entry, self._device = run, settings, models["face"], device

    def expand(self, items: beam.PCollection) -> beam.PCollection:
        """Decode the frame by its pointer, detect faces."""
        run = {"device": self._device, **self._settings.inference.model_dump()}
        faces = Question(codec(self._entry, self._settings.detector_side), _whole_frame, partial(_rows, self._settings))
        return (
            items
            | "Enter" >> enter()
            | "Decode" >> step(partial(_decode, self._run))
            | "Detect faces" >> AskModel(handler(self._entry, **run), faces)
            | "Leave" >> leave(_frame_id)
        )


def _frame_id(frame: Frame) -> str:
    return frame.frame_id


def _decode(run: str, frame: Frame) -> _Seen:
    return _Seen(frame, frame_pixels(run, frame.media, frame.number))


def _whole_frame(seen: _Seen) -> list[tuple[Any, ...]]:
    return [(seen.pixels,)]


def _rows(settings: DetectionSettings, seen: _Seen, results: list[Detections]) -> tuple[Detection, ...]:
    """The faces above the threshold, best first."""
    (found,) = results
    good = np.flatnonzero(found.scores >= settings.min_score)
    if not good.size or found.landmarks is None:
        raise Rejected("no_face", f"best score {found.scores.max(initial=0):.2f}, less than {settings.min_score}")
    return tuple(_row(seen.frame, found, n) for n in good.tolist())


def _row(frame: Frame, found: Detections, n: int) -> Detection:
    assert found.landmarks is not None  # _rows ends detectors without landmarks
    return Detection(
        face_id=f"{frame.frame_id}-f{n}",
        frame_id=frame.frame_id,
        video_id=frame.video_id,
        label=frame.label,
        source=frame.source,
        media=frame.media,
        number=frame.number,
        time=frame.time,
        segment=frame.segment,
        sample=frame.sample,
        shot=frame.shot,
        width=frame.width,
        height=frame.height,
        box=found.boxes[n],
        score=float(found.scores[n]),
        landmarks=found.landmarks[n],
    )
