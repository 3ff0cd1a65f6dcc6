"""The page docs/settings.md: every key of every recipe and of a catalogue's entry, out of their JSON schemas."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import astuple, dataclass
from inspect import signature
from itertools import accumulate
from typing import Any

import yaml

from beam_pipelines import config as configuration
from beam_pipelines.recipes import RECIPES
from beam_pipelines.recipes.recipe import RecipeConfig, schema
from model_handlers import named
from model_handlers.codecs import CODECS
from model_handlers.models.catalogue import Entry
from model_handlers.weights.convert import CONVERSIONS
from transforms.settings import how_keys

INTRO = """\
# All settings

This page is made from the code; `make docs` writes it anew. A configuration names only what it changes: all other keys
have the recipe's defaults, given here. `--set fetch.store.size=512` changes a key for one command; `manyfaces config
check FILE` prints all of a configuration, `manyfaces config schema RECIPE` this page as JSON schema, for editors.

*Stale* says what changing a key does to a run that is there. **yes**: rows that it has made would come out differently;
the run is refused, and `--recompute` redoes the stages that use the key and all that come of them. **no**: the key says
how fast, how patiently or where the work is done, and may change at any time.
"""
MODELS = "An entry of the catalogue"
CATALOGUE = f"""\
## {MODELS}

The file that `models.catalogue` names has one block, `models`, and in it a block for each model. That block's name
(small letters, digits and `-`) is what configurations call the model. A block that has `task` replaces a model of that
name in `configs/models.yaml`, which is shipped, as a whole; one without `task` changes only the keys that it has:

```yaml
models:
  vit-kprpe: {{sources: [{{uri: /models/vit_base_kprpe.pt, sha256: …}}]}}
