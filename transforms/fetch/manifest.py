"""The manifest becomes the table `manifest`: shards of items to fetch, and a ledger of what was no item.

The manifest is read twice: once for the hashes of its URLs and ids, which find the duplicates, and once to write the
shards. Nothing but the hashes (32 bytes a row) stays in memory, and of a list of clips their spans (24 bytes each).
"""

import base64
import hashlib
import json
import math
import re
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any, Generic, TypeVar

import numpy as np

from transforms.fetch.manifest_read import BadRow, Record, read_records
from transforms.fetch.repeats import HashList, Mask, repeated
from transforms.fetch.settings import ManifestSettings
from transforms.fetch.spans import GatheredSpans, SpanList
from transforms.fetch.video_settings import VideoManifestSettings
from transforms.tables.chunks import key_name
from transforms.tables.flow import Verdict
from transforms.tables.ledger import ledger_table, write_ledger
from transforms.tables.reasons import Rejected, reason
from transforms.tables.schemas import Source, arrow_schema
from transforms.tables.shards import read_footer, shard_names, shard_path, to_table, write_shard
from transforms.tables.video_schemas import VideoSource

Row = TypeVar("Row", Source, VideoSource)
TABLE = STAGE = "manifest"
_SAFE_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_UNSAFE = re.compile(rb"[^A-Za-z0-9_.-]")
_MAX_ID = 120  # characters; ids are parts of file names
_SHARDS_AT_ONCE = 16  # being written: on an object store each is a few round trips
_VERDICTS = 50  # times rows_per_shard: a stretch of rejected rows this long ends a shard too
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

    def rows(self) -> Iterator[tuple[Row | None, tuple[str, str]]]:
        """Each record's row, or None with reason code and detail."""
        for record in read_records(self.manifest, self.settings):
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


def safe_id(name: str) -> str:
    """The name as an image id: safe in paths and keys, and different for different names.

    Plain names (letters, digits, `_ . -`, not starting with `.` or `-`) stay. In others each other byte becomes
    `~` and two hex digits; what is then too long is cut and ends in `~h` and 32 hex digits of its sha256.
    """
    if _SAFE_ID.fullmatch(name) and len(name) <= _MAX_ID:
        return name
    raw = name.encode()
    shown = _UNSAFE.sub(lambda byte: b"~%02X" % byte[0][0], raw).decode()
    if shown[:1] in (".", "-"):
        shown = f"~{ord(shown[0]):02X}{shown[1:]}"
    if len(shown) <= _MAX_ID:
        return shown
    return f"{shown[:80]}~h{hashlib.sha256(raw).hexdigest()[:32]}"


def to_source(record: Record | BadRow, settings: ManifestSettings) -> Source:
    """The item of a record; Rejected `bad_row` or `no_url`."""
    if isinstance(record, BadRow):
        raise Rejected("bad_row", record)
    names = settings.columns
    url = record.get(names.url)
    url = url.strip() if isinstance(url, str) else url
    if url is None or url == "":
        raise Rejected("no_url")
    if not isinstance(url, str):
        raise Rejected("bad_row", f"the URL is no text but {type(url).__name__}")
    name = _text(record.get(names.id)) if names.id else None
    if names.id and not name:
        raise Rejected("bad_row", f"no id in column {names.id!r}")
    label = _text(record.get(names.label)) if names.label else None
    image_id, source = id_and_rest(record, (names.id, names.url, names.label), name, url, label)
    return Source(image_id, url, label, source)


def id_and_rest(
    record: Record, known: tuple[str | None, ...], name: str | None, url: str, label: str | None
) -> tuple[str, str]:
    """The item's id, and the columns other than the `known` as JSON; Rejected `bad_row` for what cannot be stored."""
    try:
        rest = _to_json({key: value for key, value in record.items() if key not in known})
        "".join((url, name or "", label or "", rest)).encode()
        return safe_id(name) if name else hashlib.sha256(url.encode()).hexdigest()[:20], rest
    except UnicodeEncodeError:
        raise Rejected("bad_row", "text that is no UTF-8") from None
    except (TypeError, ValueError) as error:
        raise Rejected("bad_row", str(error)) from None


