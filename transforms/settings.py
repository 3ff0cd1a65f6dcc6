"""The base of every settings model, and the mark of the settings on which no row depends."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class _HowMark:
    """Says of a field that it is about how the work is done."""


# `retries: How[int] = Field(1, ...)`: how fast and how patiently the work is done. No row depends on such a setting, so
# that it may change within a run; a whole block can be marked too.
How = Annotated[Value, _HowMark()]


class Settings(BaseModel):
    """A block of the configuration; the rooms that use a block define it beside their code."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)


class InferenceSettings(Settings):
    """How a stage's models run; no result depends on it."""

    batch_size: int | None = Field(
        None,
        ge=1,
        le=1024,
        description="examples a model takes at a time; null: one on a CPU, as the catalogue says on a GPU",
    )
    threads: int = Field(1, ge=1, le=256, description="CPU threads a model uses for one batch")


def what(settings: Settings) -> dict[str, Any]:
    """The settings on which rows depend, as plain data: all but those marked `How`, in blocks within blocks too."""
    return settings.model_dump(mode="json", exclude=_marked(settings))


def how_keys(block: type[Settings], before: str = "") -> Iterator[str]:
    """The keys of a block that are marked `How`, in blocks within it too: `retries`, `accept.probe_seconds`."""
    for name, field in block.model_fields.items():
        if _is_marked(field.metadata):
            yield before + name
        elif isinstance(field.annotation, type) and issubclass(field.annotation, Settings):
            yield from how_keys(field.annotation, f"{before}{name}.")


def _marked(value: Any) -> dict[Any, Any]:
    """What `model_dump` is to leave out of a value: True for a marked field, and what is marked within the others."""
    marked: dict[Any, Any] = {}
    if isinstance(value, Settings):
        marked = {name: True for name, field in type(value).model_fields.items() if _is_marked(field.metadata)}
        parts: dict[Any, Any] = dict(value)
    elif isinstance(value, dict):
        parts = value
    elif isinstance(value, list | tuple):
        parts = dict(enumerate(value))
    else:
        return marked
    within = {key: found for key, part in parts.items() if key not in marked and (found := _marked(part))}
    return marked | within


def _is_marked(metadata: list[Any]) -> bool:
    return any(isinstance(mark, _HowMark) for mark in metadata)
