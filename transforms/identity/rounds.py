"""Rounds of the search for edges: when faces have come in, only pairs with one of them are searched for.

Each round searches for the edges of faces that were in none before, among all. The edges of all rounds together hold
those of one search for everything: all pairs that are similar enough (k 0), or each face's k nearest, since a face that
is not new is searched for among the new ones too. Cut to the k nearest of each again, they are exactly the same.

Round by round is the exact search only: cells are made of all faces, so above its limit everything is searched again.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from apache_beam.io.filesystems import FileSystems

from transforms.identity.search import most_exact
from transforms.identity.settings import EdgeSettings
from transforms.tables.digest import digest
from transforms.tables.files import commit_file, exists, open_binary
from transforms.tables.shards import read_footers, shard_names

EDGES, EMBEDDINGS = "edges", "embeddings"
_FILE = "rounds.json"  # beside the shards of edges: the rounds that are done
_LEAST = "min_similarity"

Shards = tuple[tuple[str, int], ...]  # names of shards of `embeddings`, with their rows


@dataclass(frozen=True, slots=True)
class Round:
    """The faces that are new in a round, by their shards, and the settings of its search, as plain data."""

    shards: Shards
    settings: dict[str, Any]

    @property
    def rows(self) -> int:
        """Its faces."""
        return sum(rows for _, rows in self.shards)

    @property
    def names(self) -> list[str]:
        """Its shards."""
        return [name for name, _ in self.shards]


@dataclass(frozen=True, slots=True)
class Block:
    """The faces start..stop-1, in search order, whose edges of a round become one shard of `edges`.

    `input` digests what it is made from.
    """

    name: str
    start: int
    stop: int
    input: str
    round: int


def plan_rounds(shards: Shards, done: Sequence[Round], settings: EdgeSettings) -> list[Round]:
    """The rounds that find all edges between the faces of these shards: those that are done, if they fit, and one more.

    They fit if what they have searched is still there, by settings that are these, or whose edges are more.
    """
    told, there = settings.model_dump(mode="json"), dict(shards)
    rows = sum(there.values())
    fits = rows <= most_exact(settings, rows) and all(
        there.get(name) == count for one in done for name, count in one.shards
    )
    fits = fits and all(_finds_as_much(one.settings, told) for one in done)
    kept = list(done) if fits else []
    searched = {name for one in kept for name, _ in one.shards}
    new = tuple((name, count) for name, count in shards if count and name not in searched)
    return [*kept, Round(new, told)] if new else kept


def _finds_as_much(done: dict[str, Any], now: dict[str, Any]) -> bool:
    same = all(done.get(key) == value for key, value in now.items() if key not in (_LEAST, "block"))
    return same and float(done[_LEAST]) <= float(now[_LEAST])


def blocks_of(rounds: Sequence[Round]) -> Iterator[Block]:
    """The blocks of all rounds; those of the first are called by their numbers alone."""
    rows = 0
    for number, one in enumerate(rounds):
        rows += one.rows
        made_from = digest([asdict(each) for each in rounds[: number + 1]])
        size = int(one.settings["block"])
        for i, start in enumerate(range(0, rows, size)):
            name = f"{number:03d}-{i:05d}" if number else f"{i:05d}"
            yield Block(name, start, min(start + size, rows), made_from, number)


def rounds_of(run: str, settings: EdgeSettings) -> list[Round]:
    """The rounds of the run's embeddings, the last of which may not be done. FileNotFoundError without embeddings."""
    names = shard_names(run, EMBEDDINGS)
    if not names:
        raise FileNotFoundError(f"the run {run} has no table embeddings; run the stages before identity first.")
    footers = read_footers(run, EMBEDDINGS, names)
    shards = tuple((name, rows) for name, (rows, _) in zip(names, footers, strict=True))
    return plan_rounds(shards, _read_done(run), settings)


def write_done(run: str, rounds: Sequence[Round]) -> None:
    """Say that all blocks of these rounds are committed."""
    with commit_file(_path(run)) as out:
        out.write(json.dumps([asdict(one) for one in rounds], indent=1).encode() + b"\n")


def _read_done(run: str) -> list[Round]:
    if not exists(_path(run)):
        return []
    with open_binary(_path(run)) as file:
        found = json.loads(file.read())
    return [Round(tuple((name, rows) for name, rows in one["shards"]), one["settings"]) for one in found]


def _path(run: str) -> str:
    return str(FileSystems.join(run, EDGES, _FILE))
