"""What is left to do in a run, stage by stage, for whoever asks before starting it."""

from collections.abc import Collection, Sequence
from typing import Any

from beam_pipelines.driver.outdated import is_outdated
from beam_pipelines.driver.work import Work, pending
from transforms.flow.stages import Job, Stage, TableStage

DONE = "done"
_STALE = "made with other settings: --recompute redoes it"


def left(
    run: str, jobs: Sequence[Job], record: dict[str, Any], prints: dict[str, str], stale: Collection[str]
) -> dict[str, str]:
    """Stage -> what is left of it, in words: `done`, chunks to do, what it waits for; `manifest` comes first.

    `prints` are the fingerprints of the stages with the settings of now, `stale` those of which something else was
    made; `record` is empty where there is no run yet.
    """
    found = {"manifest": _STALE if "manifest" in stale else DONE if "manifest" in record.get("stages", {}) else "to do"}
    made_by = {"manifest": "manifest"}
    for job in jobs:
        works = pending(run, job) if job.by_rows else []
        for stage in job.stages:
            before = dict.fromkeys(made_by[table] for table in stage.inputs)
            waits = ", ".join(name for name in before if found[name] != DONE)
            if stage.name in stale:
                found[stage.name] = _STALE
            else:
                own = _own(run, stage, works, record | {"fingerprints": prints}, waits)
                found[stage.name] = ", ".join(filter(None, [own, f"waits for {waits}" if waits else ""])) or DONE
            made_by.update(dict.fromkeys(stage.tables, stage.name))
    return found


def _own(run: str, stage: Stage, works: Sequence[Work], record: dict[str, Any], waits: str) -> str:
    """What the stage could do at once; empty if nothing."""
    if isinstance(stage, TableStage):
        return "" if waits else "to do" if is_outdated(run, record, stage) else ""
    entering = [work for work in works if work.stages[0].name == stage.name]
    return ", ".join(f"{work.items(run)} items in {len(work.chunks)} chunks" for work in entering)
