"""Configuration files: YAML into a recipe's typed settings, with overrides, and errors that say how to mend them."""

import difflib
import importlib
import os
import reprlib
import types
from pathlib import Path
from typing import Any, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError

import configs
from beam_pipelines import storage
from beam_pipelines.errors import ConfigError
from beam_pipelines.recipe import Recipe, RecipeConfig
from transforms.tables.shards import open_binary

RECIPES = ("webbody", "face_generation", "face_clips")
_MISSING, _OWN = "missing", "value_error"  # pydantic's names of errors


def recipe(name: str) -> Recipe:
    """The recipe of this name; its module is imported only now."""
    if name not in RECIPES:
        raise ConfigError(f"recipe: there is no recipe {name!r}; {nearest(name, RECIPES)}")
    found: Recipe = importlib.import_module(f"beam_pipelines.{name}").RECIPE
    return found


def nearest(name: str, known: Any) -> str:
    """`did you mean X?`, or the list of what there is."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(sorted(known))}."


def find(name: str) -> str:
    """The path of a configuration: a file, or the name of one that comes with manyfaces (`webbody`)."""
    packaged = configs.FOLDER / f"{name.removesuffix('.yaml')}.yaml"
    if storage.is_file(name, "configuration") and not os.path.isdir(
        name
    ):  # the folder of a run may be called like a shipped configuration
        return name
    if packaged.is_file() and Path(name).name == name:
        return str(packaged)
    names = (path.stem for path in configs.FOLDER.glob("*.yaml"))
    shipped = ", ".join(sorted(name for name in names if name.partition("-")[0] in RECIPES))
    raise ConfigError(f"{name}: there is no such configuration file; those that come with manyfaces: {shipped}.")


def load(name: str, overrides: list[str] | None = None) -> tuple[Recipe, RecipeConfig]:
    """Read a configuration and apply `key=value` overrides; ConfigError tells everything that is wrong at once."""
    path = find(name)
    with open_binary(path) as file:
        try:
            values = yaml.safe_load(file.read())
        except yaml.YAMLError as error:
            raise ConfigError(f"{path}: this is not YAML: {' '.join(str(error).split())}") from error
    return _validated(path, values, overrides or [])


def from_record(record: dict[str, Any], overrides: list[str]) -> tuple[Recipe, RecipeConfig]:
    """The configuration that run.json recorded, with overrides."""
    return _validated("run.json", record["config"], overrides)


def _validated(path: str, values: Any, overrides: list[str]) -> tuple[Recipe, RecipeConfig]:
    if isinstance(values, dict):
        for override in overrides:
            _override(values, override)
    if not isinstance(values, dict) or not isinstance(values.get("recipe"), str):
        raise ConfigError(f"{path}: the file must be a mapping with a key `recipe`; recipes: {', '.join(RECIPES)}.")
    chosen = recipe(values["recipe"])
    try:
        return chosen, chosen.config.model_validate(values)
    except ValidationError as error:
        raise ConfigError("\n".join(f"{path}: {line}" for line in _explain(error, chosen.config))) from error


def _override(values: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise ConfigError(f"--set {override}: write it as key=value, for example --set bodies.min_score=0.5")
    *parents, last = key.split(".")
    block: Any = values
    for parent in parents:
        if isinstance(block, dict) and block.get(parent) is None:
            block[parent] = {}
        block = block[parent] if isinstance(block, dict) else None
    if not isinstance(block, dict):
        raise ConfigError(f"--set {override}: {'.'.join(parents)} is a value, not a block with keys.")
    try:
        block[last] = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"--set {override}: the value is not YAML.") from error


def _explain(error: ValidationError, model: type[BaseModel]) -> list[str]:
    lines = []
    for problem in error.errors():
        where = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            known = _fields_at(model, problem["loc"][:-1])
            lines.append(f"{where}: unknown key; {nearest(str(problem['loc'][-1]), known)}")
        elif problem["type"] == _MISSING:
            lines.append(f"{where}: this key is required.")
        elif problem["type"] == _OWN:  # a sentence of ours, which says what does not go with what
            sentence = str(problem["ctx"]["error"])
            lines.append(sentence if sentence.startswith(where) else f"{where}: {sentence}")
        elif problem["type"] == "tuple_type":
            lines.append(f"{where}: write it as a list, for example [a, b] (given: {reprlib.repr(problem['input'])}).")
        else:
            lines.append(f"{where}: {problem['msg']} (given: {reprlib.repr(problem['input'])}).")
    return lines


def _fields_at(model: type[BaseModel], place: tuple[int | str, ...]) -> list[str]:
    """The field names of the settings block at a place of the configuration."""
    current: Any = model
    for part in place:
        if isinstance(current, type) and issubclass(current, BaseModel) and part in current.model_fields:
            current = _block(current.model_fields[str(part)].annotation)
    return list(current.model_fields) if isinstance(current, type) and issubclass(current, BaseModel) else []


def _block(annotation: Any) -> Any:
    """The settings model inside an annotation such as `Model | None` or `dict[str, Model]`."""
    if get_origin(annotation) in (Union, types.UnionType, dict, list, tuple):
        blocks = [_block(argument) for argument in get_args(annotation)]
        return next((b for b in blocks if isinstance(b, type) and issubclass(b, BaseModel)), annotation)
    return annotation
