"""Taking what was removed out of ledgers and retries, so that the counts still balance.

Items that are gone have no entry any more, as they have no row that entered. An item that stays loses the rows that are
gone; if none is left of it, its entry says `removed`. Every function may be called again: it goes by what is there.
"""

import json
from collections import Counter
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from transforms.tables.ledger import RETRIES, ledger_table, retry_names
from transforms.tables.lineage import Gone, Sets
from transforms.tables.rows import LedgerEntry, Retry
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import read_footer, read_shard, shard_names, shard_path, to_table, write_shard
from transforms.tables.verdicts import Verdict, verdict

REASON = "removed"
_SPANS = " spans of "  # what comes before the URL in the detail of a video with too many of them
_OF_URLS = ("duplicate_url", "merged_spans")  # reasons of rows of a list that are there again by their URL


def take_out_entries(run: str, stage: str, kind: str, sets: Sets) -> int:
    """Delete the stage's entries of items that are gone; `kind` is what its items are. Returns how many."""
    lost = 0
    for name in shard_names(run, ledger_table(stage)):
        path = shard_path(run, ledger_table(stage), name)
        entries = read_shard(path)
        stay = _without(entries, kind, sets)
        if len(stay) < len(entries):
            lost += len(entries) - len(stay)
            _write_entries(path, stay)
    return lost


def settle_rows(run: str, stage: str, table: str, parent: str) -> int:
    """Have the entries tell of the rows that their items still have in the stage's table; returns how many changed.

    `parent` is the column of the table that names a row's item.
    """
    changed = 0
    there = set(shard_names(run, table))
    for name in shard_names(run, ledger_table(stage)):
        path = shard_path(run, ledger_table(stage), name)
        if name not in there or int(read_footer(path)[1]["rows"]) == read_footer(shard_path(run, table, name))[0]:
            continue
        rows = Counter(read_shard(shard_path(run, table, name), [parent])[parent].to_pylist())
        entries = read_shard(path).to_pylist()
        settled = [_settled(entry, rows[entry["item_id"]]) for entry in entries]
        changed += sum(old != new for old, new in zip(entries, settled, strict=True))
        _write_entries(path, pa.Table.from_pylist(settled, arrow_schema(LedgerEntry)))
    return changed


def _settled(entry: dict[str, Any], rows: int) -> dict[str, Any]:
    if entry["state"] != "kept" or entry["rows"] == rows:
        return entry
    return entry | {"rows": rows} if rows else _entry(verdict(entry["item_id"], REASON))


def take_out_of_manifest(run: str, stage: str, kind: str, gone: Gone) -> int:
    """Have the ledger of the manifest say `removed` of all rows of the list that are gone; returns how many.

    An entry is then called by the number of its row, as those of other rows that are no items are, and whatever an
    entry quotes of what is gone is blank.
    """
    ids, urls = set(gone.get(kind, ())), set(gone.get("url", ()))
    quoted = {verdict("", REASON, text).detail for text in ids | urls}
    quoted_urls = {verdict("", REASON, url).detail for url in urls}

    def now(number: int, entry: dict[str, Any]) -> dict[str, Any]:
        detail = entry["detail"]
        if entry["item_id"] in ids or (entry["reason"] in _OF_URLS and detail in quoted_urls):
            return _entry(verdict(f"~row-{number}", REASON))
        return entry | {"detail": ""} if detail in quoted or detail.partition(_SPANS)[2] in quoted_urls else entry

    first = changed = 0
    for name in shard_names(run, ledger_table(stage)):
        path = shard_path(run, ledger_table(stage), name)
        entries = read_shard(path).to_pylist()
        mended = [now(number, entry) for number, entry in enumerate(entries, first)]
        first += len(entries)
        if mended != entries:
            changed += sum(old != new for old, new in zip(entries, mended, strict=True))
            _write_entries(path, pa.Table.from_pylist(mended, arrow_schema(LedgerEntry)))
    return changed


def take_out_retries(run: str, stage: str, kind: str, sets: Sets) -> int:
    """Delete the items that are gone from the stage's retries, done and planned; returns how many."""
    lost = 0
    for name in retry_names(run, stage):
        path = shard_path(run, RETRIES, name)
        rows = read_shard(path)
        stay = _without(rows, kind, sets)
        if len(stay) < len(rows):
            lost += len(rows) - len(stay)
            counts = json.dumps(Counter(stay["reason"].to_pylist()), sort_keys=True)
            write_shard(path, stay.cast(arrow_schema(Retry)), {**read_footer(path)[1], "counts": counts})
    return lost


def _without(table: pa.Table, kind: str, sets: Sets) -> pa.Table:
    return table.filter(pc.invert(pc.is_in(table["item_id"], value_set=sets[kind]))) if kind in sets else table


def _entry(one: Verdict) -> dict[str, Any]:
    entry = LedgerEntry(one.item_id, one.state, one.reason, one.transient, one.detail, 0)
    found: dict[str, Any] = to_table([entry], arrow_schema(LedgerEntry)).to_pylist()[0]
    return found


def _write_entries(path: str, entries: pa.Table) -> None:
    """Write a ledger's shard anew with its counts.

    What else its footer says stays: the digest of its verdicts still tells that it and its table's shard belong
    together.
    """
    schema = arrow_schema(LedgerEntry)
    counts = Counter(code or "kept" for code in entries["reason"].to_pylist())
    rows = sum(entries["rows"].to_pylist())
    told = {**read_footer(path)[1], "counts": json.dumps(counts, sort_keys=True), "rows": str(rows)}
    write_shard(path, entries.cast(schema), told)
