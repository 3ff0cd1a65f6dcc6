"""High dynamic range: what was standard range once comes back, and light beyond white keeps its order and its hue."""

from itertools import pairwise

import av
import numpy as np
import pytest

from tests.videos import photograph
from transforms.images.tone import HLG, PQ, to_standard
from transforms.videos.reader import VideoReader

TO_2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])  # BT.2087
BT2020 = 9


def pq(light):
    """Codes 0 to 1 of light in candela per square metre (SMPTE ST 2084)."""
    power = (light / 10_000) ** (2610 / 16_384)
    return ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)


def hlg(light):
    """Codes 0 to 1 of light on a display of 1000 candela per square metre (BT.2100)."""
    luminance = (light @ np.array([0.2627, 0.6780, 0.0593]))[..., None] / 1000
    scene = light / 1000 * np.maximum(luminance, 1e-9) ** (1 / 1.2 - 1)
    high = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), high)


CODE = {PQ: pq, HLG: hlg}


def codes(light, transfer):
    """(H,W,3) uint16 of light (H,W,3) in BT.709 primaries, in shares of white."""
    return np.rint(CODE[transfer](light * 203 @ TO_2020.T).clip(0, 1) * 65_535).astype(np.uint16)


def light_of(image):
    return (image / 255) ** 2.4


@pytest.mark.parametrize("transfer", CODE)
def test_no_pixels(transfer):
    assert to_standard(np.zeros((0, 4, 3), np.uint16), transfer).shape == (0, 4, 3)


@pytest.mark.parametrize("transfer", CODE)
def test_what_is_darker_than_the_knee_comes_back(transfer):
    image = np.random.default_rng(0).integers(0, 233, (40, 50, 3), np.uint8)  # 0.8 of white is 232
    found = to_standard(codes(light_of(image), transfer), transfer)
    difference = np.abs(found.astype(int) - image)
    assert difference.max() <= 3
    assert difference.mean() < 0.1


@pytest.mark.parametrize("transfer", CODE)
def test_brighter_stays_brighter_and_grey_stays_grey(transfer):
    light = np.array([0.7, 0.85, 1.0, 1.3, 2.0])
    found = to_standard(codes(np.repeat(light, 3).reshape(1, -1, 3), transfer), transfer)[0].astype(int)
    assert np.ptp(found, axis=1).max() <= 1
    assert all(one < other for one, other in pairwise(found[:, 1].tolist()))


@pytest.mark.parametrize("transfer", CODE)
def test_a_bright_colour_keeps_its_hue(transfer):
    red, green, blue = to_standard(codes(np.array([[[3.0, 1.5, 0.75]]]), transfer), transfer)[0, 0].tolist()
    assert light_of(red) / light_of(green) == pytest.approx(2, rel=0.1)
    assert light_of(green) / light_of(blue) == pytest.approx(2, rel=0.1)


@pytest.mark.parametrize("transfer", CODE)
def test_frames_of_a_video_are_of_standard_range(transfer, tmp_path):
    image = np.minimum(photograph("friends-1")[:120, :160], 232)
    with av.open(str(tmp_path / "a.mp4"), "w") as out:
        video = out.add_stream("libx265", rate=25, options={"x265-params": "log-level=none", "crf": "4"})
        video.width, video.height, video.pix_fmt = 160, 120, "yuv444p10le"
        context = video.codec_context
        context.colorspace, context.color_primaries, context.color_trc, context.color_range = (
            BT2020,
            BT2020,
            transfer,
            1,
        )
        frame = av.VideoFrame.from_ndarray(codes(light_of(image), transfer), format="rgb48le")
        frame = frame.reformat(format="yuv444p10le", dst_colorspace=BT2020, dst_color_range=1)
        for frame.pts in range(8):  # of fewer, x265 does not tell when they are decoded
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
    with VideoReader(str(tmp_path / "a.mp4")) as reader:
        error = np.abs(reader.read(0).astype(int) - image)
        small = next(reader.frames([0], (16, 12)))[1]
    assert error.mean() < 2.5
    assert small.shape == (12, 16, 3)
