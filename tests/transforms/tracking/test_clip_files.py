"""Clips of tracks: exactly their frames at their times, covered before they are cut out, in one row each."""

import hashlib
import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests import videos
from tests.placed_tracks import SIZE, track
from transforms.tables.reasons import Rejected
from transforms.tracking import clip_files
from transforms.tracking.clip_files import cut_track, trackverse_name
from transforms.tracking.clip_settings import TrackClipSettings
from transforms.videos.clip_writer import EncodeSettings
from transforms.videos.covering import Covering
from transforms.videos.reader import VideoReader

COUNT = 60
TIMES = [round(0.04 * i + 0.013 * (i % 3), 3) for i in range(COUNT)]
FAST = EncodeSettings(preset="ultrafast", crf=12)
PLAIN = TrackClipSettings(encode=FAST)
WHOLE = (0, 0, *SIZE)


def dark(number: int) -> np.ndarray:
    """A frame with its number, and a white patch that moves to the right by 2 pixels a frame."""
    image = np.full((SIZE[1], SIZE[0], 3), 60, np.uint8)
    image[100:140, 40 + 2 * number : 80 + 2 * number] = 255
    return videos.draw_number(image, number)


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> bytes:
    """A video with a variable frame rate."""
    how = videos.File(times=TIMES, first=1.5, options={"crf": "12"})
    return videos.write(tmp_path_factory.mktemp("film") / "v.mp4", map(dark, range(COUNT)), how).read_bytes()


@pytest.fixture
def run(tmp_path, film) -> str:
    (tmp_path / "media" / "00").mkdir(parents=True)
    (tmp_path / "media" / "00" / "v.mp4").write_bytes(film)
    return str(tmp_path)


def timed(row):
    """The track with the video's own times."""
    times = [TIMES[number] for number in row.numbers]
    return replace(row, times=times, start=times[0], end=times[-1])


def shown(run: str, row) -> tuple[np.ndarray, list[np.ndarray], float]:
    with VideoReader(f"{run}/{row.file}") as reader:
        return reader.times, [image for _, image in reader.frames(range(len(reader)))], reader.seconds


