"""What of a run's folder is out of date: stages whose rows would come out differently now."""

import logging
from collections.abc import Mapping
from typing import Any

from apache_beam.io.filesystems import FileSystems

from beam_pipelines.driver.jobs import fingerprints
from beam_pipelines.errors import ConfigError
from transforms.flow.stages import Stage, made_from
from transforms.settings import Settings, what
from transforms.tables.digest import differences, digest
from transforms.tables.files import delete_folder, is_folder
from transforms.tables.ledger import RETRIES, ledger_table, retry_names
from transforms.tables.shards import shard_path

_LOG = logging.getLogger(__name__)
_SHOWN = 5  # differences in one sentence


def account(stages: list[Stage], content: str, settings: Settings) -> dict[str, Any]:
    """The `fingerprints` of a run's stages and of its manifest, and what they are `made_from`, as its record has them.

    `content` is the digest of the list, `settings` how it is read.
    """
    listed = {"--input": content, "manifest": what(settings)}
    return {
        "made_from": {"manifest": listed, **{stage.name: made_from(stage) for stage in stages}},
        "fingerprints": fingerprints(stages, digest(listed)),
    }


def changed_stages(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """The stages, in order, whose fingerprint is no longer that of the old record; `new` is an account."""
    before = old.get("fingerprints", {})
    return [name for name, print_ in new["fingerprints"].items() if before.get(name, print_) != print_]


def stale_stages(run: str, stages: list[Stage], changed: list[str]) -> list[str]:
    """Those of the changed stages that have made something."""
    return [name for name in changed if any(map(is_folder, _folders(run, name, stages)))]


def refresh(run: str, stages: list[Stage], old: Mapping[str, Any], new: Mapping[str, Any], recompute: bool) -> set[str]:
    """The stages that changed since the old record; what they made is deleted if recompute is asked.

    ConfigError names the stages and the keys that changed if it is not asked, so that no result is lost to a slip of
    the pen.
    """
    changed = changed_stages(old, new)
    stale = stale_stages(run, stages, changed)
    if stale and not recompute:
        raise ConfigError(refusal(run, changed, stale, old, new))
    for name in stale:
        _delete(run, name, _folders(run, name, stages))
    return set(changed)


def refusal(run: str, changed: list[str], stale: list[str], old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """The sentence that says what changed, what of the run is stale, and what to do about it."""
    why = _why(changed, old.get("made_from"), new["made_from"])
    return f"{run}: {why}; give --recompute to delete and redo {', '.join(stale)}, or another --output."


def _why(changed: list[str], old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> str:
    """What changed since the run was made, in the words of a sentence; `changed` are stages, in order."""
    if old is None:
        return "this run was begun by an earlier version of manyfaces, which did not note what it was made from"
    lines = [line for name in changed for line in differences(old.get(name, {}), new[name])]
    found = ["the content of --input" if line.startswith("--input:") else line for line in dict.fromkeys(lines)]
    if not found:  # only what a stage reads
        return f"jobs changed since this run was made, and the stage {changed[0]} now reads other tables"
    more = f", and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return f"changed since this run was made: {', '.join(found[:_SHOWN])}{more}"


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
