"""Finding what goes: the items that are asked for, exact copies of them, and every row that came from them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from beam_pipelines.errors import ConfigError
from beam_pipelines.removal.asked import Asked
from transforms.flow.stages import RowStage, Stage
from transforms.tables.item_ids import safe_id
from transforms.tables.lineage import as_sets, file_columns, key_kind, kind_of, kinds, rows_gone
from transforms.tables.shards import iter_tables, open_arrow, read_column, shard_names, shard_path

MANIFEST = "manifest"


@dataclass(slots=True)
class Found:
    """What goes: ids by kind, URLs under `url`; rows and shards by table; names of files that rows of them name.

    copies: items with the same bytes as one that is asked for; unknown: what is asked for and not in the run.
    """

    gone: dict[str, set[str]] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    shards: dict[str, int] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)
    copies: int = 0
    unknown: list[str] = field(default_factory=list)

    def add(self, kind: str, ids: set[str]) -> None:
        """These go too."""
        self.gone.setdefault(kind, set()).update(ids)


def tables_of(stages: Sequence[Stage]) -> list[str]:
    """The tables of a run, each after those that it is made from."""
    return list(dict.fromkeys([MANIFEST, *(table for stage in stages for table in stage.tables)]))


def find(run: str, stages: Sequence[Stage], asked: Asked) -> Found:
    """All that goes from the run; ConfigError if identities are asked for and it has none."""
    tables = tables_of(stages)
    found = Found()
    _add_items(run, asked, found)
    if asked.identities:
        _add_identities(run, tables, asked, found)
    _add_copies(run, stages, found)
    for table in tables:
        _follow(run, table, found)
    _keep_shared_files(run, tables, found)
    return found


def manifest_key(run: str) -> str | None:
    """The key column of the run's manifest; None if there is none yet."""
    names = shard_names(run, MANIFEST)
    return str(_schema(shard_path(run, MANIFEST, names[0])).names[0]) if names else None


def _add_items(run: str, asked: Asked, found: Found) -> None:
    wanted = {name: name for name in asked.images} | {safe_id(name): name for name in asked.images}
    known = set[str]()
    for schema, rows in _ids(run, MANIFEST) if wanted or asked.urls else ():
        kind = key_kind(schema)
        if kind is None:
            continue
        for row in rows.filter(rows_gone(rows, as_sets({kind: wanted, "url": asked.urls}))).to_pylist():
            item = row[schema.names[0]]
            found.add(kind, {item})
            known |= {row.get("url", ""), wanted.get(item, item)}
    found.unknown += [item for item in (*asked.urls, *asked.images) if item not in known]


def _add_identities(run: str, tables: Sequence[str], asked: Asked, found: Found) -> None:
    if not shard_names(run, "identities"):
        raise ConfigError(f"--identities: the run {run} has no identities; name images or URLs.")
    faces = _faces_of(run, asked.identities)
    known = set(faces["identity"].drop_null().to_pylist())
    found.unknown += [f"identity {number}" for number in asked.identities if number not in known]
    if not asked.pictures:
        for kind in ("face_id", "body_id"):
            found.add(kind, set(faces[kind].drop_null().to_pylist()))
        return
    key, pictures = manifest_key(run), set(faces["image_id"].to_pylist())
    listed = None if key is None else kind_of(key, key)
    if listed is not None:
        found.add(listed, pictures if listed == "image_id" else _items_of(run, tables, str(key), pictures))


def _faces_of(run: str, numbers: Sequence[int]) -> pa.Table:
    """The faces of these identities, and those of the clusters that went into them which cleaning dropped."""
    faces = read_column(run, "identities", ["face_id", "body_id", "image_id", "cluster", "identity"])
    wanted = pa.array(numbers, pa.int64())
    own = pc.is_in(faces["identity"], value_set=wanted)
    clusters = [faces.filter(own)["cluster"].drop_null()]
    for table in iter_tables(run, "label_map", ["cluster", "identity"]):
        clusters.append(table.filter(pc.is_in(table["identity"], value_set=wanted))["cluster"])
    chunks = [chunk for column in clusters for chunk in column.chunks]
    theirs = pc.unique(pa.chunked_array(chunks, pa.string()))
    return faces.filter(pc.or_(own, pc.is_in(faces["cluster"], value_set=theirs, skip_nulls=True)))


