"""Stage frames: videos -> the frames of them that are looked at, by pointer."""

from collections.abc import Sequence
from functools import partial

import apache_beam as beam

from model_handlers.models.roles import KnownModels, Models
from transforms.flow.stages import RowStage
from transforms.flow.steps import enter, leave, step
from transforms.tables.item_ids import frame_id
from transforms.tables.reasons import Rejected
from transforms.tables.schemas import derived
from transforms.tables.video_rows import Frame, Video
from transforms.videos.library import local_file
from transforms.videos.reader import VideoReader
from transforms.videos.sampling import Range, Sample, SamplingSettings, looked_at, sample
from transforms.videos.shot_settings import ShotSettings
from transforms.videos.shots import detect_shots, frame_edges
from transforms.videos.shots_stage import cut_models, network


def sample_frames(sampling: SamplingSettings, shots: ShotSettings, models: KnownModels) -> RowStage:
    """The stage frames: the frames of each video that are looked at; `shots` says how shots are found, if they are."""
    used = cut_models(shots, models) if sampling.needs_shots else Models()
    return RowStage(
        name="frames",
        reads="videos",
        row_in=Video,
        writes="frames",
        row_out=Frame,
        transform=partial(SampleFrames, sampling=sampling, shots=shots, models=used),
        settings={"sampling": sampling, "shots": shots} if sampling.needs_shots else {"sampling": sampling},
        models=used,
    )


class SampleFrames(beam.PTransform):
    """Item[Video] -> Outcome[Frame]; `models` has the role cuts if shots are found by a network."""

    def __init__(self, run: str, sampling: SamplingSettings, shots: ShotSettings, models: Models) -> None:
        super().__init__()
        self._run, self._sampling, self._shots, self._models = run, sampling, shots, models

    def expand(self, items: beam.PCollection) -> beam.PCollection:
        """Read the times of each video's frames; no pixels, unless shots are to be found."""
        pick = partial(samples_of, self._run, self._sampling, self._shots, self._models)
        return items | "Enter" >> enter() | "Sample" >> step(pick) | "Leave" >> leave(Video)


def samples_of(
    run: str, sampling: SamplingSettings, shots: ShotSettings, models: Models, video: Video
) -> tuple[Frame, ...]:
    """The rows of a video's samples; Rejected `no_sample`, `no_shot`, or as the video's reader says."""
    found: Sequence[Range] = ()
    with local_file(run, video.media) as path, VideoReader(path) as reader:
        times, costs = reader.times, reader.costs
        if sampling.needs_shots:
            scores, spans = network(models, shots.threads), looked_at(sampling, video.spans)
            found = detect_shots(reader, frame_edges(times, reader.seconds), spans, shots, scores)
    samples = sample(sampling, times, video.spans, found, costs)
    if not samples:
        why = "no_shot" if sampling.method == "per_shot" else "no_sample"
        raise Rejected(why, f"{times[-1]:.2f} seconds of video, {len(video.spans or ())} listed spans")
    shot = shots_of(found, len(times))
    return tuple(_row(video, one, float(times[one.number]), shot[one.number]) for one in samples)


def shots_of(shots: Sequence[Range], frames: int) -> list[int | None]:
    """(frames,) the place of the first shot, by time, that has each frame; None if none has."""
    found: list[int | None] = [None] * frames
    for place, (first, end) in reversed(list(enumerate(shots))):
        found[first:end] = [place] * (end - first)
    return found


def _row(video: Video, one: Sample, time: float, shot: int | None) -> Frame:
    return derived(
        Frame,
        video,
        frame_id=frame_id(video.video_id, one.number),
        number=one.number,
        time=time,
        segment=one.segment,
        sample=one.sample,
        shot=shot,
    )
