"""What yt-dlp does not do on our behalf."""

from yt_dlp.extractor.youtube import YoutubeIE

from transforms.fetch.site import Session
from transforms.fetch.video_settings import VideoDownloadSettings


def test_no_other_country_is_pretended(tmp_path):
    """A site that is not for everyone is not told an address of a country that it is for."""
    with Session("http://a.test/v.mp4", VideoDownloadSettings(), str(tmp_path)) as session:
        extractor = YoutubeIE(session)
        extractor._initialize_geo_bypass({"countries": ["DE"]})
        assert extractor._x_forwarded_for_ip is None
