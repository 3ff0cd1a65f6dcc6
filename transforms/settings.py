"""The base of every settings model: frozen, and unknown keys are errors."""

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """A block of the configuration; the rooms that use a block define it beside their code."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)
