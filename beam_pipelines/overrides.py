"""`--set key=value`: one key of a configuration given on the command line, and the blame where it is a wrong one."""

from collections.abc import Sequence
from typing import Any

import yaml

from beam_pipelines.errors import ConfigError

_SHOWN = 120  # characters of an override in a message

Place = tuple[int | str, ...]  # of a value in a configuration: the keys on the way to it


def apply(values: dict[str, Any], override: str) -> None:
    """Put the value of `key.of.it=value` into the configuration's values."""
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise ConfigError(f"--set {shown(override)}: write it as key=value, for example --set bodies.min_score=0.5")
    *parents, last = key.split(".")
    block: Any = values
    for parent in parents:
        if isinstance(block, dict) and block.get(parent) is None:
            block[parent] = {}
        block = block[parent] if isinstance(block, dict) else None
    if not isinstance(block, dict):
        raise ConfigError(f"--set {shown(override)}: {'.'.join(parents)} is a value, not a block with keys.")
    try:
        block[last] = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"--set {shown(override)}: the value is not YAML.") from error


def key_of(override: str) -> str:
    """The key of an override."""
    return override.partition("=")[0]


def shown(override: str) -> str:
    """The override as a message shows it."""
    return override if len(override) <= _SHOWN else override[: _SHOWN - 3] + "..."


def blamed(place: Place, overrides: Sequence[str]) -> str | None:
    """The last override that set this place, a block around it or something in it; None if none did."""
    parts = tuple(map(str, place))
    for override in reversed(overrides):
        key = tuple(key_of(override).split("."))
        common = min(len(key), len(parts))
        if key[:common] == parts[:common]:
            return override
    return None
