"""Shots of composed videos through the stage, with models of the CPU profile."""

import pickle
from fractions import Fraction
from pathlib import Path

import apache_beam as beam
import cv2
import numpy as np
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from model_handlers.models import catalogue
from model_handlers.models.roles import KnownModels
from tests import videos
from transforms.filtering.filter_settings import FilterSettings
from transforms.filtering.filters_stage import filter_shots, sampled
from transforms.flow.items import Item, Outcome
from transforms.flow.stages import made_from
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import to_table
from transforms.tables.track_rows import PassedShot
from transforms.tables.video_rows import Shot

MODELS = KnownModels(catalogue.load())
OWN = "tests.transforms.filtering.own_filters"
SIZE, FPS, FRAMES = (426, 240), 10, 20
STATISTICS = {
    "dark": {"least": 30},
    "blurred": {"least": 40},
    "static": {"least": 7},
    "letterbox": {"most": 0.1},
    "text_overlay": {"most": 0.02},
    "flat_colours": {"most": 0.5},
}


def street() -> list[np.ndarray]:
    image = cv2.resize(videos.photograph("street-1")[200:656, :], SIZE, interpolation=cv2.INTER_AREA)
    return list(videos.pan(image, FRAMES, SIZE, shift=(0.1, 0.05)))


def with_bars(frames: list[np.ndarray]) -> list[np.ndarray]:
    return [np.pad(frame[40:-40], ((40, 40), (0, 0), (0, 0))) for frame in frames]


def with_caption(frames: list[np.ndarray]) -> list[np.ndarray]:
    white = (255, 255, 255)
    for frame in frames:
        cv2.putText(frame, "SUBSCRIBE NOW", (40, 215), cv2.FONT_HERSHEY_SIMPLEX, 1.4, white, 3, cv2.LINE_AA)
    return frames


def drawing() -> list[np.ndarray]:
    frames = [np.full((SIZE[1], SIZE[0], 3), (120, 190, 240), np.uint8) for _ in range(FRAMES)]
    for i, frame in enumerate(frames):
        cv2.rectangle(frame, (40 + 8 * i, 120), (90 + 8 * i, 200), (200, 40, 40), -1)
    return frames