def _to_json(record: Record) -> str:
    try:
        return json.dumps(record, ensure_ascii=False, default=_plain, allow_nan=False)
    except ValueError:  # NaN or an infinity, which JSON lacks
        return json.dumps(_finite(record), ensure_ascii=False, default=_plain, allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _text(value: Any) -> str | None:
    return None if value is None else str(value).strip()


def _plain(value: Any) -> Any:
    """What JSON has no type for."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def split_manifest(manifest: str, run: str, settings: ManifestSettings) -> Split:
    """Write the shards of `manifest` and its ledger into the run; see `split`."""
    return split(Listing(manifest, settings, Source, lambda record: to_source(record, settings)), run)


def split(listing: Listing[Row], run: str) -> Split:
    """Write the shards of `manifest` and its ledger into the run; what an interrupted split has written is kept.

    ValueError for a run that was begun with another manifest, and for more shards than names that sort.
    """
    repeats = find_duplicates(listing)
    number = len(repeats.duplicate_url)
    new = int(np.sum(~(repeats.duplicate_url | repeats.duplicate_id)))
    rows_per_shard = listing.settings.shard_rows(new)
    _check_number(number, new, rows_per_shard)
    tables, ledgers = (set(shard_names(run, table)) for table in (TABLE, ledger_table(STAGE)))
    _check_manifest(run, tables, repeats.digest)
    kept = shards = 0
    waiting: deque[Future[None]] = deque()
    with ThreadPoolExecutor(_SHARDS_AT_ONCE) as pool:
        for shards, (rows, verdicts) in enumerate(_shards(listing, repeats, rows_per_shard), 1):
            name = f"{shards - 1:06d}"
            kept += len(rows)
            if rows and name not in tables:
                waiting.append(pool.submit(_write_rows, run, name, rows, repeats.digest))
            if name not in ledgers:
                waiting.append(pool.submit(write_ledger, run, STAGE, name, verdicts))
            while len(waiting) > _SHARDS_AT_ONCE:
                waiting.popleft().result()
        for write in waiting:
            write.result()
    return Split(number, kept, shards)


def _shards(
    listing: Listing[Row], repeats: Repeats, rows_per_shard: int
) -> Iterator[tuple[list[Row], list[tuple[Verdict, int]]]]:
    """The rows of each shard and the verdicts on all rows up to its last."""
    rows: list[Row] = []
    verdicts: list[tuple[Verdict, int]] = []
    id_of = listing.id_of()
    for number, (row, why) in enumerate(listing.rows()):
        if row is None:
            verdicts.append((_verdict(number, *why), 0))
        elif repeats.duplicate_url[number]:
            merged = isinstance(row, VideoSource) and row.spans is not None
            verdicts.append((_verdict(number, "merged_spans" if merged else "duplicate_url", row.url), 0))
        elif repeats.duplicate_id[number]:
            verdicts.append((_verdict(number, "duplicate_id", id_of(row)), 0))
        else:
            rows.append(replace(row, spans=repeats.spans.of(number)) if isinstance(row, VideoSource) else row)
            verdicts.append((Verdict(id_of(row), "kept"), 1))
        if len(rows) == rows_per_shard or len(verdicts) == _VERDICTS * rows_per_shard:
            yield rows, verdicts
            rows, verdicts = [], []
    if verdicts:
        yield rows, verdicts


def find_duplicates(listing: Listing[Row]) -> Repeats:
    """What the first reading of the manifest finds; the digest is of all URLs, ids and spans, in order."""
    urls, ids, listed = HashList(), HashList(), SpanList()
    id_of = listing.id_of()
    for number, (row, _) in enumerate(listing.rows()):
        urls.append(row.url if row else None)
        if listing.settings.columns.id:
            ids.append(id_of(row) if row else None)
        if isinstance(row, VideoSource) and row.spans is not None:
            listed.append(number, row.spans)
    digest = hashlib.sha256()
    hashes = urls.take()
    digest.update(hashes.data)
    duplicate_url = repeated(hashes)
    spans = listed.take()
    gathered = GatheredSpans(spans, hashes)
    hashes = ids.take()
    digest.update(hashes.data)
    digest.update(spans.tobytes())
    if not listing.settings.columns.id:
        return Repeats(duplicate_url, np.zeros_like(duplicate_url), gathered, digest.hexdigest())
    hashes[duplicate_url] = 0  # a row that goes for its URL does not claim its id
    return Repeats(duplicate_url, repeated(hashes), gathered, digest.hexdigest())


def _verdict(number: int, code: str, detail: str) -> Verdict:
    # no image id has "~" before a small letter other than h, so no item has this one
    shown = detail[:500].encode("utf-8", "replace").decode()
    return Verdict(f"~row-{number}", reason(code).state, code, False, shown)


def _check_number(rows: int, new: int, rows_per_shard: int) -> None:
    """ValueError if there may be more shards than names; `new` rows are no duplicates, whatever else they are."""
    most = math.ceil((new + (rows - new) / _VERDICTS) / rows_per_shard)
    if most > _NAMES:
        raise ValueError(
            f"{new} rows make {most} shards of {rows_per_shard}, and only {_NAMES} names of shards sort as they count; "
            f"set manifest.rows_per_shard to {math.ceil(rows_per_shard * most / _NAMES)} or more."
        )


def _check_manifest(run: str, names: set[str], digest: str) -> None:
    """ValueError if the run has a shard of another manifest; all that it has are of one."""
    for name in sorted(names)[:1]:
        if read_footer(shard_path(run, TABLE, name))[1].get("manifest") != digest:
            raise ValueError(
                f"{run} was begun with another manifest; give the changed manifest a run folder of its own."
            )


def _write_rows(run: str, name: str, rows: list[Row], digest: str) -> None:
    write_shard(shard_path(run, TABLE, name), to_table(rows, arrow_schema(type(rows[0]))), {"manifest": digest})