@pytest.mark.parametrize("numbers", [range(10, 41), range(10, 41, 5), [10, 40], [59], range(COUNT)])
def test_every_frame_of_the_span_is_there_at_its_time(run, numbers):
    numbers = list(numbers)
    (row,) = cut_track(run, PLAIN, None, timed(track(numbers=numbers, boxes=[WHOLE])))
    first, end = numbers[0], numbers[-1] + 1
    times, images, seconds = shown(run, row)
    assert [videos.read_number(image) for image in images] == list(range(first, end))
    stops = [*TIMES, row.end][first : end + 1]
    np.testing.assert_allclose(times, np.array(stops[:-1]) - stops[0], atol=2e-5)
    assert seconds == pytest.approx(row.end - row.start, abs=2e-5)
    assert (row.clip_id, row.track_id, row.file) == ("v-s0-t0-x0", "v-s0-t0", "clips/v/v-s0-t0-x0.mp4")
    assert (row.first_frame, row.end_frame) == (first, end)
    assert (row.start, row.end) == pytest.approx((TIMES[first], stops[-1]))
    assert (row.width, row.height) == SIZE == images[0].shape[1::-1]
    np.testing.assert_allclose(row.boxes, [WHOLE] * (end - first), atol=1e-4)
    data = Path(run, row.file).read_bytes()
    assert (row.bytes, row.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert (row.label, row.class_name, row.expansion, row.covered) == ("street", "traffic light", 0, False)


def test_the_object_stays_in_the_middle(run):
    """Found in every fifth frame, it stands still in the clip."""
    numbers = list(range(5, 56, 5))
    boxes = [(40 + 2 * n, 100, 80 + 2 * n, 140) for n in numbers]
    row = timed(track(numbers=numbers, boxes=boxes))
    row = replace(row, times=[n / 25 for n in numbers])  # of an even clock, as the patch moves by frames
    _, images, _ = shown(run, *cut_track(run, replace_settings(expansions=(1.0,), smoothing=0.0), None, row))
    assert {image.shape for image in images} == {(80, 80, 3)}
    centres = [np.argwhere(image.mean(axis=2) > 160).mean(axis=0) + 0.5 for image in images]
    np.testing.assert_allclose(centres, np.full((51, 2), 40.0), atol=2.5)
    assert np.abs(np.array(centres[::5]) - 40).max() < 1.2


def replace_settings(**changes) -> TrackClipSettings:
    return TrackClipSettings(encode=FAST, **changes)


def test_expansions_and_parts(run, monkeypatch):
    read: list[int] = []
    whole = clip_files.frame_pixels
    monkeypatch.setattr(clip_files, "frame_pixels", lambda *frame: read.append(frame[2]) or whole(*frame))
    settings = replace_settings(expansions=(0.0, 0.25), max_seconds=0.9)
    found = cut_track(run, settings, None, timed(track(numbers=range(COUNT), boxes=[(100, 80, 180, 160)])))
    names = [row.clip_id.removeprefix("v-s0-t0-") for row in found]
    assert names == ["x0", "x25", "x0-p1", "x25-p1", "x0-p2", "x25-p2"]
    assert [row.width for row in found] == [80, 100] * 3
    assert [row.first_frame for row in found[::2]] == [0, *(row.end_frame for row in found[:-2:2])]
    assert found[-1].end_frame == COUNT
    assert all(row.end - row.start <= 0.9 + 1e-6 for row in found)
    assert [len(row.boxes) for row in found] == [row.end_frame - row.first_frame for row in found]
    assert read == list(range(COUNT))  # once for all
    (first,) = cut_track(run, replace_settings(max_seconds=0.9, longer="first"), None, timed(track(numbers=range(60))))
    assert (first.clip_id, first.first_frame) == ("v-s0-t0-x0", 0)
    assert first.end_frame == sum(time + 1e-6 < 0.9 for time in TIMES[1:])


def white(run: str, shot: str):
    """A cover that knows its shot, and paints all white but the number."""
    assert shot == "v-s3"

    def cover(number: int, pixels: np.ndarray) -> np.ndarray:
        assert not pixels.flags.writeable
        return videos.draw_number(np.full_like(pixels, 255), number + 1000)

    return cover


def test_frames_are_covered_before_they_are_cut_out(run):
    (row,) = cut_track(run, PLAIN, Covering(white), timed(track(shot=3, numbers=range(5, 9), boxes=[WHOLE])))
    _, images, _ = shown(run, row)
    assert row.covered
    assert [videos.read_number(image) for image in images] == [1005, 1006, 1007, 1008]
    assert all((image[40:] > 240).all() for image in images)


def test_a_shot_that_cannot_be_covered_becomes_no_clip(run):
    def none(run, shot):
        raise Rejected("not_covered", shot)

    with pytest.raises(Rejected, match="v-s0"):
        cut_track(run, PLAIN, Covering(none), timed(track()))
    assert not Path(run, "clips").exists()


def test_a_video_that_is_shorter_than_the_track(run):
    with pytest.raises(Rejected, match="62 of 60") as why:
        cut_track(run, PLAIN, None, track(numbers=range(50, 63)))
    assert why.value.code == "broken_frame"


def test_clips_made_again_are_the_same(run):
    row = timed(track(numbers=range(0, 40, 3), boxes=[(i, 2 * i, 60 + 3 * i, 70 + 2 * i) for i in range(14)]))
    made = [cut_track(run, replace_settings(expansions=(0.0, 1.0)), None, row) for _ in range(2)]
    assert [one.sha256 for one in made[0]] == [one.sha256 for one in made[1]]


@pytest.mark.parametrize(
    ("video", "label", "shown"),
    [
        ("abcdefghijk", "cat", "ab/abcdefghijk-cat-"),
        ("v", "photo of a traffic light (also signal)", "v/v-traffic-light-"),
        ("v", "../../etc", "v/v-~2E.~2F..~2Fetc-"),
        ("v", "n" * 300, "v/v-" + "n" * 80 + "-"),
        ("v", "", "v/v--"),
    ],
)
def test_names_of_trackverse(video, label, shown):
    times, boxes = [np.float64(0), np.float64(0.5)], np.array([(1, 2, 11, 22), (1.5, 2, 11.5, 22)], np.float32)
    text = f"{video}-(0.0, 0.5)-((1.0, 2.0, 10.0, 20.0), (1.5, 2.0, 10.0, 20.0))"
    assert trackverse_name(video, label, times, boxes) == shown + hashlib.md5(text.encode()).hexdigest()


def test_trackverse_s_layout(run):
    row = timed(track(numbers=[3], boxes=[WHOLE]))
    found = cut_track(run, replace_settings(layout="trackverse", expansions=(0.0, 0.5)), None, row)
    digest = hashlib.md5(f"v-({TIMES[3]},)-((0.0, 0.0, 320.0, 240.0),)".encode()).hexdigest()
    names = [f"clips/BoxExp{expansion}/v/v-traffic-light-{digest}.mp4" for expansion in ("0.0", "0.5")]
    assert [one.file for one in found] == names
    assert all(Path(run, name).is_file() for name in names)


@pytest.mark.parametrize("layout", ["ids", "trackverse"])
@pytest.mark.parametrize("changes", [{"media": "../v.mp4"}, {"video_id": "../../v"}, {"track_id": "../../../v"}])
def test_a_row_that_names_files_outside_its_run(film, tmp_path, changes, layout):
    run = tmp_path / "a" / "run"
    for folder in (run / "media" / "00", run.parent):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "v.mp4").write_bytes(film)
    if (layout, *changes) == ("trackverse", "track_id"):
        return  # its names have nothing of the track's id
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ValueError, match="no name of a file below the run"):
        cut_track(str(run), replace_settings(layout=layout), None, timed(replace(track(), **changes)))
    assert sorted(tmp_path.rglob("*")) == before


def test_frames_are_taken_one_by_one(run, monkeypatch):
    """Between two frames that are read, the one before has been written."""
    order = []
    whole, cut = clip_files.frame_pixels, clip_files.cut_box
    monkeypatch.setattr(clip_files, "frame_pixels", lambda *frame: order.append("read") or whole(*frame))
    monkeypatch.setattr(clip_files, "cut_box", lambda *what: order.append("cut") or cut(*what))
    cut_track(run, PLAIN, None, timed(track(numbers=range(20))))
    assert order == list(itertools.chain.from_iterable([("read", "cut")] * 20))
