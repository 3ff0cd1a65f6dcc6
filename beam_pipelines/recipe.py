"""What every recipe module gives the command line: its configuration's type and its stages."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Field, model_validator

from beam_pipelines.runners.dataflow import DataflowSettings
from beam_pipelines.runners.flink import FlinkSettings
from beam_pipelines.stages import Stage
from model_handlers import catalogue
from model_handlers.catalogue import Entry
from model_handlers.errors import ModelError
from transforms.settings import Settings

# Settings on which no row depends: how fast and how patiently the work is done. They may change within a run.
_HOW = {
    "inference", "threads", "connections", "connect_timeout", "stall_timeout", "total_timeout", "retries", "backoff",
    "max_backoff", "max_buffer_bytes", "per_host", "host_interval", "user_agent", "contact", "allow_hosts", "proxy",
    "verify_tls", "max_redirects", "downloads", "max_memory", "allow_paths", "cookies", "js_runtime",
}  # fmt: skip

_HOW_ACCEPTED = {"probe_seconds", "probe_memory"}

# The tasks that the model of a role may have, where it is not the one task that is called like the role.
_TASKS = {
    "keypoints": {"keypoints", "person"}, "emotion": {"expression"}, "clip_image": {"semantics"},
    "brisque": {"quality"}, "hyperiqa": {"quality"}, "clipiqa": {"quality"},
}  # fmt: skip


class ModelSettings(Settings):
    """Where models come from and where they run."""

    catalogue: str | None = Field(
        None, description="a YAML file whose models are added to the catalogue or replace some"
    )
    device: str = Field(
        "cpu", pattern=r"^(cpu|cuda)$", description="cpu or cuda; a device that is not there is an error"
    )
    accept_noncommercial: bool = Field(False, description="use models whose licence forbids commercial use")


class RecipeConfig(Settings):
    """What the configurations of all recipes have."""

    recipe: str = Field(description="the recipe's name")
    jobs: list[list[str]] = Field(description="the stages of each job, in order: where the recipe is cut")
    max_failed_share: float = Field(
        0.5,
        ge=0,
        le=1,
        description="the run fails when more than this share of a stage's items failed, on the way if that is clear",
    )
    models: ModelSettings = ModelSettings()
    flink: FlinkSettings = FlinkSettings()
    dataflow: DataflowSettings = DataflowSettings()

    @model_validator(mode="before")
    @classmethod
    def _fill_blocks(cls, values: Any) -> Any:
        """What a block does not name has the recipe's own default, not that of the block's type."""
        defaults = {name: field.default for name, field in cls.model_fields.items()}
        return _over(defaults, values) if isinstance(values, dict) else values


def _over(defaults: Mapping[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    blocks = {name: dict(block) for name, block in defaults.items() if isinstance(block, BaseModel)}
    return {
        name: {**blocks[name], **_over(blocks[name], value)} if name in blocks and isinstance(value, dict) else value
        for name, value in values.items()
    }


@dataclass(frozen=True, slots=True)
class Limit:
    """When a run takes no more of its manifest: the job of `stage` then does its chunks in waves, in their order.

    `reached` says of the run, from the chunks of the waves before, in a sentence that its limit is reached, or gives
    None. The items of the chunks that are left are then dropped in the job's first stage with the code `reason`.
    """

    stage: str
    chunks_per_wave: int
    reached: Callable[[str, Collection[str]], str | None]
    reason: str


@dataclass(frozen=True, slots=True)
class Recipe:
    """A recipe: the type of its configuration, its stages for a run, and the models that it uses, by role."""

    name: str
    config: type[RecipeConfig]
    stages: Callable[[Any, str], list[Stage]]
    models: Callable[[Any], dict[str, Entry]]
    split_manifest: Callable[[Any, str, str], object]  # config, manifest, run
    rows_per_shard: Callable[[Any, int], int]  # config, rows of a list or of a retry
    limit: Callable[[Any], Limit | None] = lambda config: None


def entries(config: RecipeConfig, names: Mapping[str, str | None]) -> dict[str, Entry]:
    """The entries of the catalogue by role, of the roles that name one; ModelError if it is of another task."""
    known = catalogue.load(config.models.catalogue)
    found = {role: known.get(name) for role, name in names.items() if name is not None}
    for role, entry in found.items():
        tasks = _TASKS.get(role, {role})
        if entry.task not in tasks:
            raise ModelError(
                f"model {entry.name!r} is named for the role {role}, which needs a model of the task "
                f"{' or '.join(sorted(tasks))}; its task is {entry.task}"
            )
    return found


def used(config: RecipeConfig, roles: Mapping[str, Collection[str]], entries: dict[str, Entry]) -> dict[str, Entry]:
    """Those entries whose roles the stages of the configured jobs have; `roles` are those of each stage."""
    wanted = {role for job in config.jobs for stage in job for role in roles.get(stage, ())}
    return {role: entry for role, entry in entries.items() if role in wanted}


def made_from(
    settings: Settings,
    roles: Collection[str] = (),
    entries: Mapping[str, Entry] | None = None,
    device: str | None = None,
) -> Any:
    """All that the rows of a stage depend on: its settings, the models of its roles, the device that runs them."""
    models = {role: entry.sha256 for role, entry in (entries or {}).items() if role in roles}
    how: dict[str, Any] = {**dict.fromkeys(_HOW, True), "accept": _HOW_ACCEPTED}
    return {"settings": settings.model_dump(mode="json", exclude=how), "models": models, "device": device}
