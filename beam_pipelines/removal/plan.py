"""What a removal changes in a run, known before anything is touched; one rule for each kind of what a run has.

| what | becomes |
|---|---|
| row tables and their ledgers | the shards with rows that go are written anew without them |
| files and folders that only such rows name, and the downloads of a video that goes | deleted |
| what `evaluate`, `verify` and `persons.extract` wrote into the run beside its tables | deleted; they write it anew |
| files and names that a stage makes of whole tables | made up to date by that stage's own `mend` |
| a stage on whole tables that is not up to date, or has files and no `mend` | deleted; the next run makes it anew |
"""

import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timezone
from typing import Any

from beam_pipelines import __version__
from beam_pipelines.driver.outdated import is_outdated
from beam_pipelines.removal.asked import Asked
from beam_pipelines.removal.find import MANIFEST, Found
from beam_pipelines.reports.folders import OF_PEOPLE
from transforms.fetch.videos.media_store import files_of
from transforms.flow.stages import Stage, TableStage
from transforms.tables.files import exists, is_folder
from transforms.tables.removals import Removals, UnderWay
from transforms.tables.shards import shard_names
from transforms.videos.library import file_path


def plan(
    run: str, record: dict[str, Any], stages: Sequence[Stage], asked: Asked, found: Found, removals: Removals
) -> UnderWay:
    """The removal as it is carried out, and as the record will tell of it; it reads names of files only."""
    remade, kept_up = _table_stages(run, record, stages)
    reports = [name for name in OF_PEOPLE if found.rows and _is_there(run, name)]
    videos = {name for video in found.gone.get("video_id", ()) for name in files_of(run, video)}
    files = sorted({*_named(run, found), *videos, *reports})
    urls = found.gone.get("url", set()).union(asked.urls)
    entry = {
        "id": uuid.uuid4().hex,
        "reference": asked.reference,
        "begun": now(),
        "finished": None,
        "manyfaces": __version__,
        "asked": {"urls": len(asked.urls), "images": len(asked.images), "identities": len(asked.identities)},
        "images_of_identities": asked.pictures,
        "unknown": len(found.unknown),
        "exact_copies": found.copies,
        "items": found.rows.get(MANIFEST, 0),
        "rows": dict(found.rows),
        "shards": dict(found.shards),
        "files": dict(Counter(name.partition("/")[0] for name in files)),
        "made_anew": remade,
        "urls": sorted(removals.mark(url) for url in urls),
    }
    gone = {kind: sorted(ids) for kind, ids in {**found.gone, "url": urls}.items() if ids}
    return UnderWay(asked_mark(asked, removals), entry, gone, files, remade, kept_up)


def asked_mark(asked: Asked, removals: Removals) -> str:
    """The salted hash of what is asked for: the same command gives the same."""
    return removals.mark(repr((asked.urls, asked.images, asked.identities, asked.pictures)))


def now() -> str:
    """The time, UTC."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def _table_stages(run: str, record: dict[str, Any], stages: Sequence[Stage]) -> tuple[list[str], list[str]]:
    """The stages on whole tables that are made anew by the next run, and those that are kept up to date."""
    remade, kept_up, lost = [], [], set[str]()
    for stage in stages:
        if not isinstance(stage, TableStage) or not any(map(is_folder, folders(run, stage))):
            continue
        is_whole = any(shard_names(run, table) for table in stage.tables) and not lost.intersection(stage.reads)
        if is_whole and not is_outdated(run, record, stage) and (stage.mend or not stage.files):
            kept_up.append(stage.name)
        else:
            remade.append(stage.name)
            lost.update(stage.tables)
    return remade, kept_up


def folders(run: str, stage: TableStage) -> list[str]:
    """The folders of all that a stage on whole tables makes, but for its ledger."""
    return [file_path(run, name) for name in (*stage.tables, *stage.files)]


def _named(run: str, found: Found) -> Iterator[str]:
    """The files and folders that are there of those that rows name; a name that leads out of the run is none."""
    for name in sorted(found.files):
        with suppress(ValueError):
            if _is_there(run, name):
                yield name


def _is_there(run: str, name: str) -> bool:
    path = file_path(run, name)
    return exists(path) or is_folder(path)
