"""docs/models.md has a line for each model of the catalogue, and it says what the catalogue says."""

import re
from pathlib import Path

import pytest

from model_handlers.models import catalogue

PAGE = (Path(__file__).parents[1] / "docs" / "models.md").read_text(encoding="utf-8")
ROWS = {cells[0]: cells[1:] for line in PAGE.splitlines() if (cells := re.findall(r" ([^|]*?) (?=\|)", line))}
MODELS = catalogue.load().models


def test_it_has_these_models_and_no_others():
    assert {name.strip("`") for name in ROWS if name.startswith("`") and len(ROWS[name]) > 5} == set(MODELS)


@pytest.mark.parametrize("name", MODELS)
def test_a_line_says_what_the_catalogue_says(name):
    entry, (task, framework, licence, *_, weights, compared) = MODELS[name], ROWS[f"`{name}`"]
    assert (task, framework) == (entry.task, entry.framework)
    assert licence == entry.licence + ("" if entry.commercial else " (NC)")
    assert (weights == "yours") is not bool(entry.sources)
    assert compared
