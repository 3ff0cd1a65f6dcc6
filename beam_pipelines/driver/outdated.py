"""Whether a table stage is to be done again: its settings, its models or the tables that it reads have changed."""

from typing import Any

from beam_pipelines.driver.marks import read_mark
from transforms.flow.stages import TableStage
from transforms.tables.digest import digest, tables_digest
from transforms.tables.shards import shard_names


def is_outdated(run: str, record: dict[str, Any], stage: TableStage) -> bool:
    """Whether the stage has made nothing yet, or from other things than there are now."""
    if not any(shard_names(run, table) for table in stage.tables):
        return True
    done = record["stages"].get(stage.name)
    inputs = inputs_digest(run, stage)
    if done is not None and done.get("input") == inputs:
        return False
    return read_mark(run, stage.name) != mark_of(record, stage, inputs)


def inputs_digest(run: str, stage: TableStage) -> str:
    """The digest of the tables that the stage reads, as they are now."""
    return tables_digest(run, list(stage.reads))


def mark_of(record: dict[str, Any], stage: TableStage, inputs: str) -> str:
    """What the stage depends on: its settings and models, and the digest of its inputs."""
    return digest([record["fingerprints"][stage.name], inputs])
