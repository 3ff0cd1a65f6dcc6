"""Having a stage do chunks again that it has done: what it left out of them has changed since."""

from collections.abc import Collection

from apache_beam.io.filesystems import FileSystems

from transforms.tables.ledger import RETRIES, ledger_table, retry_names
from transforms.tables.shards import read_shard, shard_names, shard_path


def reopen(run: str, stage: str, table: str, names: Collection[str]) -> None:
    """Forget that a stage, which writes `table`, did these chunks, as far as it did; the next run does them anew.

    A retry that took items of such a chunk is forgotten with all it wrote, and so are the other chunks that it took
    items of: the items are done again where they were first, and would be there twice.
    """
    if not names:
        return
    retries = {name: _sources(run, name) for name in retry_names(run, stage)}
    again, undone = set(names), set[str]()
    while more := {name for name, found in retries.items() if name not in undone and ({name} | found) & again}:
        undone |= more
        again |= more.union(*(retries[name] for name in more))
    # the ledger goes before the retries: whoever stops in between finds them again, and does this again
    _delete(run, table, undone)
    _delete(run, ledger_table(stage), again)
    _delete(run, RETRIES, undone)


def _sources(run: str, retry: str) -> set[str]:
    """The ledger shards in which the items of a retry failed."""
    return set(read_shard(shard_path(run, RETRIES, retry), ["shard"])["shard"].to_pylist())


def _delete(run: str, table: str, names: Collection[str]) -> None:
    there = set(shard_names(run, table))
    gone = [shard_path(run, table, name) for name in sorted(there.intersection(names))]
    if gone:
        FileSystems.delete(gone)
