"""The manifest becomes the table `manifest`: shards of items to fetch, and a ledger of what was no item.

The manifest is read twice: once for the hashes of its URLs and ids, which find the duplicates, and once to write the
shards. Nothing but the hashes (32 bytes a row) stays in memory, and of a list of clips their spans (24 bytes each).
A list that has grown is read once more in between, to find its new rows: they become further shards.
"""

import json
import math
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import compress

import numpy as np

from transforms.fetch.lists.growth import STAGE, TABLE, find_new, known_shards, new_rows
from transforms.fetch.lists.image_settings import ManifestSettings
from transforms.fetch.lists.listing import Judged, Listing, Repeats, Row, find_duplicates, judged
from transforms.fetch.lists.record import BadRow, Record, cell_text, item_url, other_columns
from transforms.fetch.lists.repeats import Mask
from transforms.settings import what
from transforms.tables.digest import differences
from transforms.tables.files import delete_files
from transforms.tables.item_ids import safe_id, url_id
from transforms.tables.ledger import ledger_table, tally, write_ledger
from transforms.tables.reasons import Rejected
from transforms.tables.removals import Removals, read_removals
from transforms.tables.rows import ListedImage
from transforms.tables.schemas import arrow_schema, key_name
from transforms.tables.shards import read_footer, read_shard, shard_names, shard_path, to_table, write_shard
from transforms.tables.verdicts import Verdict, verdict

_SHARDS_AT_ONCE = 16  # being written: on an object store each is a few round trips
_VERDICTS = 50  # times rows_per_shard: a stretch of rejected rows this long ends a shard too
_SHARD_TEXT = 32 * 2**20  # characters of passed-on columns that end a shard too: they may be large, and rows are many
_NAMES = 10**6  # of shards: six digits
_GROWN = "grown"  # in the footers of what was written beside shards of an earlier state of the list


@dataclass(frozen=True, slots=True)
class Split:
    """What a manifest came to: rows read, items of the run, shards written or found."""

    rows: int
    kept: int
    shards: int


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


def new_manifest_rows(manifest: str, run: str, settings: ManifestSettings) -> int:
    """How many rows of the list are new to the run, as `growth.new_rows` has it."""
    listing = Listing(manifest, settings, ListedImage, lambda record: to_listed_image(record, settings))
    return new_rows(listing, run)


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """The rows of the list (n,) that are to be written, and what the run has of others: shards, verdicts, items."""

    rows: Mask
    shards: int = 0
    verdicts: int = 0
    items: int = 0


def split(listing: Listing[Row], run: str) -> Split:
    """Write the shards of `manifest` and its ledger into the run; what an interrupted split has written is kept.

    Rows whose URL was removed from the run are no items, and the others stand in the shards in which they would stand
    beside them. Where the run was begun with an earlier state of the list, its shards stay, and the new rows follow in
    further ones. Raises ListChanged if items of the run are not in the list, and ValueError for a run whose list was
    read otherwise, and for more shards than names that sort.
    """
    repeats, removals = find_duplicates(listing), read_removals(run)
    tables, ledgers = (set(shard_names(run, table)) for table in (TABLE, ledger_table(STAGE)))
    footer = {"manifest": repeats.digest, "settings": json.dumps(what(listing.settings))}
    part = Part(np.ones(len(repeats.duplicate_url), np.bool_))
    if not _is_made_from(run, tables, ledgers, footer):
        part = _new_part(listing, repeats, removals, run)
        footer[_GROWN], tables, ledgers = "true", set(), set()  # of the part's own shards there is none yet
    new = int(np.sum(part.rows & ~(repeats.duplicate_url | repeats.duplicate_id)))
    rows_per_shard = listing.settings.shard_rows(new)
    _check_number(int(np.sum(part.rows)), new, repeats.text, rows_per_shard, part.shards)
    kept, shards = part.items, part.shards
    waiting: deque[Future[None]] = deque()
    with ThreadPoolExecutor(_SHARDS_AT_ONCE) as pool:
        found = _shards(listing, judged(listing, repeats, removals), part, rows_per_shard)
        for shards, (rows, verdicts) in enumerate(found, part.shards + 1):
            name = f"{shards - 1:06d}"
            kept += len(rows)
            if rows and name not in tables:
                waiting.append(pool.submit(_write_rows, run, name, rows, footer))
            if name not in ledgers:
                waiting.append(pool.submit(write_ledger, run, STAGE, name, verdicts, footer))
            while len(waiting) > _SHARDS_AT_ONCE:
                waiting.popleft().result()
        for write in waiting:
            write.result()
    return Split(len(repeats.duplicate_url), kept, shards)