SCENES = {
    "street": street,
    "night": lambda: [frame // 10 for frame in street()],
    "soft": lambda: [cv2.GaussianBlur(frame, (0, 0), 6) for frame in street()],
    "still": lambda: [street()[0]] * FRAMES,
    "barred": lambda: with_bars(street()),
    "caption": lambda: with_caption(street()),
    "drawing": drawing,
    "flashes": lambda: [frame // 10 if 6 <= i < 12 else frame for i, frame in enumerate(street())],  # 2 samples of 6
    "still_night": lambda: [street()[0] // 10] * FRAMES,
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with a video of every scene."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "media" / "aa").mkdir(parents=True)
    for name, frames in SCENES.items():
        videos.write(folder / "media" / "aa" / f"{name}.mp4", frames(), videos.File(fps=FPS))
    return folder


def shot(name: str, first: int = 0, end: int = FRAMES) -> Shot:
    media = f"media/aa/{name}.mp4"
    return Shot(f"{name}-s0", name, "a label", '{"k":1}', media, first, end, first / FPS, end / FPS, *SIZE)


def outcomes(folder: Path, run: Path, settings: FilterSettings, rows: list[Shot | None]) -> list[Outcome[PassedShot]]:
    """What the stage makes of the rows, in their order."""
    items = [Item("chunk", (i,), Fraction(1, len(rows)), row) for i, row in enumerate(rows)]

    def keep(outcome: Outcome[PassedShot]) -> None:
        (folder / str(outcome.order[0])).write_bytes(pickle.dumps(outcome))

    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        branches = (
            pipeline
            | beam.Create(items, reshuffle=False).with_output_types(Item)
            | filter_shots(settings, MODELS).transform(str(run))
        )
        for number, branch in enumerate(branches):
            _ = branch | f"Keep {number}" >> beam.Map(keep).with_output_types(type(None))
    return [pickle.loads((folder / str(i)).read_bytes()) for i in range(len(rows))]


def told(outcome: Outcome[PassedShot]) -> tuple[str, str]:
    assert outcome.verdict is not None
    return outcome.verdict.reason, outcome.verdict.detail


TIMES = np.arange(200) / 10


@pytest.mark.parametrize(
    ("settings", "first", "end", "expected"),
    [
        ({}, 7, 8, [7]),
        ({"seconds": 0.01}, 7, 50, [7]),
        ({"frames_per_second": 2, "seconds": 2}, 10, 100, [10, 15, 20, 25]),
        ({"frames_per_second": 2, "seconds": 2}, 10, 22, [10, 15, 20]),
        ({}, 0, 11, [0, 3, 6, 10]),
        ({"frames_per_second": 60, "seconds": 0.5}, 3, 100, [3, 4, 5, 6, 7]),
    ],
)
def test_frames_are_evenly_spread_over_the_first_seconds(settings, first, end, expected):
    assert sampled(FilterSettings(**settings), shot("x", first, end), TIMES) == expected
    assert len(sampled(FilterSettings(), shot("x", 20, 200), TIMES)) == 30


def test_without_a_filter_every_shot_passes_and_no_file_is_opened(tmp_path, tmp_path_factory):
    passed, nothing = outcomes(tmp_path, tmp_path_factory.mktemp("empty"), FilterSettings(), [shot("gone"), None])
    assert passed.verdict.reason == ""
    (row,) = passed.rows
    assert (row.shot_id, row.label, row.source, row.end_frame) == ("gone-s0", "a label", '{"k":1}', FRAMES)
    assert (row.filters, row.filter_scores.tolist()) == ([], [])
    to_table([row], arrow_schema(PassedShot))
    assert nothing.rows == ()


def test_each_filter_drops_what_it_is_for(run, tmp_path):
    names = ["street", "night", "soft", "still", "barred", "caption", "drawing", "still_night"]
    found = dict(zip(names, outcomes(tmp_path, run, FilterSettings(**STATISTICS), [*map(shot, names)]), strict=True))
    reasons = {name: told(outcome)[0] for name, outcome in found.items()}
    assert reasons == {
        "street": "",
        "night": "dark_shot",
        "soft": "blurred_shot",
        "still": "static_shot",
        "barred": "letterboxed",
        "caption": "text_overlay",
        "drawing": "flat_colours",
        "still_night": "dark_shot",
    }
    (row,) = found["street"].rows
    assert row.filters == list(STATISTICS)
    assert row.filter_scores.dtype == np.float32
    assert row.filter_scores[0] > 100
    detail = told(found["still_night"])[1]
    assert detail.startswith("dark ")
    assert "; static " in detail
    assert ", less than 7; " in detail
    assert "letterbox 0" in detail


@pytest.mark.parametrize(
    ("name", "reason", "detail"),
    [
        ("FAILS", "internal_error", "6 of 6 frames; the first: RuntimeError: filter "),
        ("FAILS_IN_THE_END", "internal_error", "IndexError"),
        ("NAN", "own_nan", "gives no finite number: nan"),
        ("WHOLE_FRAMES", "internal_error", "306720 bytes"),
        ("CHANGES", "internal_error", "read-only"),
        ("LONGEST", "own_longest", f"{OWN}:LONGEST 6, more than 5"),
        ("SOMETIMES", "", ""),
    ],
)
def test_filters_of_one_s_own(run, tmp_path, name, reason, detail):
    own = FilterSettings(own=[{"filter": f"{OWN}:{name}", "most": 5}], max_failed_share=0.4)
    (outcome,) = outcomes(tmp_path, run, own, [shot("street")])
    assert told(outcome)[0] == reason
    assert detail in told(outcome)[1]


@pytest.mark.parametrize(("share", "reason"), [(0.2, "internal_error"), (0.35, "")])
def test_frames_that_fail_cost_the_shot_only_if_they_are_many(run, tmp_path, share, reason):
    own = FilterSettings(own=[{"filter": f"{OWN}:SOMETIMES", "most": 5}], max_failed_share=share)
    (outcome,) = outcomes(tmp_path, run, own, [shot("flashes")])
    assert told(outcome)[0] == reason


@pytest.mark.integration
def test_models_see_only_what_passes_the_statistics(run, tmp_path):
    settings = FilterSettings(dark={"least": 30}, brisque={"most": 60})
    clear, night, soft = outcomes(tmp_path, run, settings, [shot("street"), shot("night"), shot("soft")])
    (row,) = clear.rows
    assert row.filters == ["dark", "brisque"]
    assert 0 < row.filter_scores[1] < 60
    assert told(night)[0] == "dark_shot"
    assert "brisque" not in told(night)[1]
    assert told(soft)[0] == "low_quality"
    assert told(soft)[1].startswith("brisque ")


def test_changing_a_limit_makes_the_stage_stale():
    def made(**blocks):
        return made_from(filter_shots(FilterSettings(**blocks), MODELS))

    base = made(**STATISTICS)
    assert made(**STATISTICS) == base
    assert made(**STATISTICS | {"dark": {"least": 31}}) != base
    assert made(**STATISTICS, seconds=9) != base
    assert made(**STATISTICS, brisque={"most": 60})["models"]["brisque"]["codec"] == "brisque"
    assert made(**STATISTICS, inference={"threads": 2}) == base
    assert made(cartoon={"most": 0}, aesthetics={"least": 4})["models"].keys() == {"device", "cartoon", "aesthetics"}
