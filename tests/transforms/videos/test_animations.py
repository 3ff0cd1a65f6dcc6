"""Animated GIF and PNG as videos: which frame is shown when, and what of a still picture in a list of videos."""

import io
import random

import numpy as np
import pytest
from PIL import Image

from transforms.tables.reasons import Rejected
from transforms.videos.container import probe
from transforms.videos.probe import inspect_video
from transforms.videos.reader import VideoReader
from transforms.videos.settings import VideoAcceptSettings

SIZE = (80, 60)
ACCEPT = VideoAcceptSettings()
MOMENTS = [100, 200, 30, 10, 500, 100]  # milliseconds that each frame is shown
GREYS = [20 * number for number in range(len(MOMENTS))]


def animation(kind, transparent=False, **how):
    """Frames of one grey each, or of a moving square on nothing."""
    frames = []
    for number, grey in enumerate(GREYS):
        pixels = np.full((SIZE[1], SIZE[0], 4), (grey, grey, grey, 255), np.uint8)
        if transparent:
            pixels[..., 3] = 0
            pixels[10:20, 10 * number : 10 * number + 10] = (200, 0, 0, 255)
        frames.append(Image.fromarray(pixels) if transparent else Image.fromarray(pixels).convert("RGB"))
    out = io.BytesIO()
    frames[0].save(out, kind, save_all=True, append_images=frames[1:], duration=MOMENTS, loop=0, **how)
    return out.getvalue()


def still(kind):
    out = io.BytesIO()
    Image.new("RGB", SIZE, (9, 9, 9)).save(out, kind)
    return out.getvalue()


def saved(tmp_path, data):
    path = tmp_path / "file"
    path.write_bytes(data)
    return str(path)


@pytest.mark.parametrize(("kind", "container"), [("GIF", "gif"), ("PNG", "apng")])
def test_frames_and_times_are_exact(kind, container, tmp_path):
    path = saved(tmp_path, animation(kind))
    info = probe(path, ACCEPT)
    assert (info.container, info.codec, info.frames, info.width, info.height) == (container, container, 6, *SIZE)
    assert info.seconds == pytest.approx(0.94)
    with VideoReader(path) as reader:
        assert reader.times == pytest.approx(np.cumsum([0, *MOMENTS[:-1]]) / 1000)
        order = [*range(6), 3, 0, 5, 1, 1, 4]  # back and forth too
        assert [int(reader.read(number).mean()) for number in order] == [GREYS[number] for number in order]


@pytest.mark.parametrize(("kind", "how"), [("GIF", {"disposal": 2}), ("PNG", {"disposal": 1})])
def test_transparent_frames_are_drawn_on_white(kind, how, tmp_path):
    """As pictures are; each frame is cleared before the next."""
    path = saved(tmp_path, animation(kind, transparent=True, **how))
    with VideoReader(path) as reader:
        for number in (0, 5, 2):
            wanted = np.full((SIZE[1], SIZE[0], 3), 255, np.uint8)
            wanted[10:20, 10 * number : 10 * number + 10] = (200, 0, 0)
            np.testing.assert_array_equal(reader.read(number), wanted)


def test_frames_that_draw_over_those_before_are_put_together(tmp_path):
    path = saved(tmp_path, animation("GIF", transparent=True, disposal=1))
    with VideoReader(path) as reader:
        assert (reader.read(5)[10:20, :60] == (200, 0, 0)).all()  # all six squares
        assert (reader.read(0)[10:20, 10:] == 255).all()


def test_an_animation_in_avif_is_read_too(tmp_path):
    info = inspect_video(saved(tmp_path, animation("AVIF")), ACCEPT)
    assert (info.container, info.codec, info.frames) == ("mov", "av1", 6)


@pytest.mark.parametrize("kind", ["GIF", "PNG", "JPEG", "WEBP", "BMP", "TIFF", "AVIF"])
def test_a_still_picture_is_no_video(kind, tmp_path):
    with pytest.raises(Rejected) as why:
        inspect_video(saved(tmp_path, still(kind)), ACCEPT)
    assert why.value.code == "not_a_video"
    assert "picture" in why.value.detail or "starts with" in why.value.detail


def test_an_animation_in_webp_is_not_read_and_says_so(tmp_path):
    with pytest.raises(Rejected, match=r"not_a_video.*WebP"):
        inspect_video(saved(tmp_path, animation("WEBP")), ACCEPT)


@pytest.mark.parametrize("size", [(65_535, 65_535), (20_000, 9_000), (65_535, 1)])
def test_a_canvas_beyond_the_cap_is_refused_before_it_is_made(size, tmp_path):
    data = bytearray(animation("GIF"))
    data[6:10] = size[0].to_bytes(2, "little") + size[1].to_bytes(2, "little")
    with pytest.raises(Rejected) as why:
        probe(saved(tmp_path, bytes(data)), VideoAcceptSettings(max_pixels=10_000, probe_memory=2**30))
    assert why.value.code in ("too_many_pixels", "no_frames", "broken_video")


@pytest.mark.parametrize("kind", ["GIF", "PNG"])
def test_a_cut_animation_is_used_as_far_as_it_goes(kind, tmp_path):
    data = animation(kind)
    frames = inspect_video(saved(tmp_path, data[: len(data) * 2 // 3]), ACCEPT).frames
    assert 2 <= frames < 6


@pytest.mark.parametrize("kind", ["GIF", "PNG"])
def test_damaged_animations_end_with_a_reason_or_with_frames(kind, tmp_path):
    chance = random.Random(kind)
    for _ in range(30):
        data = bytearray(animation(kind))
        for _ in range(chance.choice((1, 5, 50))):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            assert inspect_video(saved(tmp_path, bytes(data)), ACCEPT).frames > 0
        except Rejected as why:
            assert why.code != "internal_error"  # noqa: PT017 the other end is fine too