def _new_part(listing: Listing[Row], repeats: Repeats, removals: Removals, run: str) -> Part:
    """What is new of a list that has grown, after what a killed split left is made whole: an entry for each row."""
    known = known_shards(run)
    new = find_new(listing, repeats, removals, run, known)
    ledger = ledger_table(STAGE)
    delete_files([shard_path(run, ledger, name) for name in sorted(set(shard_names(run, ledger)) - set(known.ledgers))])
    for name in sorted(set(known.tables) - set(known.ledgers)):
        ids = read_shard(shard_path(run, TABLE, name), [key_name(listing.row_type)]).column(0).to_pylist()
        write_ledger(run, STAGE, name, [(Verdict(item, "kept"), 1) for item in ids])
    counts = tally(run, STAGE)
    return Part(new, known.next_number(), counts.items, counts.rows)


def _shards(
    listing: Listing[Row], told: Iterator[Judged[Row]], part: Part, rows_per_shard: int
) -> Iterator[tuple[list[Row], list[tuple[Verdict, int]]]]:
    """The rows of each shard and the verdicts on all rows of the part up to its last."""
    rows: list[Row] = []
    verdicts: list[tuple[Verdict, int]] = []
    id_of, text, places = listing.id_of(), 0, 0
    for number, one in enumerate(compress(told, part.rows), part.verdicts):
        if one.item is None:
            verdicts.append((_verdict(number, one.code, one.detail), 0))
        else:
            rows.append(one.item)
            verdicts.append((Verdict(id_of(one.item), "kept"), 1))
        text += one.text
        places += one.has_place
        if places == rows_per_shard or len(verdicts) == _VERDICTS * rows_per_shard or text >= _SHARD_TEXT:
            yield rows, verdicts
            rows, verdicts, text, places = [], [], 0, 0
    if verdicts:
        yield rows, verdicts


def _verdict(number: int, code: str, detail: str) -> Verdict:
    # no image id has "~" before a small letter other than h, so no item has this one
    return verdict(f"~row-{number}", code, detail)


def _check_number(rows: int, new: int, text: int, rows_per_shard: int, before: int) -> None:
    """ValueError if there may be more shards than names, with those `before`; `new` rows are no duplicates."""
    most = math.ceil((new + (rows - new) / _VERDICTS) / rows_per_shard) + text // _SHARD_TEXT
    if before + most > _NAMES:
        taken = f", of which {before} are taken" if before else ""
        raise ValueError(
            f"{new} rows make {most} shards of {rows_per_shard}, and only {_NAMES} names of shards sort as they count"
            f"{taken}; set manifest.rows_per_shard to "
            f"{math.ceil(rows_per_shard * most / max(1, _NAMES - before))} or more."
        )


def _is_made_from(run: str, tables: set[str], ledgers: set[str], now: dict[str, str]) -> bool:
    """Whether the run has nothing of a manifest yet, or was begun with this state of it and has nothing of others.

    ValueError if it was read otherwise. Earlier versions told what a shard is made from in `manifest` alone.
    """
    if not tables and not ledgers:
        return True
    footer = _footer(run, ledger_table(STAGE), max(ledgers)) if ledgers else {}
    if "manifest" not in footer and tables:
        footer = _footer(run, TABLE, min(tables))
    if "settings" in footer:
        before, after = (json.loads(told["settings"]) for told in (footer, now))
        if changed := differences(before, after, "manifest"):
            raise ValueError(f"{run} was begun with {', '.join(changed)}; set that back, or give another --output.")
    return footer.get("manifest") == now["manifest"] and _GROWN not in footer


def _footer(run: str, table: str, name: str) -> dict[str, str]:
    return read_footer(shard_path(run, table, name))[1]


def _write_rows(run: str, name: str, rows: list[Row], footer: dict[str, str]) -> None:
    write_shard(shard_path(run, TABLE, name), to_table(rows, arrow_schema(type(rows[0]))), footer)
