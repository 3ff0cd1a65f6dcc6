"""What of a run's folder is out of date: stages whose rows would come out differently now."""

import logging

from apache_beam.io.filesystems import FileSystems

from beam_pipelines.errors import ConfigError
from beam_pipelines.stages import Stage
from transforms.tables.ledger import RETRIES, ledger_table, retry_names
from transforms.tables.shards import delete_folder, is_folder, shard_path

_LOG = logging.getLogger(__name__)


def refresh(run: str, stages: list[Stage], old: dict[str, str], new: dict[str, str], recompute: bool) -> set[str]:
    """The stages whose fingerprint is no longer the old one; what they made is deleted if recompute is asked.

    ConfigError names them if it is not, so that no result is lost to a slip of the pen.
    """
    changed = [name for name, fingerprint in new.items() if old.get(name, fingerprint) != fingerprint]
    folders = {name: _folders(run, name, stages) for name in changed}
    stale = [name for name in changed if any(map(is_folder, folders[name]))]  # nothing is made of the others yet
    if stale and not recompute:
        what = "the manifest" if stale[0] == "manifest" else f"what the stage {stale[0]} is made from"
        raise ConfigError(
            f"{run}: {what} changed since this run was made; give --recompute to delete and redo "
            f"{', '.join(stale)}, or another --output."
        )
    for name in stale:
        _delete(run, name, folders[name])
    return set(changed)


def _folders(run: str, name: str, stages: list[Stage]) -> list[str]:
    """The folders of all that a stage writes."""
    stage = next((stage for stage in stages if stage.name == name), None)
    tables = ("manifest",) if stage is None else stage.tables + stage.files
    return [str(FileSystems.join(run, *table.split("/"))) for table in (*tables, ledger_table(name))]


def _delete(run: str, name: str, folders: list[str]) -> None:
    _LOG.info("deleting what the stage %s made", name)
    for folder in folders:
        delete_folder(folder)
    retries = [shard_path(run, RETRIES, shard) for shard in retry_names(run, name)]
    if retries:
        FileSystems.delete(retries)
