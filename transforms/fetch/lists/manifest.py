"""The manifest becomes the table `manifest`: shards of items to fetch, and a ledger of what was no item.

The manifest is read twice: once for the hashes of its URLs and ids, which find the duplicates, and once to write the
shards. Nothing but the hashes (32 bytes a row) stays in memory, and of a list of clips their spans (24 bytes each).
"""

import hashlib
import json
import logging
import math
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Generic, TypeVar

import numpy as np

from transforms.fetch.lists.image_settings import ManifestSettings
from transforms.fetch.lists.read import read_records
from transforms.fetch.lists.record import BadRow, Record, cell_text, item_url, other_columns
from transforms.fetch.lists.repeats import HashList, Mask, repeated
from transforms.fetch.lists.spans import MAX_SPANS, GatheredSpans, SpanList
from transforms.fetch.lists.video_settings import VideoManifestSettings
from transforms.tables.digest import differences
from transforms.tables.item_ids import safe_id, url_id
from transforms.tables.ledger import ledger_table, write_ledger
from transforms.tables.reasons import Rejected
from transforms.tables.removals import Removals, read_removals
from transforms.tables.rows import ListedImage
from transforms.tables.schemas import arrow_schema, key_name
from transforms.tables.shards import read_footer, shard_names, shard_path, to_table, write_shard
from transforms.tables.verdicts import Verdict, verdict
from transforms.tables.video_rows import ListedVideo

_log = logging.getLogger("manyfaces.manifest")
Row = TypeVar("Row", ListedImage, ListedVideo)
TABLE = STAGE = "manifest"
_SHARDS_AT_ONCE = 16  # being written: on an object store each is a few round trips
_VERDICTS = 50  # times rows_per_shard: a stretch of rejected rows this long ends a shard too
_SHARD_TEXT = 32 * 2**20  # characters of passed-on columns that end a shard too: they may be large, and rows are many
_NAMES = 10**6  # of shards: six digits


@dataclass(frozen=True, slots=True)
class Split:
    """What a manifest came to: rows read, items kept, shards written or found."""

    rows: int
    kept: int
    shards: int


@dataclass(frozen=True, slots=True)
class Listing(Generic[Row]):
    """A manifest and what its records become: rows of `row_type`, by `to_row`, which may raise Rejected."""

    manifest: str
    settings: ManifestSettings | VideoManifestSettings
    row_type: type[Row]
    to_row: Callable[[Record | BadRow], Row]

    def rows(self, left_out: Counter[str] | None = None) -> Iterator[tuple[Row | None, tuple[str, str]]]:
        """Each record's row, or None with reason code and detail; `left_out` as of `read_records`."""
        for record in read_records(self.manifest, self.settings, left_out):
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


def to_listed_image(record: Record | BadRow, settings: ManifestSettings) -> ListedImage:
    """The item of a record; Rejected `bad_row` or `no_url`."""
    if isinstance(record, BadRow):
        raise Rejected("bad_row", record)
    names = settings.columns
    column = names.id_column(record)
    url = item_url(record, names.url)
    if not url:
        raise Rejected("no_url")
    name, label = cell_text(record, column), cell_text(record, names.label)
    if not name and names.needs_id():
        raise Rejected("bad_row", f"no id in column {column!r}")
    source = other_columns(record, (column, names.url, names.label))
    return ListedImage(safe_id(name) if name else url_id(url), url, label, source)


def split_manifest(manifest: str, run: str, settings: ManifestSettings) -> Split:
    """Write the shards of `manifest` and its ledger into the run; see `split`."""
    return split(Listing(manifest, settings, ListedImage, lambda record: to_listed_image(record, settings)), run)


def split(listing: Listing[Row], run: str) -> Split:
    """Write the shards of `manifest` and its ledger into the run; what an interrupted split has written is kept.

    Rows whose URL was removed from the run are no items, and the others stand in the shards in which they would stand
    beside them. ValueError for a run that was begun with another manifest, and for more shards than names that sort.
    """
    repeats = find_duplicates(listing)
    number = len(repeats.duplicate_url)
    new = int(np.sum(~(repeats.duplicate_url | repeats.duplicate_id)))
    rows_per_shard = listing.settings.shard_rows(new)
    _check_number(number, new, repeats.text, rows_per_shard)
    tables, ledgers = (set(shard_names(run, table)) for table in (TABLE, ledger_table(STAGE)))
    made_from = _made_from(listing, repeats)
    _check_manifest(run, tables, made_from)
    kept = shards = 0
    removals = read_removals(run)
    waiting: deque[Future[None]] = deque()
    with ThreadPoolExecutor(_SHARDS_AT_ONCE) as pool:
        for shards, (rows, verdicts) in enumerate(_shards(listing, repeats, removals, rows_per_shard), 1):
            name = f"{shards - 1:06d}"
            kept += len(rows)
            if rows and name not in tables:
                waiting.append(pool.submit(_write_rows, run, name, rows, made_from))
            if name not in ledgers:
                waiting.append(pool.submit(write_ledger, run, STAGE, name, verdicts))
            while len(waiting) > _SHARDS_AT_ONCE:
                waiting.popleft().result()
        for write in waiting:
            write.result()
    return Split(number, kept, shards)


