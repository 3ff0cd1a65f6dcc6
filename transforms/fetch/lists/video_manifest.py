"""Lists of videos: plain rows, HD-VILA's metafile and clip lists become the table `manifest` of ListedVideos."""

import re

from transforms.fetch.lists.growth import new_rows
from transforms.fetch.lists.listing import Listing
from transforms.fetch.lists.manifest import Split, split
from transforms.fetch.lists.record import BadRow, Record, cell_text, is_blank, item_url, other_columns
from transforms.fetch.lists.spans import nested, parse_clips, parse_duration
from transforms.fetch.lists.video_settings import VideoColumns, VideoManifestSettings
from transforms.tables.item_ids import safe_id, url_id
from transforms.tables.reasons import Rejected
from transforms.tables.video_rows import ListedVideo

YOUTUBE_ID = re.compile(r"[A-Za-z0-9_-]{11}", re.ASCII)
_YOUTUBE = "https://www.youtube.com/watch?v="


def split_videos(manifest: str, run: str, settings: VideoManifestSettings) -> Split:
    """Write the shards of `manifest` and its ledger into the run, as `split` does.

    Rows of one video that list spans become one item with all their spans: the first row is kept, the others are
    `merged_spans`. A row that lists none wants the whole video, whatever spans others list.
    """
    return split(Listing(manifest, settings, ListedVideo, lambda record: to_listed_video(record, settings)), run)


def new_video_rows(manifest: str, run: str, settings: VideoManifestSettings) -> int:
    """How many rows of the list are new to the run, as `growth.new_rows` has it."""
    return new_rows(Listing(manifest, settings, ListedVideo, lambda record: to_listed_video(record, settings)), run)


def to_listed_video(record: Record | BadRow, settings: VideoManifestSettings) -> ListedVideo:
    """The video of a record, with the spans that this record lists; Rejected `bad_row` or `no_url`."""
    if isinstance(record, BadRow):
        raise Rejected("bad_row", record)
    names = settings.columns
    column = names.id_column(record)
    clip_id, name = cell_text(record, names.clip_id), cell_text(record, column)
    url = item_url(record, names.url) if names.url else None
    youtube = clip_id[:11] if clip_id else None
    if not url:
        url = _youtube_url(name or youtube)
    elif YOUTUBE_ID.fullmatch(url):
        name, url = name or url, _youtube_url(url)
    name = name or youtube
    spans, taken = _spans(record, names, bool(clip_id))
    known = (column, names.url, names.label, names.clip_id if taken == names.duration else None, taken)
    label, rest = cell_text(record, names.label), other_columns(record, known)
    return ListedVideo(safe_id(name) if name else url_id(url), url, label, rest, spans)


def _youtube_url(video: str | None) -> str:
    if not video:
        raise Rejected("no_url", "the row has neither URL nor video id")
    if not YOUTUBE_ID.fullmatch(video):
        raise Rejected("no_url", f"the row has no URL, and its id {video[:40]!r} is no YouTube id")
    return _YOUTUBE + video


def _spans(record: Record, names: VideoColumns, is_clip: bool) -> tuple[list[list[float]] | None, str | None]:
    """The spans of the record, and the column that they were read from; None where it lists none."""
    for column, parse in ((names.clips, parse_clips), (names.duration if is_clip else None, parse_duration)):
        value = record.get(column) if column else None
        if column is None or is_blank(value):
            continue
        try:
            return parse(nested(value)), column
        except ValueError as error:
            key = "clips" if column == names.clips else "duration"
            raise Rejected(
                "bad_row",
                f"the column {column!r}: {error} (where it holds something else: --set manifest.columns.{key}=null)",
            ) from None
    return None, None
