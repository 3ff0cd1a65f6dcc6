"""What is committed of a job, by the footers of its ledger's shards: true on every runner, a chunk at a time."""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice

from transforms.tables.ledger import ledger_table
from transforms.tables.shards import read_footers, shard_names

FOOTERS_AT_A_TIME = 4096  # about 13 s of an object store that answers 32 at once in 50 ms, by two requests each


class Committed:
    """The items of these chunks, or of all shards there are, that are committed in each stage; a shard is read once.

    `reasons` counts them by stage and reason code (`kept` for the kept), `chunks` the shards that were read.
    """

    def __init__(self, run: str, stages: Sequence[str], chunks: Iterable[str] | None = None) -> None:
        self.run = run
        self.wanted = None if chunks is None else frozenset(chunks)
        self.reasons: dict[str, Counter[str]] = {stage: Counter() for stage in stages}
        self._seen: dict[str, set[str]] = {stage: set() for stage in stages}

    @property
    def chunks(self) -> dict[str, int]:
        """How many chunks are committed in each stage."""
        return {stage: len(seen) for stage, seen in self._seen.items()}

    def look(self) -> None:
        """Read what is new.

        No more than FOOTERS_AT_A_TIME, so that the look at the end of a job does not hold up the run; what is then left
        counts when the stage is closed.
        """
        left = FOOTERS_AT_A_TIME
        for stage, seen in self._seen.items():
            table = ledger_table(stage)
            there = (name for name in shard_names(self.run, table) if self.wanted is None or name in self.wanted)
            new = list(islice((name for name in there if name not in seen), left))
            for _, metadata in read_footers(self.run, table, new):
                self.reasons[stage].update(json.loads(metadata["counts"]))
            seen.update(new)
            left -= len(new)
