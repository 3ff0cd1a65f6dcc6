"""The part of a dataset card that people read: where it comes from, how to load it, counts, models, rights."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_PUBLISHED = ("npm://", "pypi://", "hf://", "https://")  # sources that tell nothing of the maker's own machines
_RIGHTS = """\
Every picture belongs to whoever owns it where it was fetched (`url` in the tables `manifest`, `images` or `videos`);
this card grants no licence to any. Faces are personal data: whoever keeps or passes on this dataset answers for that,
and for taking out who asks for it (`manyfaces remove`). Models have licences of their own, above; some forbid
commercial use of what they find."""


def card_text(title: str, record: Mapping[str, Any], loading: str, contents: Iterable[str]) -> str:
    """The text in Markdown; `loading` are lines of Python, `contents` lines that say what there is.

    It has what run.json has, but for times, paths and settings: equal runs have equal cards.
    """
    made = record.get("versions", {}).get("manyfaces", "")
    recipe = record.get("recipe", "")
    return "\n\n".join(
        [
            f"# {title}",
            f"Made by manyfaces {made} with the recipe `{recipe}`, from a list of URLs.",
            f"```python\n{loading}\n```",
            "\n".join(contents),
            f"## Counts\n\n{_counts(record.get('stages', {}))}",
            f"## Models\n\n{_models(record.get('models', {}))}",
            f"## Rights\n\n{_RIGHTS}",
            "",
        ]
    )


def _counts(stages: Mapping[str, Mapping[str, Any]]) -> str:
    """A line a stage: what entered, what became of it, and why items went no further."""
    rows = []
    for name, stage in stages.items():
        counts = [stage[state] for state in ("kept", "dropped", "failed")]
        reasons = ", ".join(f"{code} {count}" for code, count in sorted(stage["reasons"].items(), key=_most_first))
        rows.append([name, sum(counts), *counts, stage["rows"], reasons])
    return table(["stage", "in", "kept", "dropped", "failed", "rows", "reasons"], rows)


def _most_first(reason: tuple[str, int]) -> tuple[int, str]:
    return -reason[1], reason[0]


def _models(models: Mapping[str, Mapping[str, Any]]) -> str:
    if not models:
        return "None."
    rows = [[role, model["name"], model["licence"], _sources(model["source"])] for role, model in models.items()]
    return table(["what for", "model", "licence", "source"], rows)


def _sources(source: str) -> str:
    places = [place for place in source.split(", ") if place.startswith(_PUBLISHED)]
    return ", ".join(f"`{place}`" for place in places) or "the maker's own file"


def table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table in Markdown; no cell can end its line or its column."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(value: Any) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")