def _shards(
    listing: Listing[Row], repeats: Repeats, removals: Removals, rows_per_shard: int
) -> Iterator[tuple[list[Row], list[tuple[Verdict, int]]]]:
    """The rows of each shard and the verdicts on all rows up to its last."""
    rows: list[Row] = []
    verdicts: list[tuple[Verdict, int]] = []
    id_of, text, gone = listing.id_of(), 0, 0
    gone_ids: set[str] = set()
    for number, (row, why) in enumerate(listing.rows()):
        if row is None:
            verdicts.append((_verdict(number, *why), 0))
        elif removals.has(row.url):
            if not (repeats.duplicate_url[number] or repeats.duplicate_id[number]):
                gone += 1
                text += len(row.source)
            gone_ids.add(id_of(row))
            verdicts.append((_verdict(number, "removed", ""), 0))
        elif repeats.duplicate_url[number]:
            merged = isinstance(row, ListedVideo) and row.spans is not None
            verdicts.append((_verdict(number, "merged_spans" if merged else "duplicate_url", row.url), 0))
        elif repeats.duplicate_id[number]:
            item = id_of(row)
            verdicts.append((_verdict(number, "duplicate_id", "" if item in gone_ids else item), 0))
        elif isinstance(row, ListedVideo) and (spans := repeats.spans.count(number)) > MAX_SPANS:
            verdicts.append((_verdict(number, "bad_row", f"{spans} spans of {row.url}"), 0))
        else:
            rows.append(replace(row, spans=repeats.spans.of(number)) if isinstance(row, ListedVideo) else row)
            verdicts.append((Verdict(id_of(row), "kept"), 1))
            text += len(row.source)
        if len(rows) + gone == rows_per_shard or len(verdicts) == _VERDICTS * rows_per_shard or text >= _SHARD_TEXT:
            yield rows, verdicts
            rows, verdicts, text, gone = [], [], 0, 0
    if verdicts:
        yield rows, verdicts


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


def _verdict(number: int, code: str, detail: str) -> Verdict:
    # no image id has "~" before a small letter other than h, so no item has this one
    return verdict(f"~row-{number}", code, detail)


def _check_number(rows: int, new: int, text: int, rows_per_shard: int) -> None:
    """ValueError if there may be more shards than names; `new` rows are no duplicates, whatever else they are."""
    most = math.ceil((new + (rows - new) / _VERDICTS) / rows_per_shard) + text // _SHARD_TEXT
    if most > _NAMES:
        raise ValueError(
            f"{new} rows make {most} shards of {rows_per_shard}, and only {_NAMES} names of shards sort as they count; "
            f"set manifest.rows_per_shard to {math.ceil(rows_per_shard * most / _NAMES)} or more."
        )


def _made_from(listing: Listing[Row], repeats: Repeats) -> dict[str, str]:
    """What the shards of a manifest are made from, as their footers have it."""
    return {"manifest": repeats.digest, "settings": listing.settings.model_dump_json()}


def _check_manifest(run: str, names: set[str], made_from: dict[str, str]) -> None:
    """ValueError if the run has a shard of another manifest, or read otherwise; all that it has are of one."""
    for name in sorted(names)[:1]:
        footer = read_footer(shard_path(run, TABLE, name))[1]
        if "settings" in footer:
            before, now = (json.loads(told["settings"]) for told in (footer, made_from))
            if changed := differences(before, now, "manifest"):
                raise ValueError(f"{run} was begun with {', '.join(changed)}; set that back, or give another --output.")
        if footer.get("manifest") != made_from["manifest"]:
            raise ValueError(
                f"{run} was begun with another manifest; give the changed manifest a run folder of its own."
            )


def _write_rows(run: str, name: str, rows: list[Row], made_from: dict[str, str]) -> None:
    write_shard(shard_path(run, TABLE, name), to_table(rows, arrow_schema(type(rows[0]))), made_from)
