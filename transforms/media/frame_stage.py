"""Stage frames: videos -> the frames of them that are looked at, by pointer."""

from collections.abc import Mapping, Sequence
from functools import partial

import apache_beam as beam

from model_handlers.catalogue import Entry
from transforms.media.library import local_file
from transforms.media.sampling import Range, Sample, SamplingSettings, sample
from transforms.media.shot_settings import ShotSettings
from transforms.media.shot_stage import network
from transforms.media.shots import detect_shots, frame_edges
from transforms.media.video_reader import VideoReader
from transforms.tables.reasons import Rejected
from transforms.tables.steps import enter, leave, step
from transforms.tables.video_schemas import Frame, Video


class SampleFrames(beam.PTransform):
    """Item[Video] -> Outcome[Frame]; sampling by shot finds the shots as the stage shots does.

    `models` has the entry of the role cuts if sampling is by shot and the detector is a network.
    """

    def __init__(
        self,
        run: str,
        sampling: SamplingSettings,
        shots: ShotSettings,
        models: Mapping[str, Entry],
        device: str = "cpu",
    ) -> None:
        super().__init__()
        self._run, self._sampling, self._shots, self._device = run, sampling, shots, device
        by_network = sampling.method == "per_shot" and shots.detector == "transnetv2"
        self._network = models["cuts"] if by_network else None

    def expand(self, items: beam.PCollection) -> beam.PCollection:
        """Read the times of each video's frames; no pixels, unless shots are to be found."""
        pick = partial(sample_frames, self._run, self._sampling, self._shots, self._network, self._device)
        return items | "Enter" >> enter() | "Sample" >> step(pick) | "Leave" >> leave(_video_id)


def sample_frames(
    run: str, sampling: SamplingSettings, shots: ShotSettings, entry: Entry | None, device: str, video: Video
) -> tuple[Frame, ...]:
    """The rows of a video's samples; Rejected `no_sample`, `no_shot`, or as the video's reader says."""
    found: Sequence[Range] = ()
    with local_file(run, video.media) as path, VideoReader(path) as reader:
        times, costs = reader.times, reader.costs
        if sampling.method == "per_shot":
            scores = None if entry is None else network(entry, device, shots.threads)
            found = detect_shots(reader, frame_edges(times, reader.seconds), video.spans, shots, scores)
    samples = sample(sampling, times, video.spans, found, costs)
    if not samples:
        why = "no_shot" if sampling.method == "per_shot" else "no_sample"
        raise Rejected(why, f"{times[-1]:.2f} seconds of video, {len(video.spans or ())} listed spans")
    shot_of = {f"shot{number}": number for number in range(len(found))}  # segments are called so
    return tuple(_row(video, one, float(times[one.number]), shot_of.get(one.segment)) for one in samples)


def _row(video: Video, one: Sample, time: float, shot: int | None) -> Frame:
    return Frame(
        frame_id=f"{video.video_id}-n{one.number}",
        video_id=video.video_id,
        label=video.label,
        source=video.source,
        media=video.media,
        number=one.number,
        time=time,
        segment=one.segment,
        sample=one.sample,
        shot=shot,
        width=video.width,
        height=video.height,
    )


def _video_id(video: Video) -> str:
    return video.video_id