def _items_of(run: str, tables: Sequence[str], key: str, pictures: set[str]) -> set[str]:
    """The items of the manifest that these pictures, frames of videos, are of."""
    wanted, items = pa.array(sorted(pictures), pa.string()), set[str]()
    for table in tables:
        for schema, rows in _ids(run, table):
            if key_kind(schema) == "image_id" and key in rows.column_names:
                items.update(rows.filter(pc.is_in(rows[schema.names[0]], value_set=wanted))[key].to_pylist())
    return items


def _add_copies(run: str, stages: Sequence[Stage], found: Found) -> None:
    """Other items whose downloaded bytes are the same as those of one that goes."""
    for stage in stages:
        if not isinstance(stage, RowStage) or stage.reads != MANIFEST or "sha256" not in stage.schema.names:
            continue
        key = stage.schema.names[0]
        own = pa.array(sorted(found.gone.get(key, ())), pa.string())
        bytes_ = set[str]()
        for shard in iter_tables(run, stage.writes, [key, "sha256"]) if len(own) else ():
            bytes_.update(shard.filter(pc.is_in(shard[key], value_set=own))["sha256"].to_pylist())
        same = pa.array(sorted(bytes_), pa.string())
        for shard in iter_tables(run, stage.writes, [key, "sha256"]) if bytes_ else ():
            copies = set(shard.filter(pc.is_in(shard["sha256"], value_set=same))[key].to_pylist())
            found.copies += len(copies - found.gone[key])
            found.add(key, copies)


def _follow(run: str, table: str, found: Found) -> None:
    """Add the keys of the table's rows that go, and the files that they name."""
    sets = as_sets(found.gone)
    for schema, rows in _ids(run, table):
        lost = rows.filter(rows_gone(rows, sets))
        if not len(lost):
            continue
        found.rows[table] = found.rows.get(table, 0) + len(lost)
        found.shards[table] = found.shards.get(table, 0) + 1
        kind = key_kind(schema)
        if kind is not None:
            found.add(kind, set(lost[schema.names[0]].to_pylist()))
        if table == MANIFEST and "url" in lost.column_names:
            found.add("url", set(lost["url"].to_pylist()))
        found.files |= _named(lost)


def _keep_shared_files(run: str, tables: Sequence[str], found: Found) -> None:
    """Of the files those stay that a row names which stays."""
    sets = as_sets(found.gone)
    for table in tables if found.files else ():
        for _, rows in _ids(run, table):
            if file_columns(rows.schema):
                found.files -= _named(rows.filter(pc.invert(rows_gone(rows, sets))))


def _named(rows: pa.Table) -> set[str]:
    return {name for column in file_columns(rows.schema) for name in rows[column].drop_null().to_pylist()}


def _ids(run: str, table: str) -> Iterator[tuple[pa.Schema, pa.Table]]:
    """Of each shard of a table its schema, and its columns that are ids or name files; none of a table without ids."""
    for name in shard_names(run, table):
        path = shard_path(run, table, name)
        with open_arrow(path) as file:
            shard = pq.ParquetFile(file)
            schema = shard.schema_arrow
            if found := kinds(schema):
                yield schema, shard.read([*found, *file_columns(schema)])


def _schema(path: str) -> pa.Schema:
    with open_arrow(path) as file:
        return pq.ParquetFile(file).schema_arrow


def item_kind(run: str, stage: Stage) -> str | None:
    """What the items of a stage are, the kind of the key of the table whose rows they are; None without that table."""
    table = stage.reads if isinstance(stage, RowStage) else stage.reads[0]
    names = shard_names(run, table)
    return key_kind(_schema(shard_path(run, table, names[0]))) if names else None
