"""The stages distinct and clips as jobs on files: from hand-made tracks of a video to clips, again after a retry."""

from pathlib import Path

import apache_beam as beam
import numpy as np
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from beam_pipelines.driver.balance import counts_of_stage
from beam_pipelines.driver.pipelines import row_pipeline, table_pipeline
from beam_pipelines.driver.work import pending
from tests import videos
from tests.placed_tracks import SIZE, track, write_tracks
from transforms.flow.stages import Job, made_from
from transforms.tables.attempt import begin_attempt
from transforms.tables.reasons import Rejected
from transforms.tables.shards import iter_rows, shard_names, shard_path
from transforms.tables.track_rows import TrackClip
from transforms.tracking.clip_settings import TrackClipSettings
from transforms.tracking.clips_stage import write_track_clips
from transforms.tracking.distinct_stage import LEFT_OUT, DistinctSettings, find_duplicates
from transforms.videos.clip_writer import EncodeSettings
from transforms.videos.covering import Covering
from transforms.videos.reader import VideoReader

SETTINGS = TrackClipSettings(expansions=(0.0, 0.5), encode=EncodeSettings(preset="ultrafast"))
WHOLE = ((0, 0, *SIZE),)


def paint(run: str, shot: str):
    if shot == "v-s1":
        raise Rejected("not_covered", "no such shot")
    return lambda number, pixels: np.full_like(pixels, 200)


@pytest.fixture
def run(tmp_path) -> str:
    folder = tmp_path / "run"
    (folder / "media" / "00").mkdir(parents=True)
    for name in "vw":
        videos.write(folder / "media" / "00" / f"{name}.mp4", videos.number_frames(30))
    begin_attempt(str(folder))
    return str(folder)


def do(run: str, clips) -> list[TrackClip]:
    """Both stages, as the driver does them; all rows of clips. The counts balance."""
    distinct = find_duplicates(DistinctSettings(), clips.name, clips.writes)
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        table_pipeline(pipeline, run, (distinct,))
    for work in pending(run, Job(1, (clips,))):
        with beam.Pipeline(runner=FnApiRunner()) as pipeline:
            row_pipeline(pipeline, run, work, begin_attempt(run))
    for stage in (distinct, clips):
        counts_of_stage(run, stage)
    names = shard_names(run, "clips")
    return [row for name in names for row in iter_rows(shard_path(run, "clips", name), TrackClip)]


def test_from_tracks_to_clips_and_again_after_a_retry(run):
    clips = write_track_clips(SETTINGS, without=LEFT_OUT)
    write_tracks(run, "00000", [track(0, boxes=WHOLE), track(1, boxes=WHOLE), track(2)])
    write_tracks(run, "00001", [track(0, "w", numbers=range(3, 20), boxes=WHOLE)])
    write_tracks(run, "00002", [])
    rows = do(run, clips)
    assert [row.clip_id for row in rows if row.expansion == 0] == ["v-s0-t0-x0", "v-s0-t2-x0", "w-s0-t0-x0"]
    assert counts_of_stage(run, clips).by_reason == {"kept": 3}
    assert counts_of_stage(run, clips).rows == 6
    found = {row.clip_id: row for row in rows}
    with VideoReader(f"{run}/{found['w-s0-t0-x0'].file}") as reader:
        assert [videos.read_number(image) for _, image in reader.frames(range(len(reader)))] == list(range(3, 20))
    assert found["v-s0-t2-x50"].boxes.shape == (10, 4)
    assert (found["v-s0-t2-x50"].width, found["v-s0-t2-x0"].width) == (150, 100)

    write_tracks(run, "r0001-objects-00000", [track(9, "w", numbers=range(2, 20), boxes=WHOLE)])
    before = Path(shard_path(run, "clips", "00000")).stat().st_mtime_ns
    rows = do(run, clips)
    shown = [row.clip_id for row in rows if row.expansion == 0]
    assert shown == ["v-s0-t0-x0", "v-s0-t2-x0", "w-s0-t9-x0"]
    assert Path(shard_path(run, "clips", "00000")).stat().st_mtime_ns == before


def test_covered_clips(run):
    """A shot that has no covers fails alone, and may be tried again."""
    clips = write_track_clips(SETTINGS, LEFT_OUT, Covering(paint, {"paint": EncodeSettings(crf=7)}, ("covers",)))
    assert clips.inputs == ("tracks", "covers", "left_out")
    assert made_from(clips)["paint"]["crf"] == 7
    assert "paint" not in made_from(write_track_clips(SETTINGS))
    assert write_track_clips(SETTINGS).inputs == ("tracks",)
    write_tracks(run, "00000", [track(0, shot=1), track(0, boxes=WHOLE)])
    rows = do(run, clips)
    assert [row.clip_id for row in rows] == ["v-s0-t0-x0", "v-s0-t0-x50"]
    assert all(row.covered for row in rows)
    assert counts_of_stage(run, clips).by_reason == {"kept": 1, "not_covered": 1}
    with VideoReader(f"{run}/{rows[0].file}") as reader:
        assert all(abs(image.astype(int) - 200).max() < 6 for _, image in reader.frames(range(len(reader))))
