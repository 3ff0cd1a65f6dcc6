import hashlib
import io
import wave
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import cv2
import lmdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import videos
from transforms.tables.files import commit_file, exists, open_binary
from transforms.tables.reasons import Rejected
from transforms.tables.video_rows import FaceSpan, Shot
from transforms.videos.parts_stage import PartSettings, write_part
from transforms.videos.reader import VideoReader
from transforms.vision import clip_files
from transforms.vision.clip_files import draw, write_clip
from transforms.vision.clip_settings import ClipSettings
from transforms.vision.crops import union_square

SIZE, COUNT = (160, 120), 40
TIMES = [round(0.04 * i + 0.01 * (i % 3), 3) for i in range(COUNT)]
TONES = (videos.Tone(440, 0, 0.6), videos.Tone(1320, 0.6, 5))
ALL = ClipSettings(lmdb=True, audio=True)


def colours(number: int) -> np.ndarray:
    """A frame that is red on the left and blue on the right, with its number."""
    image = np.full((SIZE[1], SIZE[0], 3), (190, 30, 40), np.uint8)
    image[:, SIZE[0] // 2 :] = (20, 60, 200)
    return videos.draw_number(image, number)


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> bytes:
    """A video with a variable frame rate that does not begin at 0, and with sound."""
    how = videos.File(times=TIMES, first=1.5, tones=tuple(TONES), audio_seconds=4, options={"crf": "12"})
    path = videos.write(tmp_path_factory.mktemp("film") / "v.mp4", map(colours, range(COUNT)), how)
    return path.read_bytes()


@pytest.fixture
def run(folder, film) -> str:
    with commit_file(f"{folder}/media/00/v.mp4") as out:
        out.write(film)
    return folder


def span(first: int = 10, end: int = 35, box=(0, 0, 160, 120)) -> FaceSpan:
    numbers = list(range(first, end, 2))
    boxes = np.tile(np.array(box, np.float32), (len(numbers), 1))
    scores = np.full(len(numbers), 0.8, np.float32)
    points = np.zeros((len(numbers), 5, 2), np.float32)
    place = ("v-s0-10", "v-s0", "v", None, "{}", "media/00/v.mp4", first, end, *SIZE)
    return FaceSpan(*place, numbers, boxes, scores, points, None)


def fetched(run: str, name: str, tmp_path: Path) -> Path:
    """A local copy of a file of the run."""
    path = tmp_path / name.replace("/", "-")
    with open_binary(f"{run}/{name}") as file:
        path.write_bytes(file.read())
    return path


def test_the_film_has_every_frame_of_the_span_at_its_time(run, tmp_path):
    clip = write_clip(run, ClipSettings(), span())
    assert (clip.file, clip.lmdb, clip.lmdb_frames, clip.audio) == ("clips/v/v-s0-10.mp4", None, None, None)
    path = fetched(run, clip.file, tmp_path)
    assert clip.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert clip.bytes == path.stat().st_size
    assert clip.crop_box.tolist() == [-32, -52, 192, 172]  # 160 and 40 % more, about the middle
    with VideoReader(str(path)) as reader:
        shown = [image for _, image in reader.frames(range(len(reader)))]
        np.testing.assert_allclose(reader.times, np.array(TIMES[10:35]) - TIMES[10], atol=2e-5)
        assert reader.seconds == pytest.approx(clip.end - clip.start, abs=2e-5)
    assert {image.shape for image in shown} == {(224, 224, 3)}
    inside = [image[52:172, 32:192] for image in shown]
    assert [videos.read_number(image) for image in inside] == list(range(10, 35))
    assert max(image[:50].max() for image in shown) < 30  # black outside
    assert np.abs(np.median(inside[3][40:, :60], axis=(0, 1)) - (190, 30, 40)).max() < 8
    assert (clip.start, clip.end) == pytest.approx((TIMES[10], TIMES[35]))


def test_frames_in_lmdb_and_sound(run, tmp_path):
    clip = write_clip(run, ALL, span())
    assert (clip.lmdb, clip.lmdb_frames, clip.audio) == ("clips/v/v-s0-10.lmdb", 13, "clips/v/v-s0-10.wav")
    path = fetched(run, f"{clip.lmdb}/data.mdb", tmp_path)
    with lmdb.open(str(path), readonly=True, lock=False, subdir=False) as database, database.begin() as transaction:
        stored = [np.frombuffer(value, np.uint8) for _, value in transaction.cursor()]
    images = [cv2.imdecode(value, cv2.IMREAD_COLOR_RGB)[52:172, 32:192] for value in stored]
    assert [videos.read_number(image) for image in images] == list(range(10, 35, 2))
    assert np.abs(np.median(images[0][40:, 100:], axis=(0, 1)) - (20, 60, 200)).max() < 8
    with wave.open(io.BytesIO(fetched(run, clip.audio, tmp_path).read_bytes())) as wav:
        assert (wav.getnchannels(), wav.getframerate()) == (1, 44_100)
        assert wav.getnframes() == pytest.approx((clip.end - clip.start) * 44_100, abs=1)


def test_a_clip_made_again_is_the_same(run):
    def content() -> list[bytes]:
        clip = write_clip(run, ALL, span())
        names = (clip.file, f"{clip.lmdb}/data.mdb", clip.audio)
        return [open_binary(f"{run}/{name}").read() for name in names]

    assert content() == content()


def test_what_is_scored(run):
    clip = write_clip(run, ClipSettings(), span(10, 35, (20, 20, 90, 90)))
    assert len(clip.first) == 5
    assert {image.shape for image in clip.first} == {(98, 98, 3)}
    assert [image.shape for image in clip.drawn] == [(224, 224, 3)] * 2
    assert clip.sharpness > 0
    short = write_clip(run, ClipSettings(), span(10, 11))
    assert (len(short.first), len(short.drawn)) == (1, 1)


def test_a_clip_that_would_be_huge_is_refused_before_a_frame_is_cut(run, monkeypatch):
    """A box as wide as a film of 16,384 x 64 pixels, which is a small one: each frame of its square has 800 MB."""
    monkeypatch.setattr(clip_files, "cut_out", lambda *_: pytest.fail("cut"))
    with pytest.raises(Rejected, match="more than 8192") as why:
        write_clip(run, ClipSettings(margin=0), span(0, 10, (0, 0, 16_384, 64)))
    assert why.value.code == "too_large_result"


def test_a_frame_that_does_not_decode_is_no_clip(run, monkeypatch):
    def broken(run, media, number):
        if number == 20:
            raise Rejected("broken_frame", "frame 20")
        return frame_pixels(run, media, number)

    frame_pixels = clip_files.frame_pixels
    monkeypatch.setattr(clip_files, "frame_pixels", broken)
    with pytest.raises(Rejected, match="frame 20"):
        write_clip(run, ALL, span())
    assert not exists(f"{run}/clips/v/v-s0-10.mp4")


@given(st.text(max_size=9), st.integers(1, 300), st.integers(1, 5))
def test_frames_are_drawn_by_the_clip_s_name_alone(name, frames, count):
    drawn = draw(name, frames, count)
    assert drawn == draw(name, frames, count)
    assert len(drawn) == min(frames, count)
    assert all(one < other for one, other in pairwise([-1, *drawn, frames]))


def test_clips_draw_different_frames():
    assert len({tuple(draw(f"v-s0-{i}", 256, 2)) for i in range(50)}) > 45


boxes = st.lists(
    st.tuples(*[st.floats(-50, 2000, width=32)] * 2, *[st.floats(0, 900, width=32)] * 2), min_size=1, max_size=9
).map(lambda rows: np.array([(x, y, x + w, y + h) for x, y, w, h in rows], np.float32))


@given(boxes, st.floats(0, 2))
def test_the_square_holds_every_box_and_the_margin(boxes, margin):
    x1, y1, x2, y2 = (int(value) for value in union_square(boxes, margin))
    side, longer = x2 - x1, max(np.ptp(boxes[:, 0::2]), np.ptp(boxes[:, 1::2]))
    assert side == y2 - y1
    assert side % 2 == 0
    assert max(2, longer * (1 + margin) - 0.01) <= side <= longer * (1 + margin) + 2.01
    left, top = boxes[:, :2].min(axis=0)
    right, bottom = boxes[:, 2:].max(axis=0)
    assert x1 - 1.01 <= left
    assert y1 - 1.01 <= top
    assert right <= x2 + 1.01
    assert bottom <= y2 + 1.01
    assert abs((x1 + x2) / 2 - (left + right) / 2) <= 0.51
    assert abs((y1 + y2) / 2 - (top + bottom) / 2) <= 0.51


def test_a_shot_is_copied_as_a_part(run, tmp_path):
    (part,) = write_part(
        run, PartSettings(), Shot("v-s2", "v", None, "{}", "media/00/v.mp4", 0, COUNT, 0.0, TIMES[-1] + 0.03, *SIZE)
    )
    assert (part.part_id, part.file) == ("v-s2", "parts/v/v_part_2.mp4")
    assert (part.first_frame, part.end_frame) == (0, COUNT)
    with VideoReader(str(fetched(run, part.file, tmp_path))) as reader:
        assert [videos.read_number(image) for _, image in reader.frames(range(len(reader)))] == list(range(COUNT))


def test_ids_that_are_called_like_shards_are_in_no_one_s_way(run):
    odd = Shot("x.parquet-s0", "part-00000.parquet", None, "{}", "media/00/v.mp4", 0, COUNT, 0.0, 1.2, *SIZE)
    (part,) = write_part(run, PartSettings(), odd)
    assert part.file == "parts/part-00000.parquet~/part-00000.parquet_part_0.mp4"


@pytest.mark.parametrize(
    "changes",
    [{"media": "../v.mp4"}, {"media": "/etc/hostname"}, {"video_id": "../../v"}, {"span_id": "../../../v-s0-10"}],
)
def test_a_row_that_names_files_outside_its_run(film, tmp_path, changes):
    """Nothing there is read or written."""
    run = tmp_path / "a" / "run"
    for folder in (run / "media" / "00", run.parent):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "v.mp4").write_bytes(film)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ValueError, match="no name of a file below the run"):
        write_clip(str(run), ALL, replace(span(), **changes))
    assert sorted(tmp_path.rglob("*")) == before
