"""The rooms of the house stand on each other: a module imports from its own room and from those below it."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# from the ground up; modules of the folder beam_pipelines itself stand at several heights
ROOMS = [
    "configs",
    "model_handlers",
    "model_handlers.codecs",
    "model_handlers.networks",
    "model_handlers.frameworks",
    "model_handlers.weights.convert",
    "model_handlers.weights",
    "model_handlers.models",
    "transforms",
    "transforms.tables",
    "transforms.flow",
    "transforms.images",
    "transforms.videos",
    "transforms.fetch.lists",
    "transforms.fetch.http",
    "transforms.fetch.videos",
    "transforms.fetch",
    "transforms.vision",
    "transforms.filtering",
    "transforms.tracking",
    "transforms.anonymizing",
    "transforms.identity",
    "transforms.persons",
    "transforms.persons.pictures",
    "transforms.evaluation",
    "transforms.curation",
    "transforms.curation.tracks",
    "transforms.bundle",
    "transforms.bundle.tracks",
    "beam_pipelines",
    "beam_pipelines.errors",
    "beam_pipelines.runners",
    "beam_pipelines.recipes",
    "beam_pipelines.init",
    "beam_pipelines.completion",
    "beam_pipelines.cards",
    "beam_pipelines.driver",
    "beam_pipelines.overrides",
    "beam_pipelines.config",
    "beam_pipelines.reports",
    "beam_pipelines.pages",
    "beam_pipelines.browse",
    "beam_pipelines.removal",
    "beam_pipelines.exporting",
    "beam_pipelines.api",
    "beam_pipelines.resume",
    "beam_pipelines.curating",
    "beam_pipelines.curate",
    "beam_pipelines.evaluate",
    "beam_pipelines.calibrate",
    "beam_pipelines.verify",
    "beam_pipelines.demos",
    "beam_pipelines.doctor",
    "beam_pipelines.commands",
    "beam_pipelines.at_once",
    "beam_pipelines.cli",
    "beam_pipelines.template",
    "manyfaces",
    "beam_pipelines.launch",
]
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for top in ("configs", "manyfaces", "beam_pipelines", "transforms", "model_handlers")
    for path in (ROOT / top).rglob("*.py")
}


def room(module: str) -> str:
    if module in ROOMS:
        return module
    path = MODULES[module]
    return ".".join(path.relative_to(ROOT).parent.parts)


def imports(module: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = (f"{node.module}.{one.name}" for one in node.names)
            found.update(name if name in MODULES else node.module for name in names)
        elif isinstance(node, ast.Import):
            found.update(one.name for one in node.names)
    return found.intersection(MODULES) - {module}


def test_every_module_is_in_a_room():
    assert {room(module) for module in MODULES} == set(ROOMS)


@pytest.mark.parametrize("module", sorted(MODULES))
def test_a_module_imports_from_its_own_room_and_from_those_below(module):
    height = ROOMS.index(room(module))
    assert [one for one in sorted(imports(module)) if ROOMS.index(room(one)) > height] == []


def test_inside_a_room_no_module_needs_one_that_needs_it():
    graph = {module: imports(module) for module in MODULES}
    done: set[str] = set()
    while ready := {module for module in graph.keys() - done if graph[module] <= done}:
        done |= ready
    assert set(graph) - done == set()
