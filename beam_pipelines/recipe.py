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
from model_handlers.handlers import numbers_from
from transforms.settings import Settings, what

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


def schema(config: type[RecipeConfig]) -> dict[str, Any]:
    """The JSON schema of a recipe's configuration; every key has the recipe's own default, not that of its block."""
    made = config.model_json_schema()
    defaults = {name: field.default for name, field in config.model_fields.items()}
    blocks = {name: block.model_dump(mode="json") for name, block in defaults.items() if isinstance(block, BaseModel)}
    _put_defaults(made, blocks, made["$defs"])
    return made


def _put_defaults(block: dict[str, Any], defaults: Mapping[str, Any], definitions: Mapping[str, Any]) -> None:
    for name, default in defaults.items():
        key = block["properties"][name]
        inner = definitions.get(key.get("$ref", "").rpartition("/")[2])
        if inner is None:
            key["default"] = default
        else:
            _put_defaults(inner, default, definitions)


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
    check_manifest: Callable[[Any, str], None] = lambda config, manifest: None  # ValueError for what cannot be split


def entries(
    config: RecipeConfig, names: Mapping[str, str | None], sides: Mapping[str, int | None] | None = None
) -> dict[str, Entry]:
    """The entries of the catalogue by role, of the roles that name one; ModelError if it is of another task.

    `sides` are those of the input that the configuration gives to a role, pixels, in place of the catalogue's.
    """
    known = catalogue.load(config.models.catalogue)
    found = {role: known.get(name) for role, name in names.items() if name is not None}
    for role, entry in found.items():
        tasks = _TASKS.get(role, {role})
        if entry.task not in tasks:
            raise ModelError(
                f"model {entry.name!r} is named for the role {role}, which needs a model of the task "
                f"{' or '.join(sorted(tasks))}; its task is {entry.task}"
            )
    chosen = {role: side for role, side in (sides or {}).items() if side is not None and role in found}
    return found | {role: found[role].model_copy(update={"input_side": side}) for role, side in chosen.items()}


def used(config: RecipeConfig, roles: Mapping[str, Collection[str]], entries: dict[str, Entry]) -> dict[str, Entry]:
    """Those entries whose roles the stages of the configured jobs have; `roles` are those of each stage."""
    wanted = {role for job in config.jobs for stage in job for role in roles.get(stage, ())}
    return {role: entry for role, entry in entries.items() if role in wanted}


def made_from(
    blocks: Mapping[str, Settings],
    roles: Collection[str] = (),
    entries: Mapping[str, Entry] | None = None,
    device: str | None = None,
) -> dict[str, Any]:
    """All that the rows of a stage depend on, as plain data with the configuration's keys.

    `blocks` are its blocks of the configuration by key; of `entries` those of its roles count, and if it has any, the
    device that runs them.
    """
    models = {role: numbers_from(entry) for role, entry in (entries or {}).items() if role in roles}
    settings = {key: what(block) for key, block in blocks.items()}
    return settings | ({"models": {"device": device, **models}} if models else {})
