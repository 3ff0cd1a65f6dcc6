"""Which formats are fetched, and what is kept of a stranger's words."""

import pytest

from transforms.fetch.videos.formats import check_length, choose, known_height, origin
from transforms.tables.reasons import Rejected


def form(name, height=None, vcodec="h264", acodec="none", **more):
    return {
        "format_id": name,
        "height": height,
        "vcodec": vcodec,
        "acodec": acodec,
        "protocol": "https",
        "url": "u",
    } | more


SOUND = form("sound", vcodec="none", acodec="aac")


@pytest.mark.parametrize(
    ("formats", "min_height", "chosen"),
    [
        ([SOUND, form("a", 480), form("b", 720)], 0, ["b", "sound"]),
        ([form("a", 480), form("b", 720)], 0, ["b"]),
        ([SOUND, form("a", 480, acodec="aac")], 0, ["a"]),
        # sorted for a height of at most 600: the best is the last
        ([SOUND, form("top", 2160), form("high", 1080), form("low", 480)], 0, ["low", "sound"]),
        ([SOUND, form("top", 2160), form("high", 1080), form("low", 480)], 720, ["high", "sound"]),
        ([SOUND, form("low", 480)], 720, ["low", "sound"]),
        ([form("unknown", None, None, None)], 720, ["unknown"]),
        ([form("rtmp", 720, protocol="rtmp"), form("a", 240)], 0, ["a"]),
        ([form("pictures", 720, ext="mhtml"), form("a", 240)], 0, ["a"]),
        ([form("hls", 720, protocol="m3u8_native"), form("none", 900, url="")], 0, ["hls"]),
    ],
)
def test_the_choice(formats, min_height, chosen):
    assert [found["format_id"] for found in choose({"formats": formats}, min_height)] == chosen


@pytest.mark.parametrize(
    ("info", "code"),
    [
        ({"formats": []}, "unsupported_site"),
        ({"formats": [SOUND]}, "no_video_stream"),
        ({"formats": [form("a", protocol="rtmp")]}, "unsupported_site"),
        ({"formats": [form("a")], "live_status": "is_live"}, "video_unavailable"),
        ({"formats": [form("a")], "live_status": "is_upcoming"}, "video_unavailable"),
    ],
)
def test_no_choice(info, code):
    with pytest.raises(Rejected) as why:
        choose(info, 0)
    assert why.value.code == code


@pytest.mark.parametrize(("height", "known"), [(None, None), (0, None), ("720", None), (720, 720), (720.0, 720)])
def test_known_heights(height, known):
    assert known_height({"height": height}) == known


@pytest.mark.parametrize(
    ("duration", "sizes", "code"),
    [(None, [None], ""), (10, [5, 5], ""), (11, [None], "too_long"), (1, [6, 5], "too_large"), ("99", ["99"], "")],
)
def test_lengths_that_the_site_knows(duration, sizes, code):
    formats = [form("a", filesize=size) for size in sizes]
    if not code:
        check_length({"duration": duration}, formats, 10, 10)
        return
    with pytest.raises(Rejected) as why:
        check_length({"duration": duration}, formats, 10, 10)
    assert why.value.code == code


def test_a_strangers_words_are_short_and_printable():
    info = {"title": "a\x00\x1b[31m\u202e\ud800" + "x" * 1000, "id": 2**80, "uploader": True, "license": None,
            "duration": float("nan"), "description": "left out", "webpage_url": {"a": 1}}  # fmt: skip
    kept = origin(info, [form("f", 720, tbr=1.5)])
    assert kept["title"].startswith("a  [31m ?xxx")
    assert len(kept["title"]) == 500
    assert (kept["id"], kept["uploader"], kept["duration"], kept["webpage_url"]) == (str(2**80), None, None, "{'a': 1}")
    assert "description" not in kept
    assert "license" not in kept
    assert kept["formats"] == [
        {"format_id": "f", "protocol": "https", "height": 720, "vcodec": "h264", "acodec": "none", "tbr": 1.5}
    ]
