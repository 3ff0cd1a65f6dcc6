"""Where a recipe is cut into jobs, and what each of its stages is made from."""

from beam_pipelines.errors import ConfigError
from transforms.flow.stages import Job, RowStage, Stage, made_from
from transforms.tables.digest import digest


def cut_jobs(stages: list[Stage], cuts: list[list[str]], start: str = "manifest") -> list[Job]:
    """The jobs that the configuration makes of the stages; ConfigError where it cannot be so.

    The cuts may leave stages out, as long as what the others read is still written; `start` is there from the outset.
    """
    by_name = {stage.name: stage for stage in stages}
    wanted = [name for names in cuts for name in names]
    for name in wanted:
        if name not in by_name:
            raise ConfigError(f"jobs: the recipe has no stage {name!r}; its stages are {', '.join(by_name)}.")
    if wanted != [name for name in by_name if name in wanted]:
        raise ConfigError(f"jobs: name each stage once, in the recipe's order: {', '.join(by_name)}.")
    jobs = [Job(number, tuple(by_name[name] for name in names)) for number, names in enumerate(cuts, 1) if names]
    written = {start}
    for job in jobs:
        _check(job, written)
        written.update(table for stage in job.stages for table in stage.tables)
    return jobs


def _check(job: Job, written: set[str]) -> None:
    """`written` are the tables that the jobs before this one write."""
    if len({type(stage) for stage in job.stages}) > 1:
        raise ConfigError(f"jobs: {job.name} mixes stages on rows with stages on whole tables; cut between them.")
    chained = None  # the table that the stage before hands over inside the job
    for stage in job.stages:
        if isinstance(stage, RowStage) and stage.whole_chunks and stage is not job.stages[0]:
            raise ConfigError(f"jobs: {stage.name} fetches whole chunks and must stand first in a job; cut before it.")
        for table in stage.inputs:
            handed_over = table == chained and isinstance(stage, RowStage) and table == stage.reads
            if table not in written and not handed_over:
                raise ConfigError(f"jobs: {stage.name} reads the table {table}, which no job before its own writes.")
        if isinstance(stage, RowStage) and chained is not None and stage.reads != chained:
            raise ConfigError(
                f"jobs: {stage.name} reads the table {stage.reads}, and the stage before it in its job hands on "
                f"{chained}; cut before it."
            )
        chained = stage.tables[0] if job.by_rows else None


def fingerprints(stages: list[Stage], manifest: str) -> dict[str, str]:
    """For each stage the digest of all that its rows depend on: its own settings and models, and those before it."""
    made_by = {"manifest": manifest}
    prints = {"manifest": manifest}
    for stage in stages:
        prints[stage.name] = digest([stage.name, made_from(stage), [made_by[table] for table in stage.inputs]])
        made_by.update(dict.fromkeys(stage.tables, prints[stage.name]))
    return prints
