"""Which of a video's formats are fetched, and what of the site's words on it is kept."""

import math
from typing import Any

from transforms.tables.reasons import Rejected

Info = dict[str, Any]
_PROTOCOLS = frozenset({"http", "https", "m3u8", "m3u8_native", "http_dash_segments", "http_dash_segments_generator"})
_LIVE = frozenset({"is_live", "is_upcoming", "post_live"})
_MAX_TEXT = 500  # characters of a text that is kept
_KEPT = (
    "extractor_key", "id", "title", "uploader", "uploader_id", "channel", "channel_id", "upload_date", "license",
    "language", "duration", "webpage_url",
)  # fmt: skip
_KEPT_OF_FORMAT = ("format_id", "ext", "protocol", "width", "height", "fps", "vcodec", "acodec", "tbr")


def choose(info: Info, min_height: int) -> list[Info]:
    """The formats to fetch: one, or a video and an audio to be put together; Rejected where there is none.

    `info["formats"]` are sorted from worst to best, the best being the highest within the configured height. Where all
    those are lower than `min_height`, and there are higher ones, it is the lowest of these.
    """
    if info.get("live_status") in _LIVE or info.get("is_live"):
        raise Rejected("video_unavailable", "a live stream")
    formats = [form for form in info.get("formats") or [info] if form.get("url")]
    usable = [form for form in formats if form.get("protocol") in _PROTOCOLS and form.get("ext") != "mhtml"]
    videos = [form for form in usable if form.get("vcodec") != "none"]
    if not videos:
        if any(form.get("acodec") != "none" for form in usable):
            raise Rejected("no_video_stream", "the site has audio only")
        raise Rejected("unsupported_site", "no format that can be fetched")
    high = [form for form in videos if (known_height(form) or math.inf) >= min_height]
    best = (high or videos)[-1]
    if best.get("acodec") != "none":
        return [best]
    audios = [form for form in usable if form.get("vcodec") == "none" and form.get("acodec") != "none"]
    return [best, *audios[-1:]]


def known_height(form: Info) -> int | None:
    """The height that the site gives for a format, pixels; None if it gives none."""
    height = form.get("height")
    return int(height) if isinstance(height, int | float) and height >= 1 else None


def check_length(info: Info, formats: list[Info], max_seconds: float, max_bytes: int) -> None:
    """Rejected `too_long` or `too_large` where the site itself says so."""
    seconds = info.get("duration")
    if isinstance(seconds, int | float) and seconds > max_seconds:
        raise Rejected("too_long", f"{seconds:g} s, says the site")
    sizes = [form.get("filesize") for form in formats]
    total = sum(size for size in sizes if isinstance(size, int))
    if total > max_bytes:
        raise Rejected("too_large", f"{total} bytes, says the site")


def origin(info: Info, formats: list[Info]) -> Info:
    """What is kept of the site's words: short texts without control characters, and numbers."""
    kept: Info = {key: _plain(info[key]) for key in _KEPT if info.get(key) is not None}
    kept["formats"] = [
        {key: _plain(form[key]) for key in _KEPT_OF_FORMAT if form.get(key) is not None} for form in formats
    ]
    return kept


def _plain(value: Any) -> str | int | float | None:
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, int) and abs(value) < 2**53:
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    text = str(value).encode(errors="replace").decode()
    return "".join(c if c.isprintable() else " " for c in text)[:_MAX_TEXT]
