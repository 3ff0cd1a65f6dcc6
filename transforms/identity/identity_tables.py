"""The tables of the stage identity, but for its edges: identities under their numbers, and what became of clusters."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.io.filesystems import FileSystems

from transforms.identity import columns
from transforms.identity.cleaning import Cleaned
from transforms.identity.knn import F32, I64
from transforms.identity.numbers import changes, keep_numbers
from transforms.tables.csv_cells import write_csv
from transforms.tables.files import commit_file
from transforms.tables.ledger import write_whole_ledger
from transforms.tables.rows import CleaningStep, Identity, IdentityChange, LabelMapping
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import read_footer, read_shard, shard_names, shard_path, to_table, write_shard
from transforms.tables.verdicts import verdict

STAGE = "identity"
CHANGES = "identity_changes"
_ONLY = "00000"  # the name of a table's only shard


def identity_table(meta: pa.Table, clusters: I64, identity: I64, similarity: F32, reason: Sequence[str]) -> pa.Table:
    """The rows of `identities`; meta has the embeddings' columns of the same names, in the order of the arrays.

    clusters (N,) are called by rows; -1, and NaN as a similarity, is null.
    """
    face_id = columns.as_text(meta["face_id"])
    made = {
        "cluster": face_id.take(_or_null(clusters)),
        "identity": _or_null(identity),
        "similarity": pa.array(similarity, mask=np.isnan(similarity)),
        "reason": pa.array(reason, pa.string()),
    }
    schema = arrow_schema(Identity)
    found = [made[f.name] if f.name in made else meta[f.name] for f in schema]
    return pa.table([column.cast(f.type) for column, f in zip(found, schema, strict=True)], schema=schema)


def label_map(face_id: pa.Array, clusters: I64, cleaned: Cleaned) -> pa.Table:
    """The rows of `label_map`."""
    names = np.unique(clusters[clusters >= 0])
    number = np.full(len(clusters), -1, np.int64)  # of each cluster, at the row that calls it
    kept = cleaned.identity >= 0
    number[cleaned.merged[kept]] = cleaned.identity[kept]
    into = cleaned.merged[names]
    called = [face_id.take(pa.array(rows)).cast(pa.string()) for rows in (names, into)]
    return pa.table([*called, _or_null(number[into])], schema=arrow_schema(LabelMapping))


def _or_null(numbers: I64) -> pa.Array:
    return pa.array(numbers, mask=numbers < 0)


@dataclass(frozen=True, slots=True, eq=False)
class Before:
    """The identities that the run had: identity (N,) of each of its faces, -1 for none, and the next number to give.

    input: the digest of the tables that they were found in; time: how often identities had been found again by then.
    """

    face_id: pa.Array
    identity: I64
    next_number: int
    input: str
    time: int


def read_before(run: str) -> Before | None:
    """The identities of the run as they are; None if it has none yet."""
    if _ONLY not in shard_names(run, "identities"):
        return None
    path = shard_path(run, "identities", _ONLY)
    table, footer = read_shard(path, ["face_id", "identity"]), read_footer(path)[1]
    identity = table["identity"].fill_null(-1).to_numpy()
    # earlier versions told nothing of their numbers
    next_number = max(int(footer.get("next_number", "0")), int(identity.max(initial=-1)) + 1)
    return Before(columns.as_text(table["face_id"]), identity, next_number, footer.get("input", ""),
                  int(footer.get("time", "0")))  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Numbered:
    """Identities under their numbers: identity (N,) of each face, and had (N,), the number that it had; -1 for none.

    numbers (K,): of the identities 0..K-1 that were found; next_number: the first that was never used.
    """

    identity: I64
    had: I64
    numbers: I64
    next_number: int


def numbered(before: Before | None, face_id: pa.Array, found: I64) -> Numbered:
    """The identities 0..K-1 that were found, `found` (N,) with -1 for none, under the numbers that they had."""
    had = np.full(len(face_id), -1, np.int64)
    if before is not None:
        place = pc.index_in(face_id, value_set=before.face_id).fill_null(-1).to_numpy()
        had[place >= 0] = before.identity[place[place >= 0]]
    first = 0 if before is None else before.next_number
    numbers = keep_numbers(found, had, first)
    identity = np.where(found < 0, -1, np.append(numbers, -1)[found])
    return Numbered(identity, had, numbers, max(first, int(numbers.max(initial=-1)) + 1))


def write_tables(run: str, meta: pa.Table, clusters: I64, cleaned: Cleaned, made_from: str) -> None:
    """Commit the tables of the stage, then its ledger; `made_from` is the digest of the tables that it read.

    Identities that the run had keep their numbers, and what became of them is told in a shard of `identity_changes` for
    each time that they were found in other tables. Who is stopped on the way ends with the same numbers.
    """
    face_id, before = columns.as_text(meta["face_id"]), read_before(run)
    made = numbered(before, face_id, cleaned.identity)
    is_again = before is not None and before.input == made_from
    time = 0 if before is None else before.time + (not is_again)
    if not is_again:
        _write_changes(run, time, made, before, face_id)
    mapped = label_map(face_id, clusters, replace(cleaned, identity=made.identity))
    write_shard(shard_path(run, "label_map", _ONLY), mapped)
    steps = to_table([CleaningStep(**asdict(step)) for step in cleaned.stages], arrow_schema(CleaningStep))
    write_shard(shard_path(run, "cleaning", _ONLY), steps)
    with commit_file(FileSystems.join(run, "cleaning", "cleaning.csv")) as out:
        write_csv(steps, out)
    codes = cleaned.reason.tolist()
    rows = identity_table(meta, clusters, made.identity, cleaned.similarity, codes)
    footer = {"input": made_from, "time": str(time), "next_number": str(made.next_number)}
    write_shard(shard_path(run, "identities", _ONLY), rows, footer)
    write_whole_ledger(run, STAGE, meta["face_id"], lambda row, face: (verdict(face, codes[row]), 1))


def _write_changes(run: str, time: int, made: Numbered, before: Before | None, face_id: pa.Array) -> None:
    """Commit what became of the identities that the run had, faces that are there no more included."""
    rows = []
    if before is not None:
        lost = ~pc.is_in(before.face_id, value_set=face_id).to_numpy(zero_copy_only=False)
        had = np.concatenate([made.had, before.identity[lost]])
        now = np.concatenate([made.identity, np.full(np.count_nonzero(lost), -1, np.int64)])
        rows = [IdentityChange(time, one.kind, one.before, one.after, one.faces) for one in changes(now, had)]
    write_shard(shard_path(run, CHANGES, f"{time:05d}"), to_table(rows, arrow_schema(IdentityChange)))
