"""Writing the cards of a run: when it has ended, and when something was taken out of it."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from apache_beam.io.filesystems import FileSystems

from beam_pipelines.cards.contents import describe, tar_folders
from beam_pipelines.cards.croissant import croissant
from beam_pipelines.cards.huggingface import bundle_card, keypoints_of, run_card
from transforms.flow.stages import Stage
from transforms.tables.files import commit_file, delete_files, exists

CARD, CROISSANT = "README.md", "croissant.json"
BUNDLE_CARD = "bundle/README.md"


def write_cards(run: str, record: Mapping[str, Any], stages: Sequence[Stage]) -> None:
    """Write `README.md`, `croissant.json` and, where there is a bundle, `bundle/README.md`, of what the run has now.

    Where there is nothing to tell of any more, an old file of the name is deleted.
    """
    tables = describe(run, stages)
    metadata = json.dumps(croissant(tables, record), indent=1, ensure_ascii=False) + "\n"
    _put(run, CARD, run_card(tables, record) if tables else None)
    _put(run, CROISSANT, metadata if tables else None)
    _put(run, BUNDLE_CARD, bundle_card(tar_folders(run), keypoints_of(tables), record))


def _put(run: str, name: str, text: str | None) -> None:
    path = FileSystems.join(run, *name.split("/"))
    if text is not None:
        with commit_file(path) as out:
            out.write(text.encode())
    elif exists(path):
        delete_files([path])
