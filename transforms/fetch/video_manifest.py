"""Lists of videos: plain rows, HD-VILA's metafile and clip lists become the table `manifest` of VideoSources."""

import json
import re
from typing import Any

from transforms.fetch.manifest import Listing, Split, id_and_rest, split
from transforms.fetch.manifest_read import BadRow, Record
from transforms.fetch.spans import in_order, parse_span
from transforms.fetch.video_settings import VideoColumns, VideoManifestSettings
from transforms.tables.reasons import Rejected
from transforms.tables.video_schemas import VideoSource

YOUTUBE_ID = re.compile(r"[A-Za-z0-9_-]{11}", re.ASCII)
_YOUTUBE = "https://www.youtube.com/watch?v="
_MAX_SPANS = 100_000  # of one row


def split_videos(manifest: str, run: str, settings: VideoManifestSettings) -> Split:
    """Write the shards of `manifest` and its ledger into the run, as `split` does.

    Rows of one video that list spans become one item with all their spans: the first row is kept, the others are
    `merged_spans`. A row that lists none wants the whole video, whatever spans others list.
    """
    return split(Listing(manifest, settings, VideoSource, lambda record: to_video_source(record, settings)), run)


def to_video_source(record: Record | BadRow, settings: VideoManifestSettings) -> VideoSource:
    """The video of a record, with the spans that this record lists; Rejected `bad_row` or `no_url`."""
    if isinstance(record, BadRow):
        raise Rejected("bad_row", record)
    names = settings.columns
    clip_id, name, url = (_text(record, column) for column in (names.clip_id, names.id, names.url))
    youtube = clip_id[:11] if clip_id else None
    if not url:
        url = _youtube_url(name or youtube)
    elif YOUTUBE_ID.fullmatch(url):
        name, url = name or url, _youtube_url(url)
    name = name or youtube
    label = _text(record, names.label)
    spans, taken = _spans(record, names, bool(clip_id))
    known = (names.id, names.url, names.label, names.clip_id if taken == names.duration else None, taken)
    video_id, rest = id_and_rest(record, known, name, url, label)
    return VideoSource(video_id, url, label, rest, spans)


def _youtube_url(video: str | None) -> str:
    if not video:
        raise Rejected("no_url", "the row has neither URL nor video id")
    if not YOUTUBE_ID.fullmatch(video):
        raise Rejected("no_url", f"the row has no URL, and its id {video[:40]!r} is no YouTube id")
    return _YOUTUBE + video


def _text(record: Record, column: str | None) -> str | None:
    value = record.get(column) if column else None
    if value is None or isinstance(value, str | int):
        return None if value is None else str(value).strip() or None
    raise Rejected("bad_row", f"the column {column!r} holds no text but {type(value).__name__}")


def _spans(record: Record, names: VideoColumns, is_clip: bool) -> tuple[list[list[float]] | None, str | None]:
    """The spans of the record, and the column that they were read from; None where it lists none."""
    listed = _nested(record.get(names.clips)) if names.clips else None
    duration = _nested(record.get(names.duration)) if names.duration and is_clip else None
    try:
        if isinstance(listed, list):
            return _clip_spans(listed), names.clips
        if duration is not None:
            return [parse_span(duration)], names.duration
    except ValueError as error:
        raise Rejected("bad_row", str(error)) from None
    return None, None


def _clip_spans(clips: list[Any]) -> list[list[float]]:
    """The spans of HD-VILA's clips; ValueError where there are none."""
    if not clips or len(clips) > _MAX_SPANS:
        raise ValueError(f"a list of {len(clips)} clips")
    if not all(isinstance(clip, dict) and "span" in clip for clip in clips):
        raise ValueError("a clip without its span")
    return in_order(parse_span(clip["span"]) for clip in clips)


def _nested(value: Any) -> Any:
    """A list or object that a text column holds as JSON, or the value as it is."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value
