"""Frames by number: the n-th frame is the n-th of a plain decoding, in every container, codec and order of reading."""

import os
import random
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.videos import File, draw_number, number_frames, read_number, write
from transforms.tables.reasons import Rejected
from transforms.videos import reader
from transforms.videos.container import probe
from transforms.videos.index import build_index
from transforms.videos.reader import VideoReader
from transforms.videos.settings import VideoAcceptSettings
from transforms.videos.upright import clockwise, upright

COUNT = 70
X264 = {"preset": "medium", "g": "20", "sc_threshold": "0"}
OPEN_GROUPS = X264 | {"x264-params": "open-gop=1"}
JITTER = [i * 0.04 + (0.013 if i % 3 == 1 else 0) for i in range(COUNT)]
FILES = {
    "plain.mp4": File(),
    "b_frames.mp4": File(options=X264),
    "b_frames.mkv": File(options=X264),
    "b_frames.ts": File(options=X264),
    "b_frames.flv": File(options=X264),
    "b_frames.avi": File(options=X264),
    "open_groups.mp4": File(options=OPEN_GROUPS),
    "open_groups.mkv": File(options=OPEN_GROUPS),
    "open_groups.ts": File(options=OPEN_GROUPS),
    "intra_refresh.mp4": File(options=X264 | {"x264-params": "intra-refresh=1"}),
    "variable.mp4": File(options=X264, times=JITTER),
    "variable.mkv": File(options=X264, times=JITTER),
    "late.mp4": File(options=X264, first=5.0),
    "late.mkv": File(options=X264, first=5.0),
    "late.ts": File(options=X264, first=5.0),
    "turned_90.mp4": File(options=X264, rotation=90),
    "turned_180.mov": File(options=X264, rotation=180),
    "turned_270.mp4": File(options=X264, rotation=270),
    "wide_pixels.mp4": File(options=X264, pixel=Fraction(4, 3)),
    "tall_pixels.mkv": File(options=X264, pixel=Fraction(3, 5)),
    "wide_pixels_turned.mov": File(options=X264, rotation=90, pixel=Fraction(4, 3)),
    "hevc.mp4": File("libx265", options={"x265-params": "keyint=20:log-level=none", "preset": "ultrafast"}),
    "hevc.mkv": File("libx265", options={"x265-params": "keyint=20:log-level=none", "preset": "ultrafast"}),
    "vp8.webm": File("libvpx", options={"g": "20", "cpu-used": "8", "auto-alt-ref": "1", "lag-in-frames": "16"}),
    "vp9.webm": File("libvpx-vp9", options={"g": "20", "cpu-used": "8"}),
    "av1.mkv": File("libsvtav1", options={"g": "20", "preset": "12"}),
    "mpeg1.mpg": File("mpeg1video", options={"g": "12", "bf": "2"}),
    "mpeg2.mpg": File("mpeg2video", options={"g": "12", "bf": "2"}),
    "mpeg2.ts": File("mpeg2video", options={"g": "12", "bf": "2"}),
    "mpeg4.avi": File("mpeg4", options={"g": "12"}),
    "mpeg4_b.avi": File("mpeg4", options={"g": "12", "bf": "2"}),
    "mjpeg.mov": File("mjpeg", options={}, pixel_format="yuvj420p"),
    "wmv2.asf": File("wmv2", options={"g": "12"}),
    "elementary.m1v": File("mpeg1video", options={"g": "12", "bf": "2"}),
}
DATA = os.environ.get("MANYFACES_TEST_DATA")
REAL = sorted(Path(DATA, "videos").rglob("*.*")) if DATA else []


@pytest.fixture(scope="module")
def composed(tmp_path_factory):
    folder, made = tmp_path_factory.mktemp("composed"), {}

    def compose(name):
        if name not in made:
            made[name] = str(write(folder / name, number_frames(COUNT, (160, 120)), FILES[name]))
        return made[name]

    return compose