```
"""
# What changing a key that no stage has does to a run that is there.
OF_NO_STAGE = {
    "recipe": "refused: a folder has runs of one recipe",
    "jobs": "yes, where a stage reads another table then",
    "models.catalogue": "yes, for models with another entry",
    "models.device": "yes, for stages with models",
    "models.precision": "yes, for stages with models of PyTorch on a GPU",
    **dict.fromkeys(("max_failed_share", "chunks_per_wave", "flink", "dataflow", "monitoring"), "no"),
    **dict.fromkeys(("models.copies", "models.accept_noncommercial", "models.accept_copyleft"), "no"),
}
# The keys of a catalogue's entry on which a model's numbers depend: model_handlers.models.handlers.numbers_from.
OF_MODELS = dict.fromkeys(
    (
        "network", "network_options", "codec", "options", "sources[].sha256", "converted_sha256", "dimension",
        "vocabulary",
    ),
    "yes",
)  # fmt: skip
SHARED, BLOCK = "All recipes", "block"  # the part of what recipes share; the value of a key that has keys of its own
HEAD = ("Key", "Value", "Default", "Meaning", "Stale")
_NAMES = {"string": "text", "integer": "whole number", "boolean": "`true` or `false`", "null": "`null`"}
_BOUNDS = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}
Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Row:
    """A key and what there is to know of it, in words: a line of a table, in the order of HEAD."""

    key: str
    value: str
    default: str
    meaning: str
    stale: str


Rows = tuple[Row, ...]
Blocks = Mapping[str, Rows]  # by name, the block's own row first; keys that are in no block have the name ''


def blocks(config: type[RecipeConfig]) -> Blocks:
    """The rows of a recipe by block."""
    made, how = schema(config), frozenset(how_keys(config))
    found: dict[str, Rows] = {"": ()}
    for name, kind in made["properties"].items():
        rows = tuple(_rows({name: kind}, made["$defs"], lambda key: _stale(key, how)))
        at = name if rows[0].value == BLOCK else ""
        found[at] = found.get(at, ()) + rows
    return found


def _stale(key: str, how: frozenset[str]) -> str:
    above = list(accumulate(key.split("."), "{}.{}".format))  # of a.b.c: a, a.b, a.b.c
    otherwise = "no" if how.intersection(above) else "yes"
    return next((OF_NO_STAGE[one] for one in above if one in OF_NO_STAGE), otherwise)


def _rows(keys: Schema, definitions: Schema, stale: Callable[[str], str], before: str = "") -> Iterator[Row]:
    for name, kind in keys.items():
        key, told, listed = before + name, kind.get("description", ""), "items" in kind
        block = definitions.get(kind.get("items", kind).get("$ref", "").rpartition("/")[2])
        if block and not listed:
            yield Row(f"`{key}`", BLOCK, "", _of_block(told, block["description"]), "")
        else:
            default = in_yaml(kind["default"]) if "default" in kind else "must be given"
            yield Row(f"`{key}`", in_words(kind), default, told, "" if block else stale(key))
        if block:
            yield from _rows(block["properties"], definitions, stale, f"{key}[]." if listed else f"{key}.")


def _of_block(here: str, everywhere: str) -> str:
    here = here[:1].upper() + here[1:]
    return everywhere if everywhere.startswith(here) else f"{here}. {everywhere}"  # nothing twice


def in_words(kind: Schema) -> str:
    """What may stand as a value: `whole number, 1 to 64`."""
    if "anyOf" in kind:
        return ", or ".join(map(in_words, kind["anyOf"]))
    if "const" in kind or "enum" in kind:
        *most, last = (f"`{one}`" for one in kind.get("enum", [kind.get("const")]))
        return f"{', '.join(most)} or {last}" if most else last
    if "prefixItems" in kind:
        each = "; ".join(dict.fromkeys(map(in_words, kind["prefixItems"])))
        return f"list of {len(kind['prefixItems'])}, each a {each}"
    if "items" in kind:
        each = in_words(kind["items"]).replace("list of", "lists of", 1)
        return f"list of {each}" + (f"; at least {kind['minItems']}" if "minItems" in kind else "")
    if kind.get("type") == "object":
        pairs = (f"`{name}`: {in_words(value)}" for name, value in kind.get("patternProperties", {}).items())
        return "; ".join(("names and values", *pairs))
    named_type: str = kind.get("type", BLOCK)
    pattern = f" that matches `{kind['pattern']}`" if "pattern" in kind else ""
    bounds = " and ".join(f"{word} {kind[bound]:,}" for bound, word in _BOUNDS.items() if bound in kind)
    if "minimum" in kind and "maximum" in kind:
        bounds = f"{kind['minimum']:,} to {kind['maximum']:,}"
    return _NAMES.get(named_type, named_type) + pattern + (f", {bounds}" if bounds else "")


def in_yaml(value: Any) -> str:
    """A value as it stands in a configuration, in one line."""
    written = yaml.safe_dump(value, default_flow_style=True, width=float("inf"), sort_keys=False, allow_unicode=True)
    return "`" + written.removesuffix("...\n").strip() + "`"


def table(head: tuple[str, ...], lines: Iterable[tuple[str, ...]]) -> str:
    """A table of Markdown; cells may hold pipes and several lines."""
    cells = [
        [" ".join(cell.replace("|", r"\|").split()) for cell in line] for line in (head, ("---",) * len(head), *lines)
    ]
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)


def page() -> str:
    """The whole page, as Markdown."""
    recipes = {name: blocks(configuration.recipe(name).config) for name in RECIPES}
    shared = _shared(*recipes.values())
    parts = {SHARED: shared} | {name: _without(found, shared) for name, found in recipes.items()}
    contents = " ·\n".join(map(_link, (*parts, MODELS)))
    return "\n".join((INTRO, f"{contents}\n", *(_part(title, parts) for title in parts), _catalogue()))


def _shared(first: Blocks, *others: Blocks) -> Blocks:
    """What is the same in all recipes: whole blocks, and keys that are in no block."""
    loose = tuple(row for row in first[""] if all(row in one[""] for one in others))
    return {"": loose} | {name: rows for name, rows in first.items() if all(one.get(name) == rows for one in others)}


def _without(found: Blocks, shared: Blocks) -> Blocks:
    left = {name: tuple(row for row in rows if row not in shared.get(name, ())) for name, rows in found.items()}
    return {name: rows for name, rows in left.items() if rows}


def _link(title: str, block: str = "") -> str:
    place = f"{title} {block}".strip().replace(" ", "-").lower()
    return f"[{block or title}](#{place})"


def _part(title: str, parts: Mapping[str, Blocks]) -> str:
    """A recipe's part. Of a block that an earlier recipe has, it has only what differs, if that is less than half."""
    texts = [f"## {title}\n"]
    for name, rows in parts[title].items():
        if name:
            texts.append(f"### {title}: {name}\n\n{rows[0].meaning}\n")
            keys = [row.key for row in rows]
            where = next(one for one, found in parts.items() if [row.key for row in found.get(name, ())] == keys)
            differ = tuple(row for row in rows[1:] if row not in parts[where][name])
            short = where != title and 2 * len(differ) < len(rows)
            texts += [f"As in {where}: {_link(where, name)}{', but for:' if differ else '.'}\n"] if short else []
            rows = differ if short else rows[1:]
        texts += [table(HEAD, map(astuple, rows))] if rows else []
    return "\n".join(texts)


def _catalogue() -> str:
    made = Entry.model_json_schema()
    keys = {name: kind for name, kind in made["properties"].items() if name != "name"}
    rows = _rows(keys, made["$defs"], lambda key: OF_MODELS.get(key, "no"))
    conversions = ", ".join(f"`{name}`" for name in CONVERSIONS)
    codecs = table(("Codec", "Task", "Its `options`, with defaults"), map(_codec, CODECS))
    return "\n".join([CATALOGUE, table(HEAD, map(astuple, rows)), codecs, f"Conversions: {conversions}."])


def _codec(name: str) -> tuple[str, str, str]:
    make = named.load("codec", name, CODECS)
    options = (f"`{one.name}`: {in_yaml(one.default)}" for one in signature(make).parameters.values())
    return f"`{name}`", make().task, ", ".join(options)


if __name__ == "__main__":
    print(page())
