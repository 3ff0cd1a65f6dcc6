"""The picture of a run's tracks and of its clips: the object in frames from first to last, as wide as it is."""

import cv2
import numpy as np
import pytest

from beam_pipelines.reports import track_sheet
from beam_pipelines.reports.contact_sheet import CELL
from beam_pipelines.reports.sheet import write_sheet
from beam_pipelines.reports.track_sheet import write_track_sheet
from tests import videos
from tests.placed_tracks import SIZE, track, write_tracks
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import shard_path, to_table, write_shard
from transforms.tables.track_rows import LeftOutTrack, TrackClip
from transforms.tracking.clip_files import cut_track
from transforms.tracking.clip_settings import TrackClipSettings
from transforms.videos.covering import Covering

RED, BLUE = (200, 30, 30), (30, 40, 210)


def halves(number: int) -> np.ndarray:
    """Red on the left, blue on the right, green from frame 30 on."""
    image = np.full((SIZE[1], SIZE[0], 3), RED, np.uint8)
    image[:, SIZE[0] // 2 :] = BLUE
    return image if number < 30 else np.full_like(image, (30, 180, 30))


@pytest.fixture
def run(tmp_path) -> str:
    (tmp_path / "run" / "media" / "00").mkdir(parents=True)
    how = videos.File(options={"crf": "12"})
    videos.write(tmp_path / "run" / "media" / "00" / "v.mp4", map(halves, range(40)), how)
    return str(tmp_path / "run")


LEFT = track(0, numbers=range(0, 30, 2), boxes=[(10, 50, 70, 110)])
WIDE = track(1, numbers=[5], boxes=[(200, 50, 290, 110)])
LATE = track(2, numbers=range(20, 40), boxes=[(200, 50, 260, 110)])


def cells(path, row: int, width: int) -> list[list[float]]:
    """The mean colour of each cell of a row, RGB."""
    image = cv2.imread(str(path))
    top = row * (CELL + 28) + 22
    lefts = range(6, image.shape[1] - width, width + 6)
    means = [image[top + 10 : top + CELL - 10, left + 10 : left + width - 10].mean(axis=(0, 1)) for left in lefts]
    return [mean[::-1].tolist() for mean in means if mean.min() < 245]


def test_tracks(run, tmp_path):
    write_tracks(run, "00000", [LEFT, track(9, numbers=[0])])
    write_tracks(run, "00001", [WIDE, LATE])
    left_out = [LeftOutTrack("v-s0-t9", "duplicate_track", "v-s0-t0")]
    write_shard(shard_path(run, "left_out", "00000"), to_table(left_out, arrow_schema(LeftOutTrack)))
    path = tmp_path / "sheet.png"
    assert write_sheet(run, str(path)) == "3 tracks"
    np.testing.assert_allclose(cells(path, 0, CELL), [RED] * 8, atol=12)
    np.testing.assert_allclose(cells(path, 1, 3 * CELL // 2), [BLUE], atol=12)
    found = cells(path, 2, CELL)
    np.testing.assert_allclose(found, [BLUE] * 4 + [(30, 180, 30)] * 4, atol=12)


def test_no_track(run, tmp_path):
    write_tracks(run, "00000", [])
    assert write_sheet(run, str(tmp_path / "sheet.png")) == "0 tracks"


def test_only_the_first_are_shown(run, tmp_path, monkeypatch):
    monkeypatch.setattr(track_sheet, "MAX_TRACKS", 2)
    write_tracks(run, "00000", [LEFT, WIDE, LATE])
    assert write_track_sheet(run, str(tmp_path / "sheet.png")) == 2


def test_frames_are_covered_before_they_are_shown(run, tmp_path):
    write_tracks(run, "00000", [LEFT])
    path = tmp_path / "sheet.png"
    covering = Covering(lambda run, shot: lambda number, pixels: np.full_like(pixels, 7 * number))
    write_track_sheet(run, str(path), covering)
    assert [round(cell[0]) for cell in cells(path, 0, CELL)] == [7 * n for n in (0, 4, 8, 12, 16, 20, 24, 28)]


def test_clips_of_tracks_keep_their_shape(run, tmp_path):
    rows = [*cut_track(run, TrackClipSettings(), None, WIDE), *cut_track(run, TrackClipSettings(), None, LATE)]
    write_shard(shard_path(run, "clips", "00000"), to_table(rows, arrow_schema(TrackClip)))
    path = tmp_path / "sheet.png"
    assert write_sheet(run, str(path)) == "2 clips"
    np.testing.assert_allclose(cells(path, 0, 3 * CELL // 2), [BLUE], atol=12)
    np.testing.assert_allclose(cells(path, 1, CELL), [BLUE] * 4 + [(30, 180, 30)] * 4, atol=12)