def decoded(path):
    """All frames by a plain loop over the decoder, of square pixels, turned by NumPy."""
    with av.open(path) as container:
        stream = container.streams.video[0]
        pixel = stream.sample_aspect_ratio or Fraction(1)
        size = round(stream.width * max(pixel, 1)), round(stream.height / min(pixel, 1))
        for frame in container.decode(stream):
            yield np.rot90(frame.to_ndarray(format="rgb24", width=size[0], height=size[1]), frame.rotation // 90)


@pytest.mark.parametrize(
    ("pixel", "shape"),
    [(Fraction(4, 3), (120, 213)), (Fraction(3, 5), (200, 160)), (Fraction(1), (120, 160)), (Fraction(9), (120, 160))],
)
def test_frames_have_square_pixels(pixel, shape, tmp_path):
    path = str(write(tmp_path / "a.mp4", number_frames(3, (160, 120)), File(pixel=pixel)))
    with VideoReader(path) as reader:
        assert reader.read(1).shape == (*shape, 3)
    info = probe(path, VideoAcceptSettings())
    assert (info.height, info.width) == shape


@pytest.mark.parametrize("name", FILES)
def test_any_frame_in_any_order_is_that_of_a_plain_decoding(name, composed):
    path, plain = composed(name), list(decoded(composed(name)))
    assert [read_number(frame) for frame in plain] == list(range(COUNT))
    numbers = random.Random(name).choices(range(COUNT), k=40)
    with VideoReader(path) as reader:
        assert len(reader) == COUNT
        for number in [*numbers, *range(20), COUNT - 1, 0]:
            assert np.array_equal(reader.read(number), plain[number]), number


@pytest.mark.parametrize("name", ["b_frames.mkv", "mpeg1.mpg", "b_frames.avi"])
def test_ascending_numbers_are_read_one_after_the_other(name, composed):
    numbers = [0, 1, 2, 15, 16, 40, 44, 68, 69]
    with VideoReader(composed(name)) as reader:
        assert [(number, read_number(image)) for number, image in reader.frames(numbers)] == [(n, n) for n in numbers]


@pytest.mark.parametrize(
    "name", ["b_frames.mp4", "b_frames.ts", "open_groups.mkv", "vp9.webm", "mpeg4_b.avi", "late.ts"]
)
def test_seeking_works_where_it_should(name, composed):
    with VideoReader(composed(name)) as reader:
        for number in (65, 30, 50, 10, 45):
            reader.read(number)
        assert reader._seekable


@pytest.mark.skipif(not REAL, reason="MANYFACES_TEST_DATA is not set")
@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)
def test_real_videos(path):
    random_numbers, wanted = random.Random(path.name), {}
    with VideoReader(str(path)) as reader:
        numbers = random_numbers.sample(range(len(reader)), min(6, len(reader)))
        count = 0
        for count, image in enumerate(decoded(str(path)), 1):
            if count - 1 in numbers:
                wanted[count - 1] = image
        assert count == len(reader)
        assert all(np.array_equal(reader.read(number), wanted[number]) for number in numbers)


@pytest.mark.parametrize(
    ("name", "times"),
    [
        ("plain.mp4", np.arange(COUNT) * 0.04),
        ("late.ts", np.arange(COUNT) * 0.04),
        ("mpeg4_b.avi", np.arange(COUNT) * 0.04),
        ("elementary.m1v", np.arange(COUNT) * 0.04),
        ("mpeg1.mpg", np.arange(COUNT) * 0.04),
        ("variable.mp4", np.array(JITTER) - JITTER[0]),
        ("late.mp4", np.arange(COUNT) * 0.04),
    ],
)
def test_times_are_seconds_from_the_first_frame(name, times, composed):
    with VideoReader(composed(name)) as reader:
        assert np.abs(reader.times - times).max() < 1e-9
        assert reader.seconds == pytest.approx(times[-1] + 0.04, abs=0.014)


def test_the_number_at_a_time(composed):
    with VideoReader(composed("plain.mp4")) as reader:
        found = [reader.number_at(time) for time in (-1, 0, 0.039, 0.04, 0.28, 2.75, 2.76, 99)]
    assert found == [0, 0, 0, 1, 7, 68, 69, 69]


