"""Configuration files: YAML into a recipe's typed settings, with overrides, and errors that say how to mend them."""

import copy
import difflib
import os
import re
import reprlib
import types
from pathlib import Path
from typing import Any, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

import configs
from beam_pipelines.driver import storage
from beam_pipelines.errors import ConfigError
from beam_pipelines.overrides import apply, blamed, key_of, shown
from beam_pipelines.recipes import RECIPES
from beam_pipelines.recipes.recipe import Recipe, RecipeConfig
from model_handlers import named
from model_handlers.named import nearest
from transforms.tables.files import open_binary

_PLACE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
_MISSING, _OWN = "missing", "value_error"  # pydantic's names of errors


def recipe(name: str) -> Recipe:
    """The recipe of this name, or place `module:attribute`; its module is imported only now."""
    try:
        found = named.load("recipe", name, RECIPES)
    except ValueError as error:
        raise ConfigError(str(error)) from error
    if not isinstance(found, Recipe):
        raise ConfigError(f"recipe {name!r}: this is a {type(found).__name__} and no Recipe.")
    return found


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
    """Read a configuration and apply `key=value` overrides; ConfigError tells everything that is wrong at once.

    `name` is a file, the name of a shipped configuration, or the place `module:attribute` of a recipe, whose defaults
    are then the configuration.
    """
    if _PLACE.fullmatch(name):
        return _validated(name, {"recipe": name}, overrides or [])
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
    alone = copy.deepcopy(values)
    if isinstance(values, dict):
        for override in overrides:
            apply(values, override)
    if not isinstance(values, dict) or not isinstance(values.get("recipe"), str):
        source = _source(path, blamed(("recipe",), overrides))
        raise ConfigError(f"{source}: the file must be a mapping with a key `recipe`; recipes: {', '.join(RECIPES)}.")
    try:
        chosen = recipe(values["recipe"])
    except ConfigError as error:
        raise ConfigError(f"{_source(path, blamed(('recipe',), overrides))}: {error}") from error
    try:
        return chosen, chosen.config.model_validate(values)
    except ValidationError as error:
        # what is wrong with the file alone is its own fault, and not that of what was set beside it
        own = [_fault(problem) for problem in _problems(chosen.config, alone)] if overrides else []
        lines = []
        for problem in error.errors():
            culprit = None if _fault(problem) in own else blamed(problem["loc"], overrides)
            lines.append(f"{_source(path, culprit)}: {_explain(problem, chosen.config, culprit)}")
        raise ConfigError("\n".join(lines)) from error


def _source(path: str, override: str | None) -> str:
    return path if override is None else f"--set {shown(override)}"


def _fault(problem: ErrorDetails) -> tuple[Any, ...]:
    return problem["loc"], problem["type"], problem["input"]


def _problems(model: type[BaseModel], values: Any) -> list[ErrorDetails]:
    try:
        model.model_validate(values)
    except ValidationError as error:
        return error.errors()
    return []


def _explain(problem: ErrorDetails, model: type[BaseModel], override: str | None) -> str:
    """What is wrong and how to mend it; the place is left out where the override already names it."""
    where = ".".join(str(part) for part in problem["loc"])
    at = "" if override is not None and key_of(override) == where else f"{where}: "
    if problem["type"] == "extra_forbidden":
        if override is not None:
            return f"unknown key; {_nearest_key(model, problem['loc'], key_of(override))}"
        return f"{at}unknown key; {nearest(str(problem['loc'][-1]), _fields_at(model, problem['loc'][:-1]))}"
    if problem["type"] == _MISSING:
        return f"{at}this key is required."
    if problem["type"] == _OWN:  # a sentence of ours, which says what does not go with what
        sentence = str(problem["ctx"]["error"])
        return sentence if sentence.startswith(where) else f"{at}{sentence}"
    if problem["type"] == "tuple_type":
        return f"{at}write it as a list, for example [a, b] (given: {reprlib.repr(problem['input'])})."
    return f"{at}{problem['msg']} (given: {reprlib.repr(problem['input'])})."


def _nearest_key(model: type[BaseModel], place: tuple[int | str, ...], key: str) -> str:
    """`did you mean a.b.c?`: a key of that name in another block, else one of the block's own, else of all keys."""
    *block, last = map(str, place)
    known, keys = _fields_at(model, place[:-1]), _keys(model)
    close = [one for one in keys if one.rpartition(".")[2] == key.rpartition(".")[2]]
    close = difflib.get_close_matches(key, close, n=1, cutoff=0.0)
    if not close and key == ".".join(map(str, place)):
        close = [".".join([*block, name]) for name in difflib.get_close_matches(last, known, n=1, cutoff=0.5)]
    close = close or difflib.get_close_matches(key, keys, n=1)
    return f"did you mean {close[0]!r}?" if close else nearest(last, known)


def _keys(model: type[BaseModel], before: str = "") -> list[str]:
    """All keys of a configuration, of its blocks too: `fetch`, `fetch.retries`, ..."""
    found = []
    for name, field in model.model_fields.items():
        found.append(before + name)
        block = None if get_origin(field.annotation) is dict else _block(field.annotation)  # names of the user's own
        if isinstance(block, type) and issubclass(block, BaseModel):
            found += _keys(block, f"{before}{name}.")
    return found


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
