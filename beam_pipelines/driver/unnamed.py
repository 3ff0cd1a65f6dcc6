"""Files that a stage wrote and no row names: a killed worker left them, or what they show was left out later."""

from pathlib import PurePosixPath

from apache_beam.io.filesystems import FileSystems

from transforms.fetch.videos.media_store import unrecorded
from transforms.flow.stages import RowStage
from transforms.tables.files import delete_files
from transforms.tables.lineage import file_columns
from transforms.tables.shards import iter_tables
from transforms.videos.library import MEDIA


def delete_unnamed(run: str, stage: RowStage) -> int:
    """Delete what no row of the stage's table names, of the files in folders beside its shards, and of its videos.

    Returns how many files went. Nobody may be at work on the stage. A video whose download was finished stays.
    """
    columns = file_columns(stage.schema)
    found = _files(run, stage.writes) if columns else {}
    videos = unrecorded(run) if MEDIA in stage.files else []
    if not found and not videos:
        return 0
    named = {
        name
        for table in iter_tables(run, stage.writes, columns)
        for column in columns
        for name in table[column].drop_null().to_pylist()
    }
    gone = [path for name, path in found.items() if named.isdisjoint([name, *_above(name)])]
    gone += [f"{run.rstrip('/')}/{name}" for name in videos if name not in named]
    delete_files(gone)
    return len(gone)


def _files(run: str, table: str) -> dict[str, str]:
    """The paths of the files in folders beside the table's shards, by name below the run."""
    top = run.rstrip("/")
    found = FileSystems.match([f"{top}/{table}/*/**"])[0].metadata_list
    return {one.path[len(top) + 1 :]: one.path for one in found}


def _above(name: str) -> list[str]:
    """The folders that a file is in: a row may name one of them."""
    return [str(folder) for folder in PurePosixPath(name).parents]
