"""The list of a run: the same as ever, with new rows, or another one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from beam_pipelines.errors import ConfigError
from beam_pipelines.recipes.recipe import Recipe, RecipeConfig
from transforms.fetch.lists.files import list_digest
from transforms.fetch.lists.growth import ListChanged


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

    A list that is to be read otherwise, or of which items of the run have changed or are gone, begins the run anew:
    ConfigError for changed items unless `recompute` is asked. ValueError for a list that cannot be read.
    """
    now = list_digest(manifest)
    made_from = record.get("made_from", {}).get("manifest", {})
    begun = made_from.get("--input", now)
    if record.get("list", begun) == now:
        return Listed(begun, now)
    anew = Listed(now, now, is_read=False)
    if recipe.new_rows is None or made_from.get("manifest") != config.model_dump(mode="json").get("manifest"):
        return anew
    try:
        return Listed(begun, now, False, recipe.new_rows(manifest, run, config.manifest))
    except ListChanged as error:
        if recompute:
            return anew
        raise ConfigError(
            f"--input {manifest}: {error}; put back what is missing (new rows may stand anywhere), give --recompute to "
            "delete all that this run has made and begin anew, or another --output."
        ) from error


def new_rows_told(listed: Listed) -> str:
    """What to say of new rows; empty if there are none."""
    return f"the list has {listed.new} new row{'s' if listed.new > 1 else ''}" if listed.new else ""
