"""What the rows of a list become: an item each, or a reason why it is none."""

import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Generic, TypeVar

from transforms.fetch.lists.first_rows import first_rows
from transforms.fetch.lists.image_settings import ManifestSettings
from transforms.fetch.lists.read import read_records
from transforms.fetch.lists.record import BadRow, Record
from transforms.fetch.lists.repeats import HashList, Mask, repeated
from transforms.fetch.lists.spans import MAX_SPANS, GatheredSpans, SpanList
from transforms.fetch.lists.video_settings import VideoManifestSettings
from transforms.tables.item_ids import url_id
from transforms.tables.reasons import Rejected
from transforms.tables.removals import Removals
from transforms.tables.rows import ListedImage
from transforms.tables.schemas import key_name
from transforms.tables.video_rows import ListedVideo

_log = logging.getLogger("manyfaces.manifest")
Row = TypeVar("Row", ListedImage, ListedVideo)


@dataclass(frozen=True, slots=True)
class Listing(Generic[Row]):
    """A manifest and what its records become: rows of `row_type`, by `to_row`, which may raise Rejected."""

    manifest: str
    settings: ManifestSettings | VideoManifestSettings
    row_type: type[Row]
    to_row: Callable[[Record | BadRow], Row]

    def rows(self, left_out: Counter[str] | None = None) -> Iterator[tuple[Row | None, tuple[str, str]]]:
        """Each record's row, or None with reason code and detail; `left_out` as of `read_records`.

        Only the first, where the settings say so.
        """
        found = self._rows(left_out)
        return found if self.settings.first_rows is None else first_rows(found, self.settings.first_rows)

    def _rows(self, left_out: Counter[str] | None) -> Iterator[tuple[Row | None, tuple[str, str]]]:
        for record in read_records(self.manifest, self.settings, left_out, self.settings.endings):
            try:
                yield self.to_row(record), ("", "")
            except Rejected as why:
                yield None, (why.code, why.detail)

    def id_of(self) -> Callable[[Row], str]:
        """What gives a row's id."""
        return attrgetter(key_name(self.row_type))


@dataclass(frozen=True, slots=True, eq=False)
class Repeats:
    """For each row whether an earlier one has its URL, and its id; the spans of rows with one URL; a digest of all."""

    duplicate_url: Mask
    duplicate_id: Mask
    spans: GatheredSpans
    digest: str
    text: int  # characters of all rows' other columns


def find_duplicates(listing: Listing[Row]) -> Repeats:
    """What the first reading of the manifest finds; the digest is of all URLs, ids and spans, in order."""
    urls, ids, listed, left_out = HashList(), HashList(), SpanList(), Counter[str]()
    id_of, own_ids, text = listing.id_of(), False, 0
    for number, (row, _) in enumerate(listing.rows(left_out)):
        urls.append(row.url if row else None)
        ids.append(id_of(row) if row else None)
        if row is not None:
            own_ids = own_ids or isinstance(row, ListedVideo) or row.image_id != url_id(row.url)
            text += len(row.source)
        if isinstance(row, ListedVideo) and row.spans is not None:
            listed.append(number, row.spans)
    for column, count in left_out.items():
        _log.warning("the manifest's column %r cannot be carried in %d rows; it is null there", column, count)
    digest = hashlib.sha256()
    hashes = urls.take()
    digest.update(hashes.data)
    duplicate_url = repeated(hashes)
    spans = listed.take()
    gathered = GatheredSpans(spans, hashes)
    hashes = ids.take()
    if own_ids:
        digest.update(hashes.data)
    digest.update(spans.tobytes())
    hashes[duplicate_url] = 0  # a row that goes for its URL does not claim its id
    return Repeats(duplicate_url, repeated(hashes), gathered, digest.hexdigest(), text)


@dataclass(frozen=True, slots=True, eq=False)
class Judged(Generic[Row]):
    """What became of a row of the list: the item, with all its spans, or None with a reason code and its detail.

    has_place: it stands in a shard, or would if its URL were not removed; text: characters that it then takes there.
    """

    item: Row | None
    code: str = ""
    detail: str = ""
    has_place: bool = False
    text: int = 0


def judged(listing: Listing[Row], repeats: Repeats, removals: Removals) -> Iterator[Judged[Row]]:
    """Every row of the list, in order; a row whose URL was removed from the run is no item."""
    id_of = listing.id_of()
    gone_ids: set[str] = set()
    for number, (row, why) in enumerate(listing.rows()):
        if row is None:
            yield Judged(None, *why)
        elif removals.has(row.url):
            gone_ids.add(id_of(row))
            has_place = not (repeats.duplicate_url[number] or repeats.duplicate_id[number])
            yield Judged(None, "removed", "", has_place, len(row.source))
        elif repeats.duplicate_url[number]:
            merged = isinstance(row, ListedVideo) and row.spans is not None
            yield Judged(None, "merged_spans" if merged else "duplicate_url", row.url)
        elif repeats.duplicate_id[number]:
            item = id_of(row)
            yield Judged(None, "duplicate_id", "" if item in gone_ids else item)
        elif isinstance(row, ListedVideo) and (spans := repeats.spans.count(number)) > MAX_SPANS:
            yield Judged(None, "bad_row", f"{spans} spans of {row.url}")
        else:
            whole = replace(row, spans=repeats.spans.of(number)) if isinstance(row, ListedVideo) else row
            yield Judged(whole, has_place=True, text=len(row.source))