def test_sizes(composed):
    with VideoReader(composed("turned_90.mp4")) as reader:
        assert reader.read(3).shape == (120, 160, 3)
        [(_, small)] = reader.frames([33], size=(80, 60))
        assert small.shape == (60, 80, 3)
        assert read_number(small) == 33
        assert small.flags.c_contiguous


@pytest.mark.parametrize("number", [-1, COUNT, 10**9])
def test_numbers_outside_are_errors(number, composed):
    with VideoReader(composed("plain.mp4")) as reader, pytest.raises(IndexError, match="frames 0 to 69"):
        reader.read(number)


@pytest.mark.parametrize(
    ("name", "damaged"),
    [("b_frames.mkv", 0), ("vp8.webm", 0), ("mpeg4.avi", 0), ("b_frames.flv", 0), ("b_frames.ts", 8), ("mpeg2.mpg", 4)],
)
def test_a_file_cut_off_gives_what_is_there(name, damaged, composed, tmp_path):
    """Streams without lengths do not tell that their last packet is cut: it and what is decoded from it are damaged."""
    whole = Path(composed(name)).read_bytes()
    path = tmp_path / f"cut{Path(name).suffix}"
    path.write_bytes(whole[: len(whole) * 6 // 10])
    with VideoReader(str(path)) as reader:
        assert 20 < len(reader) < 60
        right = range(len(reader) - damaged)
        assert [read_number(image) for _, image in reader.frames(right)] == list(right)


def test_an_mp4_whose_header_is_cut_off_is_broken(composed, tmp_path):
    path = tmp_path / "cut.mp4"
    path.write_bytes(Path(composed("plain.mp4")).read_bytes()[:-3000])
    with pytest.raises(Rejected, match="broken_video"):
        VideoReader(str(path))


def test_a_file_cut_off_behind_its_header_gives_what_is_there(tmp_path):
    how = File(options=X264, mux={"movflags": "+faststart"})
    whole = write(tmp_path / "whole.mp4", number_frames(COUNT), how).read_bytes()
    path = tmp_path / "cut.mp4"
    path.write_bytes(whole[: len(whole) * 6 // 10])
    with VideoReader(str(path)) as reader:
        assert 20 < len(reader) < 60
        assert [read_number(image) for _, image in reader.frames(range(len(reader)))] == list(range(len(reader)))


def test_damage_in_the_middle_costs_frames_and_nothing_else(tmp_path):
    path = write(tmp_path / "damaged.mkv", number_frames(COUNT), File(options=X264))
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = bytes(3000)
    path.write_bytes(bytes(data))
    good = 0
    with VideoReader(str(path)) as reader:
        for number in range(len(reader)):
            with suppress(Rejected):
                good += reader.read(number) is not None
    assert good > 20


def test_an_edit_list_hides_what_comes_before_it(tmp_path):
    """A clip copied from a frame that is no key frame: decoding starts before what is shown."""
    path = write(tmp_path / "edited.mp4", number_frames(COUNT), File(options={"preset": "ultrafast", "g": "30"}))
    data = bytearray(path.read_bytes())
    entry = data.index(b"elst") + 12  # behind version, flags and count: duration, then time of the first frame
    ticks = int.from_bytes(data[entry + 4 : entry + 8], "big") + 12_800 * 40 // 1000 * 10
    data[entry + 4 : entry + 8] = ticks.to_bytes(4, "big")
    path.write_bytes(bytes(data))
    with VideoReader(str(path)) as reader:
        assert len(reader) == COUNT - 10
        assert [read_number(reader.read(n)) for n in (0, 1, 30, 5, len(reader) - 1)] == [10, 11, 40, 15, COUNT - 1]
        assert reader.times[0] == 0


def test_a_stream_that_changes_its_size_keeps_that_of_its_first_frame(tmp_path):
    """Two transport streams one after the other, as recorders leave them; the clock starts anew in the middle."""
    small = write(tmp_path / "small.ts", number_frames(40, (160, 120)), File(options=X264))
    large = write(tmp_path / "large.ts", number_frames(40, (320, 240), first=40), File(options=X264))
    path = tmp_path / "both.ts"
    path.write_bytes(small.read_bytes() + large.read_bytes())
    with VideoReader(str(path)) as reader:
        assert len(reader) == 80
        assert (np.diff(reader.times) > 0).all()
        for number in (70, 5, 45, 39, 40, 41, 79):
            image = reader.read(number)
            assert (read_number(image), image.shape) == (number, (120, 160, 3))


def test_a_header_with_another_size_than_the_frames_is_not_believed(tmp_path):
    path = write(tmp_path / "a.webm", number_frames(3, (320, 240)), File("libvpx", options={"cpu-used": "8"}))
    data = path.read_bytes()
    path.write_bytes(data.replace(b"\xb0\x82" + (320).to_bytes(2, "big"), b"\xb0\x82" + (160).to_bytes(2, "big"), 1))
    assert path.read_bytes() != data
    with VideoReader(str(path)) as reader:
        assert reader.read(1).shape == (240, 320, 3)


def test_the_cost_of_a_frame_is_what_is_decoded_for_it(composed):
    index = build_index(composed("plain.mp4"), 1000)
    with VideoReader(composed("plain.mp4")) as reader:
        assert reader.costs[0] == 1
        assert (reader.costs == index.packets - index.starts + 1).all()
        assert (reader.costs >= 1).all()


def test_too_many_frames_are_refused(composed):
    with pytest.raises(Rejected, match="too_long"):
        build_index(composed("plain.mp4"), COUNT - 1)


@pytest.mark.parametrize(
    "matrix",
    [
        *((1, 0, 0, 1), (-1, 0, 0, 1), (1, 0, 0, -1), (-1, 0, 0, -1)),
        *((0, 1, 1, 0), (0, 1, -1, 0), (0, -1, 1, 0), (0, -1, -1, 0)),
    ],
)
def test_a_matrix_moves_every_pixel_where_it_says(matrix):
    a, b, c, d = matrix
    image = np.arange(3 * 5 * 3, dtype=np.uint8).reshape(3, 5, 3)
    turned = upright(image, matrix)
    y, x = np.mgrid[:3, :5]
    across, down = a * x + c * y, b * x + d * y
    assert np.array_equal(turned[down - down.min(), across - across.min()], image)
    assert clockwise(matrix) in (0, 90, 180, 270)


@settings(max_examples=30)
@given(st.integers(0, 65_535), st.integers(120, 400), st.integers(90, 300))
def test_the_bar_code_of_the_tests_survives_scaling(number, width, height):
    image = draw_number(np.full((240, 320, 3), 128, np.uint8), number)
    frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(width=width, height=height)
    assert read_number(frame.to_ndarray()) == number


def in_order(path: Path) -> list[bytes | None]:
    """All frames of a file read one after the other; None where one does not decode."""
    found: list[bytes | None] = []
    with VideoReader(str(path)) as reader:
        for number in range(len(reader)):
            found.append(None)
            with suppress(Rejected):
                found[-1] = reader.read(number).tobytes()
    return found


@pytest.mark.parametrize(("share", "most"), [(1.0, 20), (0.3, 60)])
def test_frames_that_never_come_are_not_looked_for_again_and_again(share, most, tmp_path, monkeypatch):
    """One key frame and hundreds of damaged packets behind it: the work grows with the packets, not their square."""
    long = X264 | {"preset": "ultrafast", "g": "10000"}
    path = write(tmp_path / "a.mp4", number_frames(240), File(options=long))
    with av.open(str(path)) as container:
        places = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    data, chance = bytearray(path.read_bytes()), random.Random(1)
    for position, size in places[5:]:
        if chance.random() < share:
            data[position + 4 : position + size] = chance.randbytes(size - 4)
    path.write_bytes(bytes(data))
    decoded = []
    real = reader.decode
    monkeypatch.setattr(reader, "decode", lambda *which: (decoded.append(1), real(*which))[1])
    found = in_order(path)
    assert found.count(None) > 50
    assert len(decoded) < most * len(places)
    for number in random.Random(2).sample(range(len(found)), 20):
        alone: bytes | None = None
        with VideoReader(str(path)) as opened, suppress(Rejected):
            alone = opened.read(number).tobytes()
        assert alone == found[number]
