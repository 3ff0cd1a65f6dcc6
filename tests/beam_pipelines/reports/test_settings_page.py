"""The page of all settings is what the code says, has every key, and says truly what a change makes stale."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from beam_pipelines import config as configuration
from beam_pipelines.driver.staleness import account
from beam_pipelines.recipes import RECIPES
from beam_pipelines.recipes.recipe import schema
from beam_pipelines.reports.settings_page import blocks, in_words, in_yaml, page, table
from model_handlers.models.catalogue import Entry, Source
from transforms.settings import Settings, how_keys, what

PAGE = Path(__file__).parents[3] / "docs" / "settings.md"


@pytest.fixture(scope="module")
def text() -> str:
    return page()


def test_the_page_in_docs_is_what_the_code_says_now(text):
    same = PAGE.read_text(encoding="utf-8") == f"{text}\n"
    assert same, "docs/settings.md is not what the settings are now; `make docs` renews it"


def keys(block: dict[str, Any], definitions: dict[str, Any], before: str = "") -> Iterator[tuple[str, bool]]:
    """Each key, and whether it is a block."""
    for name, described in block["properties"].items():
        inner = definitions.get(described.get("$ref", "").rpartition("/")[2])
        yield before + name, inner is not None
        if inner is not None:
            yield from keys(inner, definitions, f"{before}{name}.")


@pytest.mark.parametrize("name", RECIPES)
def test_every_key_of_every_recipe_is_on_the_page(name, text):
    made = schema(configuration.recipe(name).config)
    found = dict(keys(made, made["$defs"]))
    assert len(found) > 100
    for key, is_block in found.items():
        headed = is_block and any(f"\n### {title}: {key}\n" in text for title in (name, "All recipes"))
        assert headed or f"\n| `{key}` | " in text, key


def test_of_a_block_that_an_earlier_recipe_has_only_what_differs_is_on_the_page(text):
    def lines(heading: str) -> list[str]:
        part = text.partition(f"\n### {heading}\n")[2].partition("\n### ")[0]
        return [line for line in part.splitlines() if line.startswith("| `")]

    assert lines("face_clips: manifest") == []
    assert [line.split(" | ")[:3] for line in lines("face_clips: fetch")] == [
        ["| `fetch.accept.min_height`", "whole number, at least 0", "`0`"]
    ]
    assert len(lines("face_generation: fetch")) > 30  # those of images are others
    differ = [line.split(" | ")[0] for line in lines("face_generation: identity")]
    assert "| `identity.edges.k`" in differ
    assert "| `identity.clusters.link_similarity`" not in differ


def test_every_key_of_a_catalogue_s_entry_is_on_the_page(text):
    part = text.partition("\n## An entry of the catalogue\n")[2]
    names = [*Entry.model_fields, *(f"sources[].{name}" for name in Source.model_fields)]
    assert [name for name in names if f"\n| `{name}` | " not in part] == ["name"]  # it stands before the block


ROWS = [
    "| `max_failed_share` | number, 0 to 1 | `0.5` | the run fails when more than this share of a stage's items "
    "failed, on the way if that is clear | no |",
    "| `jobs` | list of lists of text | `[[download, shots], [spans, clips], [metadata]]` | the stages of each job; "
    "after shots, in jobs of their own, `covers` finds what must not be seen, `anonymized` writes each video without "
    "it, and `parts` each shot as a file | yes, where a stage reads another table then |",
    "| `fetch.retries` | whole number, 0 to 10 | `2` | further tries after transient errors | no |",
    "| `fetch.store.format` | `jpeg`, `webp` or `png` | `jpeg` | file format of the stored images | yes |",
    "| `fetch.accept.min_height` | whole number, at least 0 | `720` | pixels of the upright frame; less is "
    "`low_resolution` | yes |",
    "| `bundle.fill` | list of 3, each a whole number, 0 to 255 | `[255, 255, 255]` | colour of the canvas round the "
    "body, RGB, 0 to 255 | yes |",
    "| `faces.min_frontality` | number, 0 to 1 | `0.6` | least 1 - (1.5 \\|yaw\\| + \\|pitch\\| + 0.5 \\|roll\\|) / "
    "270, angles in degrees | yes |",
    "| `identity.edges.block` | whole number, 1 to 1,048,576 | `4096` | faces searched for at a time, by one worker | "
    "no |",
    "| `flink.master` | text | `'[local]'` | host:port of the job manager's REST service, or [local]: embedded | no |",
    "| `licence` | text | must be given | SPDX identifier, or the licence in words | no |",
    "| `movenet` | keypoints | `side`: `256` |",
    "As in webbody: [embeddings](#webbody-embeddings), but for:",
    "As in face_generation: [shots](#face_generation-shots), but for:",
]


@pytest.mark.parametrize("line", ROWS)
def test_rows_that_were_checked_by_hand(line, text):
    assert line in text.splitlines()


def test_tables_have_five_cells_a_line_whatever_is_in_them(text):
    settings = text.partition("\n| Codec |")[0]
    lines = [line.replace(r"\|", "") for line in settings.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in lines} == {6}
    assert all(line.count("`") % 2 == 0 for line in lines)


KINDS = [
    ({"$ref": "#/$defs/Some"}, "block"),
    ({"type": "string"}, "text"),
    ({"type": "string", "pattern": "^(a|b)$"}, "text that matches `^(a|b)$`"),
    ({"type": "boolean"}, "`true` or `false`"),
    ({"type": "integer"}, "whole number"),
    ({"type": "integer", "minimum": 1}, "whole number, at least 1"),
    ({"type": "number", "minimum": 0, "maximum": 86400}, "number, 0 to 86,400"),
    ({"type": "number", "exclusiveMinimum": -1, "maximum": 1}, "number, above -1 and at most 1"),
    ({"type": "number", "minimum": 0, "exclusiveMaximum": 1}, "number, at least 0 and below 1"),
    ({"const": "a", "type": "string"}, "`a`"),
    ({"enum": ["a", "b", "c"], "type": "string"}, "`a`, `b` or `c`"),
    ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "text, or `null`"),
    ({"type": "array", "items": {"type": "string"}, "minItems": 1}, "list of text; at least 1"),
    ({"type": "array", "items": {"type": "array", "items": {"type": "string"}}}, "list of lists of text"),
    ({"type": "object", "additionalProperties": True}, "names and values"),
    ({"type": "object", "patternProperties": {"^a$": {"type": "number"}}}, "names and values; `^a$`: number"),
]


@pytest.mark.parametrize(("kind", "words"), KINDS)
def test_what_may_stand_as_a_value_in_words(kind, words):
    assert in_words(kind) == words


VALUES = [
    (None, "`null`"),
    ("", "`''`"),
    ([], "`[]`"),
    ({}, "`{}`"),
    (True, "`true`"),
    (1073741824, "`1073741824`"),
    ("no", "`'no'`"),
    (["a", "b"] * 50, f"`[{', '.join(['a', 'b'] * 50)}]`"),
    ({"a": 0.7}, "`{a: 0.7}`"),
]


@pytest.mark.parametrize(("value", "written"), VALUES)
def test_defaults_are_written_as_in_a_configuration(value, written):
    assert in_yaml(value) == written


def test_a_table_without_lines_is_its_head():
    assert table(("a", "b"), []) == "| a | b |\n| --- | --- |\n"
    assert table(("a",), [("x|y",)]) == "| a |\n| --- |\n| x\\|y |\n"


def plain_keys(plain: dict[str, Any], before: str = "") -> Iterator[str]:
    for name, value in plain.items():
        yield before + name
        if isinstance(value, dict):
            yield from plain_keys(value, f"{before}{name}.")


@pytest.mark.parametrize("name", RECIPES)
def test_marked_keys_are_those_that_rows_are_not_made_from(name):
    for key, block in configuration.load(name)[1]:
        if isinstance(block, Settings):
            left_out = {*plain_keys(block.model_dump(mode="json"))} - {*plain_keys(what(block))}
            assert set(how_keys(type(block))) == {one for one in left_out if one.rpartition(".")[0] not in left_out}, (
                key
            )


CHANGES = [
    ("webbody", "max_failed_share=0.1"),
    ("webbody", "flink.processes=2"),
    ("webbody", "dataflow.cpu.threads=3"),
    ("webbody", "models.accept_noncommercial=true"),
    ("webbody", "models.device=cuda"),
    ("webbody", 'jobs=[["download"],["deduplicate"],["bodies"]]'),
    ("webbody", "manifest.rows_per_shard=10"),
    ("webbody", "manifest.columns.id=name"),
    ("webbody", "fetch.retries=3"),
    ("webbody", "fetch.store.size=512"),
    ("webbody", "embeddings.inference.threads=2"),
    ("face_generation", "chunks_per_wave=2"),
    ("face_generation", "candidates.max_bytes=5"),
    ("face_generation", "fetch.accept.probe_seconds=5"),
    ("face_clips", "clips.scores.brisque=null"),
]


@pytest.mark.parametrize(("name", "override"), CHANGES)
def test_a_change_makes_stale_what_the_page_says(name, override):
    def prints(*given: str) -> dict[str, str]:
        recipe, settings = configuration.load(name, list(given))
        return account(recipe.stages_of(settings), "", settings.manifest)["fingerprints"]

    rows = {row.key: row for found in blocks(configuration.recipe(name).config).values() for row in found}
    said = rows[f"`{override.partition('=')[0]}`"].stale
    assert said.partition(",")[0] == ("no" if prints() == prints(override) else "yes")
