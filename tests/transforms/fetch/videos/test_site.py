"""What yt-dlp does and does not do on our behalf."""

import pytest
from yt_dlp.extractor.youtube import YoutubeIE

from transforms.fetch.videos.settings import VideoDownloadSettings
from transforms.fetch.videos.site import Session


def test_no_other_country_is_pretended(tmp_path):
    """A site that is not for everyone is not told an address of a country that it is for."""
    with Session("http://a.test/v.mp4", VideoDownloadSettings(), str(tmp_path)) as session:
        extractor = YoutubeIE(session)
        extractor._initialize_geo_bypass({"countries": ["DE"]})
        assert extractor._x_forwarded_for_ip is None


def form(name, height, **more):
    return {"format_id": name, "url": f"http://a.test/{name}", "height": height, "ext": "mp4", "acodec": "none", **more}


@pytest.mark.parametrize(
    ("formats", "best"),
    [
        ([form("low", 480), form("high", 2160), form("wanted", 1080)], "wanted"),
        (
            [form("av1", 1080, vcodec="av01"), form("h264", 1080, vcodec="avc1"), form("vp9", 1080, vcodec="vp9")],
            "h264",
        ),
        (
            [
                form("sdr", 1080, vcodec="vp9", dynamic_range="SDR"),
                form("hdr", 1080, vcodec="vp9.2", dynamic_range="HDR10"),
                form("hlg", 1080, vcodec="avc1", dynamic_range="HLG"),
            ],
            "sdr",
        ),
        ([form("sdr", 720, dynamic_range="SDR"), form("hdr", 1080, dynamic_range="HDR10")], "hdr"),
    ],
)
def test_the_best_format_is_the_last(formats, best, tmp_path):
    info = {
        "id": "a",
        "title": "a",
        "formats": formats,
        "extractor": "a",
        "extractor_key": "A",
        "webpage_url": "http://a",
    }
    for order in (formats, formats[::-1]):
        with Session("http://a.test/v.mp4", VideoDownloadSettings(), str(tmp_path)) as session:
            found = session.process_ie_result({**info, "formats": list(order)}, download=False)
        assert found["formats"][-1]["format_id"] == best
