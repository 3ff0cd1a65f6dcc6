"""What every recipe module gives the command line: its configuration's type and its stages."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Field, model_validator

from beam_pipelines.recipes.monitoring_settings import MonitoringSettings
from beam_pipelines.runners.dataflow import DataflowSettings
from beam_pipelines.runners.flink import FlinkSettings
from model_handlers.frameworks.devices import DEVICE
from model_handlers.models import catalogue
from model_handlers.models.catalogue import Entry
from model_handlers.models.handlers import Placement, Precision
from model_handlers.models.licences import Accepted
from model_handlers.models.roles import KnownModels
from transforms.fetch.lists.read import check_list
from transforms.flow.stages import Stage
from transforms.settings import How, Settings


class ModelSettings(Settings):
    """Where models come from and where they run."""

    catalogue: str | None = Field(
        None, description="a YAML file whose models are added to the catalogue or replace some"
    )
    device: str = Field(
        "cpu",
        pattern=DEVICE,
        description="what runs them: cpu, cuda (the processes of a machine spread over its GPUs) or cuda:N; one that "
        "is not there is an error",
    )
    precision: Precision = Field(
        "fp32", description="of PyTorch's models on a GPU, where the model allows it: fp32, fp16 or bf16"
    )
    copies: How[int | None] = Field(
        None,
        ge=1,
        le=64,
        description="copies of each model that the processes of a worker share; null: every process has its own",
    )
    accept_noncommercial: bool = Field(False, description="use models whose licence forbids commercial use")
    accept_copyleft: bool = Field(
        False, description="use models whose licence (AGPL-3.0, GPL-3.0) may reach the work that uses them"
    )

    def placement(self) -> Placement:
        """Where and how the models run."""
        return Placement(self.device, self.precision, self.copies)

    def accepted(self) -> Accepted:
        """The terms of licences that are accepted."""
        return Accepted(self.accept_noncommercial, self.accept_copyleft)


class RecipeConfig(Settings):
    """What the configurations of all recipes have."""

    recipe: str = Field(description="the recipe's name, or `module:attribute` of one's own")
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
    monitoring: MonitoringSettings = MonitoringSettings()
    manifest: Settings = Settings()  # each recipe has its own

    @model_validator(mode="before")
    @classmethod
    def _fill_blocks(cls, values: Any) -> Any:
        """What a block does not name has the recipe's own default, not that of the block's type."""
        defaults = {name: field.default for name, field in cls.model_fields.items()}
        return _over(defaults, values) if isinstance(values, dict) else values

    def has_stage(self, name: str) -> bool:
        """Whether a job has this stage."""
        return any(name in stages for stages in self.jobs)


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
    """A recipe: the type of its configuration, and what it makes of one: the stages in order, and the manifest.

    stages(config, models): all stages, whichever of them the configured jobs have.
    split(manifest, run, settings): the list as the table `manifest`; `settings` are the block `manifest`.
    check(manifest, settings): ValueError for a list that cannot be split, seen before anything is done.
    rows_per_shard(settings, rows): of a list, or a retry, of so many rows.
    new_rows(manifest, run, settings): how many rows of the list are new to the run, which `split` then adds to it;
    raises ListChanged if items of the run are not in the list. None: a run goes on with the very same list only.
    """

    name: str
    config: type[RecipeConfig]
    stages: Callable[[Any, KnownModels], list[Stage]]
    split: Callable[[str, str, Any], object]
    check: Callable[[str, Any], None] = check_list
    rows_per_shard: Callable[[Any, int], int] = lambda settings, rows: settings.shard_rows(rows)
    limit: Callable[[Any], Limit | None] = lambda config: None
    new_rows: Callable[[str, str, Any], int] | None = None

    def stages_of(self, config: RecipeConfig) -> list[Stage]:
        """All stages with the configured models; ModelError for one that the catalogue has not."""
        known = catalogue.load(config.models.catalogue)
        return self.stages(config, KnownModels(known, config.models.placement()))

    def models(self, config: RecipeConfig) -> dict[str, Entry]:
        """The models of the configured jobs by role; where a role is taken by another model, by stage and role."""
        found: dict[str, Entry] = {}
        for stage in self.stages_of(config):
            if config.has_stage(stage.name):
                for role, entry in stage.models.entries.items():
                    found[role if found.get(role, entry) == entry else f"{stage.name}.{role}"] = entry
        return found
