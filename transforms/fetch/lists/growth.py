"""Which rows of a list are new to a run that was begun with an earlier state of the list.

The items that the run has must all be in the list as they were, wherever they stand in it now. Of a row that is no item
the reason counts, and the URL or id that it repeats: as many such rows as the ledger tells of are not new.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

import numpy as np

from transforms.fetch.lists.listing import Judged, Listing, Repeats, Row, find_duplicates, judged
from transforms.fetch.lists.repeats import HashList, Mask, matched
from transforms.tables.digest import differences
from transforms.tables.item_ids import url_id
from transforms.tables.ledger import ledger_table
from transforms.tables.removals import Removals, read_removals
from transforms.tables.shards import iter_rows, read_footer, read_shard, shard_names, shard_path
from transforms.tables.verdicts import verdict

TABLE = STAGE = "manifest"
_OF_ANOTHER = ("duplicate_url", "duplicate_id", "merged_spans")  # reasons whose detail says what the row repeats


class ListChanged(ValueError):
    """Items that the run has are no longer in the list, or others there; the message names one of them."""


@dataclass(frozen=True, slots=True)
class Known:
    """The names of the shards of `manifest` and of its ledger, of whose rows the run knows."""

    tables: tuple[str, ...]
    ledgers: tuple[str, ...]

    def next_number(self) -> int:
        """The number of the next shard."""
        return 1 + max(map(int, (*self.tables, *self.ledgers)), default=-1)


def new_rows(listing: Listing[Row], run: str) -> int:
    """How many rows of the list are new to the run. Raises ListChanged; nothing is written."""
    return int(np.sum(find_new(listing, find_duplicates(listing), read_removals(run), run, known_shards(run))))


def known_shards(run: str) -> Known:
    """What is there of the manifest, without ledger shards whose rows a killed split did not write."""
    tables, ledgers = shard_names(run, TABLE), shard_names(run, ledger_table(STAGE))
    lost = {name for name in set(ledgers).difference(tables) if _kept(run, name)}
    return Known(tuple(tables), tuple(name for name in ledgers if name not in lost))


def _kept(run: str, name: str) -> bool:
    return "kept" in json.loads(read_footer(shard_path(run, ledger_table(STAGE), name))[1]["counts"])


def find_new(listing: Listing[Row], repeats: Repeats, removals: Removals, run: str, known: Known) -> Mask:
    """Whether each row of the list (n,) is new. Raises ListChanged. Hashes of all rows are held, 32 bytes a row."""
    run_has, items = HashList(), 0
    for row in _items(listing, run, known):
        run_has.append(_item_text(row))
        items += 1
    for text in _other_texts(run, known):
        run_has.append(text)
    listed = HashList()
    for one in judged(listing, repeats, removals):
        listed.append(_text(one))
    is_there, is_old = matched(run_has.take(), listed.take())
    lost = np.flatnonzero(~is_there[:items])
    if len(lost):
        row = next(islice(_items(listing, run, known), int(lost[0]), None))
        raise ListChanged(_what_changed(listing, row, judged(listing, repeats, removals), len(lost)))
    return ~is_old


def _items(listing: Listing[Row], run: str, known: Known) -> Iterator[Row]:
    for name in known.tables:
        yield from iter_rows(shard_path(run, TABLE, name), listing.row_type)


def _text(one: Judged[Any]) -> str:
    if one.item is not None:
        return _item_text(one.item)
    return _other_text(one.code, verdict("", one.code, one.detail).detail)


def _item_text(item: Any) -> str:
    return json.dumps(list(asdict(item).values()), ensure_ascii=False)


def _other_text(code: str, detail: str) -> str:
    return json.dumps({code: detail if code in _OF_ANOTHER else ""}, ensure_ascii=False)


def _other_texts(run: str, known: Known) -> Iterator[str]:
    for name in known.ledgers:
        entries = read_shard(shard_path(run, ledger_table(STAGE), name), ["reason", "detail"])
        for code, detail in zip(entries["reason"].to_pylist(), entries["detail"].to_pylist(), strict=True):
            if code:
                yield _other_text(code, detail)


def _what_changed(listing: Listing[Row], row: Row, rows: Iterator[Judged[Row]], count: int) -> str:
    """What became of an item of the run in the list, in a sentence without its end."""
    id_of = listing.id_of()
    others = (one.item for one in rows if one.item is not None)
    now = next((item for item in others if item.url == row.url or id_of(item) == id_of(row)), None)
    name = row.url if id_of(row) == url_id(row.url) else f"{id_of(row)} ({row.url})"
    more = f", nor are {count - 1} more" if count > 1 else ""
    if now is None:
        return f"the item {name:.300} of this run is in the list no more{more}"
    changes = ", ".join(differences(asdict(row), asdict(now)))
    return f"the item {name:.300} of this run is not in the list as it was ({changes}){more}"
