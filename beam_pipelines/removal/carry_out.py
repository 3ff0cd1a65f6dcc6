"""Carrying a removal out, or to its end: each step goes by what is there and may be done again."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from beam_pipelines.cards.write import write_cards
from beam_pipelines.driver.balance import summary
from beam_pipelines.driver.marks import read_mark, write_mark
from beam_pipelines.driver.outdated import inputs_digest, mark_of
from beam_pipelines.driver.record import write_record
from beam_pipelines.removal.find import MANIFEST, item_kind, manifest_key, tables_of
from beam_pipelines.removal.plan import folders, now
from transforms.flow.stages import RowStage, Stage, TableStage
from transforms.tables.files import delete_files, delete_folder, exists, is_folder
from transforms.tables.ledger import ledger_table, tally
from transforms.tables.lineage import Sets, as_sets, kinds, rows_gone
from transforms.tables.removals import UnderWay, end, read_removals, write_removals
from transforms.tables.schemas import key_name
from transforms.tables.shards import filter_shard, open_arrow, shard_names, shard_path
from transforms.tables.taken_out import settle_rows, take_out_entries, take_out_of_manifest, take_out_retries
from transforms.videos.library import file_path


def carry_out(run: str, record: dict[str, Any], stages: Sequence[Stage], removal: UnderWay) -> dict[str, Any]:
    """Do all that is left of a removal that is under way; returns its entry in the record of removals."""
    sets = as_sets(removal.gone)
    for name in removal.files:
        _delete(file_path(run, name))
    for table in tables_of(stages):
        _take_rows_out(run, table, sets)
    key = manifest_key(run)
    if key is not None:
        take_out_of_manifest(run, MANIFEST, key, removal.gone)
    for stage in stages:
        if stage.name in removal.remade:
            _delete_stage(run, stage)
        else:
            _settle(run, stage, sets)
    for stage in stages:
        if isinstance(stage, TableStage) and stage.mend is not None and stage.name in removal.kept_up:
            stage.mend(run)
    _keep_record(run, record, stages, removal)
    write_cards(run, record, stages)
    entry = removal.entry | {"finished": now()}
    write_removals(run, read_removals(run).with_entry(entry, removal.gone.get("url", [])))
    end(run)
    return entry


def _take_rows_out(run: str, table: str, sets: Sets) -> None:
    def stays(rows: pa.Table) -> pa.Array:
        return pc.invert(rows_gone(rows, sets))

    for name in shard_names(run, table):
        path = shard_path(run, table, name)
        with open_arrow(path) as file:
            found = kinds(pq.ParquetFile(file).schema_arrow)
        if found:
            filter_shard(path, stays, list(found))


def _settle(run: str, stage: Stage, sets: Sets) -> None:
    """The stage's ledger and retries, without what is gone."""
    kind = item_kind(run, stage)
    if kind is None:
        return
    take_out_entries(run, stage.name, kind, sets)
    take_out_retries(run, stage.name, kind, sets)
    if isinstance(stage, RowStage) and key_name(stage.row_in) in stage.schema.names:
        settle_rows(run, stage.name, stage.writes, key_name(stage.row_in))


def _delete_stage(run: str, stage: Stage) -> None:
    if isinstance(stage, TableStage):
        for folder in (*folders(run, stage), file_path(run, ledger_table(stage.name))):
            _delete(folder)


def _delete(path: str) -> None:
    """The file or folder is gone afterwards, and local folders that are then empty."""
    if is_folder(path):
        delete_folder(path)
        return
    if exists(path):
        delete_files([path])


def _keep_record(run: str, record: dict[str, Any], stages: Sequence[Stage], removal: UnderWay) -> None:
    """Have run.json tell of what is there, and of the stages that are kept up that they are made from it."""
    told = record.get("stages", {})
    for name in list(told):
        if name in removal.remade:
            del told[name]
        else:
            told[name] = told[name] | summary(tally(run, name), told[name].get("seconds", 0.0))
    for stage in stages:
        if isinstance(stage, TableStage) and stage.name in removal.kept_up:
            inputs = inputs_digest(run, stage)
            if stage.name in told:
                told[stage.name]["input"] = inputs
            if read_mark(run, stage.name) is not None:
                write_mark(run, stage.name, mark_of(record, stage, inputs))
    write_record(run, record)
