"""The list of a run: the same as ever, with new rows, or another one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from beam_pipelines.errors import ConfigError
from beam_pipelines.recipes.recipe import Recipe, RecipeConfig
from transforms.fetch.lists.files import list_digest
from transforms.fetch.lists.growth import ListChanged
from transforms.settings import what
from transforms.tables.digest import digest


@dataclass(frozen=True, slots=True)
class Listed:
    """Digests of the list that the run was begun with, and of the list as it is now.

    is_read: whether the run has read it as it is now; new: rows that it has got since.
    """

    begun: str
    now: str
    is_read: bool = True
    new: int = 0


def look_at_list(
    recipe: Recipe, manifest: str, run: str, config: RecipeConfig, record: Mapping[str, Any], recompute: bool
) -> Listed:
    """What became of the list since the run was begun; nothing is written.

    A list that is to be read otherwise, or of which items of the run have changed or are gone, begins the run anew, as
    do fewer of its first rows: ConfigError for either unless `recompute` is asked. ValueError for a list that cannot be
    read.
    """
    first = first_rows_of(config.model_dump(mode="json"))
    now = list_digest(manifest) if first is None else digest([list_digest(manifest), first])
    made_from = record.get("made_from", {}).get("manifest", {})
    begun = made_from.get("--input", now)
    if record.get("list", begun) == now:
        return Listed(begun, now)
    anew = Listed(now, now, is_read=False)
    if recipe.new_rows is None or made_from.get("manifest") != what(config.manifest):
        return anew
    if _is_fewer(first, first_rows_of(record.get("config", {}))):
        if recompute:
            return anew
        raise ConfigError(_refusal(first, first_rows_of(record["config"])))
    try:
        return Listed(begun, now, False, recipe.new_rows(manifest, run, config.manifest))
    except ListChanged as error:
        if recompute:
            return anew
        raise ConfigError(
            f"--input {manifest}{_of_first(first)}: {error}; put back what is missing (new rows may stand anywhere), "
            "give --recompute to delete all that this run has made and begin anew, or another --output."
        ) from error


def first_rows_of(config: Mapping[str, Any]) -> int | None:
    """To how many first rows of the list a configuration, as plain data, limits the run; None for all."""
    found = config.get("manifest", {}).get("first_rows")
    return None if found is None else int(found)


def _is_fewer(now: int | None, before: int | None) -> bool:
    return now is not None and (before is None or now < before)


def _refusal(now: int | None, before: int | None) -> str:
    had = "the whole of its list" if before is None else f"the first {before} rows of its list"
    return (
        f"--limit {now} (manifest.first_rows): this run has taken {had}; give as many or more, --recompute to delete "
        "all that it has made and begin anew, or another --output."
    )


def _of_first(rows: int | None) -> str:
    return "" if rows is None else f" (its first {rows} rows)"


def new_rows_told(listed: Listed) -> str:
    """What to say of new rows; empty if there are none."""
    return f"the list has {listed.new} new row{'s' if listed.new > 1 else ''}" if listed.new else ""
