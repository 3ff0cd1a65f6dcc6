"""Planning a retry: the failed items of a stage become chunks of their own, which the next run does."""

import json
from collections import Counter
from collections.abc import Iterator
from operator import itemgetter

import pyarrow.compute as pc

from transforms.tables.ledger import RETRIES, read_ledger, retried, retry_attempt, retry_name, retry_names
from transforms.tables.rows import Retry
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import read_shard, shard_names, shard_path, to_table, write_shard


def plan_retry(run: str, stage: str, transient_only: bool, rows_per_shard: int) -> int:
    """Write retry chunks for the failed items of a stage; returns how many items they hold.

    Nothing is fetched or computed here. A stage with planned chunks that are not done yet gets no others.
    """
    if set(retry_names(run, stage)) - set(retried(run, stage)):
        return 0
    attempt = 1 + max((retry_attempt(name) for name in shard_names(run, RETRIES)), default=0)
    rows = list(_failed(run, stage, transient_only))
    for number, start in enumerate(range(0, len(rows), rows_per_shard)):
        part = rows[start : start + rows_per_shard]
        counts = json.dumps(Counter(row.reason for row in part), sort_keys=True)
        path = shard_path(run, RETRIES, retry_name(attempt, stage, number))
        write_shard(path, to_table(part, arrow_schema(Retry)), {"counts": counts})
    return len(rows)


def _failed(run: str, stage: str, transient_only: bool) -> Iterator[Retry]:
    own = set(retry_names(run, stage))
    for shard, table in read_ledger(run, stage):
        wanted = pc.equal(table["state"], "failed")
        if transient_only:
            wanted = pc.and_(wanted, table["transient"])
        table = table.filter(wanted)
        # the row of an item that was tried again still lies where the first try read it
        source = _input_shards(run, shard) if shard in own else {}
        for item, code in zip(table["item_id"].to_pylist(), table["reason"].to_pylist(), strict=True):
            yield Retry(item, shard, source.get(item, shard), code)


def _input_shards(run: str, name: str) -> dict[str, str]:
    retries = read_shard(shard_path(run, RETRIES, name))
    return dict(zip(retries["item_id"].to_pylist(), retries["input_shard"].to_pylist(), strict=True))


def retried_rows(run: str, name: str) -> dict[str, set[str]]:
    """The rows of a retry chunk: shard of its stage's input table -> ids, in the order of the shards."""
    ids: dict[str, set[str]] = {}
    for item, shard in sorted(_input_shards(run, name).items(), key=itemgetter(1)):
        ids.setdefault(shard, set()).add(item)
    return ids
