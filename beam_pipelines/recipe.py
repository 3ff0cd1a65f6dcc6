"""What every recipe module gives the command line: its configuration's type and its stages."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import Field

from beam_pipelines.runners.dataflow import DataflowSettings
from beam_pipelines.runners.flink import FlinkSettings
from beam_pipelines.stages import Stage
from model_handlers.catalogue import Entry
from transforms.settings import Settings

# Settings on which no row depends: how fast and how patiently the work is done. They may change within a run.
_HOW = {
    "inference", "threads", "connections", "connect_timeout", "stall_timeout", "total_timeout", "retries", "backoff",
    "max_backoff", "max_buffer_bytes", "per_host", "host_interval", "user_agent", "contact", "allow_hosts", "proxy",
    "verify_tls", "max_redirects", "downloads", "max_memory", "allow_paths", "cookies", "js_runtime",
}  # fmt: skip

_HOW_ACCEPTED = {"probe_seconds", "probe_memory"}


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
        0.5, ge=0, le=1, description="the run fails when more than this share of a stage's items failed"
    )
    models: ModelSettings = ModelSettings()
    flink: FlinkSettings = FlinkSettings()
    dataflow: DataflowSettings = DataflowSettings()


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
    rows_per_shard: Callable[[Any], int]
    limit: Callable[[Any], Limit | None] = lambda config: None


def made_from(settings: Settings, entries: Mapping[str, Entry] | None = None, device: str | None = None) -> Any:
    """All that the rows of a stage depend on: its settings, and its models with the device that runs them."""
    models = {role: entry.sha256 for role, entry in (entries or {}).items()}
    how: dict[str, Any] = {**dict.fromkeys(_HOW, True), "accept": _HOW_ACCEPTED}
    return {"settings": settings.model_dump(mode="json", exclude=how), "models": models, "device": device}
