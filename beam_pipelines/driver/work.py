"""What is left to do in a run, read off its folder."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import cast

from transforms.flow.chunks import Chunk, count_rows
from transforms.flow.stages import Job, RowStage
from transforms.tables.ledger import ledger_table, retry_names
from transforms.tables.shards import shard_names


@dataclass(frozen=True, slots=True)
class Work:
    """Chunks that enter at the first of these stages and go through to the last, in one pipeline."""

    stages: tuple[RowStage, ...]
    chunks: tuple[Chunk, ...]

    def items(self, run: str) -> int:
        """How many items the chunks have."""
        return count_rows(run, self.chunks)


def pending(run: str, job: Job, names: Collection[str] | None = None) -> list[Work]:
    """The work of a row job that is not committed: chunks of its tables, and retries that enter at any stage.

    Only chunks of these names, if some are given.
    A chunk is done in a stage when the stage's ledger has its shard; it enters at the first stage where it is not.
    (Asking the last stage only would not do: a runner may commit a chunk there before it does so upstream.)
    """
    work: list[Work] = []
    flowing: set[str] = set()  # the chunks that enter at an earlier stage
    for first, stage in enumerate(cast(tuple[RowStage, ...], job.stages)):
        done = flowing.union(shard_names(run, ledger_table(stage.name)))
        new = [Chunk(name, stage.reads) for name in shard_names(run, stage.reads) if name not in done]
        again = [Chunk(name, stage.reads, retry=True) for name in retry_names(run, stage.name) if name not in done]
        chunks = tuple(chunk for chunk in (*new, *again) if names is None or chunk.name in names)
        if chunks:
            work.append(Work(cast(tuple[RowStage, ...], job.stages[first:]), chunks))
        flowing.update(chunk.name for chunk in chunks)
    return work
