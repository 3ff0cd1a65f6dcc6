"""Stage frames: rows that point at the right frames, for each way of sampling."""

from fractions import Fraction

import numpy as np
import pytest

from model_handlers.models import catalogue
from model_handlers.models.roles import KnownModels, Models
from tests import videos
from transforms.flow.items import Item
from transforms.flow.stages import made_from
from transforms.tables.reasons import Rejected
from transforms.tables.video_rows import Video
from transforms.videos.container import probe
from transforms.videos.frame_cache import frame_pixels
from transforms.videos.frames_stage import SampleFrames, sample_frames, samples_of, shots_of
from transforms.videos.reader import VideoReader
from transforms.videos.sampling import SamplingSettings
from transforms.videos.settings import VideoAcceptSettings
from transforms.videos.shot_settings import ShotSettings

FRAMES = 100
SHOTS = ShotSettings(detector="content")


def row(run, name, spans=None) -> Video:
    info = probe(f"{run}/{name}", VideoAcceptSettings())
    return Video(
        video_id=name.partition(".")[0], url="u", label="a label", source='{"k": 1}', spans=spans, media=name, bytes=1,
        sha256="", container=info.container, codec=info.codec, width=info.width, height=info.height,
        rotation=info.rotation, frames=info.frames, seconds=info.seconds, fps=info.fps, has_audio=info.has_audio,
        origin="{}",
    )  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run with a numbered video at 20 frames a second, a turned one, and one of three photographs."""
    folder = tmp_path_factory.mktemp("run")
    how = videos.File(fps=Fraction(20), first=3.0)
    videos.write(folder / "numbers.mp4", videos.number_frames(FRAMES), how)
    videos.write(folder / "turned.mp4", videos.number_frames(20), videos.File(rotation=90))
    videos.write(folder / "shots.mp4", videos.scenes(["obama-1", "biden-1", "hill-1"], [30, 40, 30]))
    return str(folder)


def sampled(run, name, shots=SHOTS, spans=None, **settings):
    return samples_of(run, SamplingSettings(**settings), shots, Models(), row(run, name, spans))


@pytest.mark.parametrize(
    ("settings", "numbers"),
    [
        ({"per_segment": 2, "near_keys": False}, [0, 16, 33, 49, 66, 83]),
        ({"per_segment": 40}, list(range(FRAMES))),
        ({"method": "every_frames", "frames": 30, "near_keys": False}, [0, 30, 60, 90]),
        ({"method": "every_seconds", "seconds": 2}, [0, 40, 80]),
    ],
)
def test_rows_point_at_the_frames(run, settings, numbers):
    frames = sampled(run, "numbers.mp4", **settings)
    assert [frame.number for frame in frames] == numbers
    assert [frame.frame_id for frame in frames] == [f"numbers-n{number}" for number in numbers]
    np.testing.assert_allclose([frame.time for frame in frames], np.array(numbers) / 20, atol=1e-4)
    for frame in frames:
        pixels = frame_pixels(run, frame.media, frame.number)
        assert videos.read_number(pixels) == frame.number
        assert pixels.shape[:2] == (frame.height, frame.width)
        assert (frame.video_id, frame.label, frame.source, frame.shot) == ("numbers", "a label", '{"k": 1}', None)


def test_segments_number_their_samples(run):
    frames = sampled(run, "numbers.mp4", per_segment=3)
    assert [(frame.segment, frame.sample) for frame in frames] == [
        (segment, sample) for segment in ("front", "middle", "end") for sample in range(3)
    ]
    assert [frame.number for frame in frames] == sorted(frame.number for frame in frames)


def test_sizes_are_those_of_upright_frames(run):
    frame = sampled(run, "turned.mp4", per_segment=1)[0]
    pixels = frame_pixels(run, frame.media, frame.number)
    assert pixels.shape[:2] == (frame.height, frame.width)
    assert videos.read_number(pixels) == frame.number


def test_listed_spans(run):
    frames = sampled(run, "numbers.mp4", spans=[[1.0, 1.5], [4.0, 9.0]], per_segment=5, near_keys=False)
    assert [(frame.segment, frame.number) for frame in frames] == [
        *(("span0", number) for number in (20, 22, 24, 26, 28)),
        *(("span1", number) for number in (80, 84, 88, 92, 96)),
    ]


def test_shots(run):
    frames = sampled(run, "shots.mp4", method="per_shot")
    assert [(frame.shot, frame.number) for frame in frames] == [
        (0, 0), (0, 14), (0, 29), (1, 30), (1, 49), (1, 69), (2, 70), (2, 84), (2, 99),
    ]  # fmt: skip
    assert {frame.segment for frame in frames} == {"shot0", "shot1", "shot2"}
    assert [frame.sample for frame in frames] == [0, 1, 2] * 3


def test_samples_know_their_shot_if_it_is_looked_for(run):
    every = {"method": "every_frames", "frames": 15, "near_keys": False}
    assert [frame.shot for frame in sampled(run, "shots.mp4", **every)] == [None] * 7
    found = sampled(run, "shots.mp4", **every, find_shots=True)
    assert [(frame.number, frame.shot) for frame in found] == [
        (0, 0), (15, 0), (30, 1), (45, 1), (60, 1), (75, 2), (90, 2),
    ]  # fmt: skip
    assert {frame.segment for frame in found} == {"all"}


def test_nothing_outside_the_window_is_looked_at_for_shots_either(run, monkeypatch):
    looked = []
    read = VideoReader.frames
    monkeypatch.setattr(VideoReader, "frames", lambda *a, **k: (looked.append(n) or (n, p) for n, p in read(*a, **k)))
    frames = sampled(run, "shots.mp4", method="per_shot", skip_seconds=0.4, stop_seconds=2)
    assert [(frame.shot, frame.number) for frame in frames] == [
        (0, 10), (0, 19), (0, 29), (1, 30), (1, 39), (1, 49),
    ]  # fmt: skip
    assert (min(looked), max(looked)) == (10, 49)


@pytest.mark.parametrize(
    ("shots", "expected"),
    [([], [None] * 5), ([(1, 3), (4, 9)], [None, 0, 0, None, 1]), ([(0, 4), (1, 2), (3, 5)], [0, 0, 0, 0, 2])],
)
def test_the_first_shot_that_has_a_frame(shots, expected):
    assert shots_of(shots, 9)[:5] == expected
    assert len(shots_of(shots, 9)) == 9


def test_the_stage_is_made_from_the_settings_of_shots_where_they_are_used():
    def made(**settings):
        return made_from(sample_frames(SamplingSettings(**settings), SHOTS, KnownModels(catalogue.load())))

    assert set(made()) == {"sampling"}
    assert set(made(method="per_shot")) == set(made(find_shots=True)) == {"sampling", "shots"}


@pytest.mark.parametrize(
    ("shots", "settings", "code"),
    [
        (SHOTS, {"per_segment": 5}, "no_sample"),
        (SHOTS, {"method": "per_shot"}, "no_shot"),
        (SHOTS, {"per_segment": 5, "find_shots": True}, "no_sample"),
    ],
)
def test_spans_without_a_frame(run, shots, settings, code):
    with pytest.raises(Rejected) as rejected:
        sampled(run, "numbers.mp4", shots, spans=[[50.0, 60.0]], **settings)
    assert rejected.value.code == code


def test_no_video_and_a_broken_one_end_alone(tmp_path, run):
    import apache_beam as beam
    from apache_beam.runners.portability.fn_api_runner import FnApiRunner
    from apache_beam.testing.util import assert_that

    (tmp_path / "numbers.mp4").write_bytes(b"not a video")
    items = [
        Item("c", (0,), Fraction(1, 2), row(run, "numbers.mp4")),
        Item("c", (1,), Fraction(1, 2), None),
    ]

    def told(outcomes):
        found = {outcome.order: outcome.verdict and outcome.verdict.reason for outcome in outcomes}
        assert found == {(0,): "not_a_video", (1,): None}

    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        made = pipeline | beam.Create(items).with_output_types(object)
        assert_that(made | SampleFrames(str(tmp_path), SamplingSettings(), SHOTS, Models()), told)
