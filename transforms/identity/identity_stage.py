"""Stage identity: embeddings -> edges -> clusters -> clean identities."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.io.filesystems import FileSystems
from apache_beam.utils import shared

from transforms.flow.stages import TableStage
from transforms.identity import columns
from transforms.identity.cleaning import Cleaned, FaceColumns
from transforms.identity.cluster_names import mend_cluster_names
from transforms.identity.finding import cluster_and_clean, least_similarity, needs_faces, what_is_known
from transforms.identity.kept_cells import FOLDER as CELLS
from transforms.identity.kept_cells import forget_cells, kept_cells
from transforms.identity.knn import F32, I64, Edges, concatenate, edges_of
from transforms.identity.search import Search, most_exact, prepare, recall_of, search_block
from transforms.identity.settings import IdentitySettings
from transforms.identity.thresholds import FOLDER, Chosen, found, told
from transforms.tables.csv_cells import write_csv
from transforms.tables.digest import digest, file_digest, tables_digest
from transforms.tables.files import commit_file, exists
from transforms.tables.ledger import write_whole_ledger
from transforms.tables.rows import CleaningStep, Edge, Identity, LabelMapping
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import (
    read_footer,
    read_footers,
    read_shard,
    remove_other_shards,
    shard_names,
    shard_path,
    to_table,
    write_shard,
)
from transforms.tables.verdicts import verdict

STAGE = "identity"
EMBEDDINGS = "embeddings"
_EDGES_AT_A_TIME = 1 << 22
_ONLY = "00000"  # the name of a table's only shard


def find_identities(chosen: Chosen) -> TableStage:
    """The stage identity: who is who among the faces that have an embedding."""
    settings = chosen.settings
    return TableStage(
        name=STAGE,
        reads=(EMBEDDINGS, "faces") if needs_faces(settings) else (EMBEDDINGS,),
        writes=("edges", "identities", "label_map", "cleaning"),
        transform=partial(FindIdentities, settings=settings),
        settings={"identity": settings, **_overrides(settings.overrides)},
        files=(FOLDER, CELLS),
        tells=partial(told, chosen=chosen),
        mend=mend_cluster_names,
    )


def _overrides(path: str | None) -> dict[str, str]:
    """What the file of overrides is, so that the stage is redone when it changes."""
    if path is None:
        return {}
    return {"what identity.overrides says": file_digest(path) if exists(path) else "nothing"}


@dataclass(frozen=True, slots=True)
class Block:
    """The faces start..stop-1, in search order, whose edges become one shard; `input` digests what it is made from."""

    name: str
    start: int
    stop: int
    input: str


def plan_blocks(run: str, settings: IdentitySettings) -> list[Block]:
    """The blocks of the run's embeddings; thresholds that are `auto` are found first. FileNotFoundError without it."""
    names = shard_names(run, EMBEDDINGS)
    if not names:
        raise FileNotFoundError(f"the run {run} has no table embeddings; run the stages before {STAGE} first.")
    rows = sum(rows for rows, _ in read_footers(run, EMBEDDINGS, names))
    edges = found(run, settings).edges
    made_from = digest([tables_digest(run, [EMBEDDINGS]), edges.model_dump(mode="json")])
    starts = range(0, rows, edges.block)
    return [Block(f"{i:05d}", at, min(at + edges.block, rows), made_from) for i, at in enumerate(starts)]


def edge_table(faces: pa.Array, edges: Edges) -> pa.Table:
    """Edges between rows as rows of `edges`; `faces` (N,) are the face ids, ascending within each group."""
    ends = [faces.take(pa.array(rows)).cast(pa.string()) for rows in (edges.first, edges.second)]
    return pa.table([*ends, pa.array(edges.similarity)], schema=arrow_schema(Edge))


def _is_done(run: str, block: Block) -> bool:
    path = shard_path(run, "edges", block.name)
    return exists(path) and read_footer(path)[1].get("input") == block.input


def _ready(run: str, settings: IdentitySettings, block: Block) -> Search:
    edges = found(run, settings).edges
    return prepare(columns.search_columns(run, edges.within_label), edges, partial(kept_cells, run, block.input))


class KeepCells(beam.DoFn):
    """Block -> the same, once the cells are kept that its search needs: all blocks go through one worker here."""

    def __init__(self, run: str, settings: IdentitySettings) -> None:
        self._run, self._settings = run, settings
        self._kept: set[str] = set()

    def process(self, block: Block) -> Iterator[Block]:
        """Find the cells, if the block is still to be searched and its run has more faces than are searched exactly."""
        if block.input not in self._kept and not _is_done(self._run, block):
            rows = sum(rows for rows, _ in read_footers(self._run, EMBEDDINGS, shard_names(self._run, EMBEDDINGS)))
            if rows > most_exact(self._settings.edges, rows):
                _ready(self._run, self._settings, block)
            self._kept.add(block.input)
        yield block


class SearchBlock(beam.DoFn):
    """Block -> its name, once its shard of `edges` is committed; nothing is searched if it already is."""

    def __init__(self, run: str, settings: IdentitySettings) -> None:
        self._run, self._settings = run, settings
        self._handle = shared.Shared()

    def process(self, block: Block) -> Iterator[str]:
        """Search and commit."""
        if not _is_done(self._run, block):
            search = self._handle.acquire(partial(_ready, self._run, self._settings, block), tag=block.input)
            edges = search_block(search, block.start, block.stop)
            recall = recall_of(search, edges, block.start, block.stop)
            path = shard_path(self._run, "edges", block.name)
            write_shard(path, edge_table(search.faces.face_id, edges), {"input": block.input, **recall.footer()})
        yield block.name


def read_edges(run: str, names: list[str], faces: pa.Array, min_similarity: float) -> Edges:
    """The edges with at least `min_similarity` between faces (N,), sorted by id, from some shards.

    A nearest-neighbour pair may stand in two shards, when each face found the other; here it is one edge.
    """
    parts = []
    for table in _several_shards(run, names, min_similarity):
        ends = [pc.index_in(table[end].cast(pa.large_string()), value_set=faces) for end in ("face_a", "face_b")]
        if any(rows.null_count for rows in ends):
            raise ValueError(
                f"{run}: the table edges has a face that embeddings has not; delete the folder edges and run again."
            )
        first, second = (rows.to_numpy() for rows in ends)
        parts.append(edges_of(first, second, table["similarity"].to_numpy()))
    return concatenate(parts)


def _several_shards(run: str, names: list[str], min_similarity: float) -> Iterator[pa.Table]:
    """The edges with at least `min_similarity`, of several shards at a time: each look-up of ids lays out all faces."""
    held: list[pa.Table] = []
    for name in names:
        table = read_shard(shard_path(run, "edges", name))
        held.append(table.filter(pc.greater_equal(table["similarity"], pa.scalar(np.float32(min_similarity)))))
        if sum(map(len, held)) >= _EDGES_AT_A_TIME:
            yield pa.concat_tables(held)
            held = []
    if held:
        yield pa.concat_tables(held)


class WriteIdentities(beam.DoFn):
    """Any element -> the number of identities, once the tables of the stage and its ledger are committed."""

    def __init__(self, run: str, settings: IdentitySettings) -> None:
        self._run, self._settings = run, settings

    def process(self, _: int) -> Iterator[int]:
        """Read, cluster, clean, write."""
        settings = found(self._run, self._settings)
        blocks = [block.name for block in plan_blocks(self._run, self._settings)]
        remove_other_shards(self._run, "edges", blocks)
        forget_cells(self._run)
        meta = columns.sorted_by_face(
            self._run, ["face_id", "body_id", "image_id", "label", "source", "face_score", "face_px", "norm"]
        )
        vectors = columns.as_matrix(columns.sorted_by_face(self._run, ["face_id", "vector"])["vector"])
        face_id = columns.as_text(meta["face_id"])
        faces = FaceColumns(
            vectors,
            columns.as_codes(meta["label"]),
            columns.as_codes(meta["image_id"]),
            meta["face_score"].to_numpy(),
            meta["face_px"].to_numpy(),
        )
        edges = read_edges(self._run, blocks, face_id, least_similarity(settings))
        known = what_is_known(self._run, meta, faces, edges, settings)
        cleaned, clusters = cluster_and_clean(faces, edges, settings, known)
        write_tables(self._run, meta, clusters, cleaned)
        yield int(cleaned.identity.max(initial=-1)) + 1


def identity_table(meta: pa.Table, clusters: I64, identity: I64, similarity: F32, reason: Sequence[str]) -> pa.Table:
    """The rows of `identities`; meta has the embeddings' columns of the same names, in the order of the arrays.

    clusters (N,) are called by rows; -1, and NaN as a similarity, is null.
    """
    face_id = columns.as_text(meta["face_id"])
    made = {
        "cluster": face_id.take(_or_null(clusters)),
        "identity": _or_null(identity),
        "similarity": pa.array(similarity, mask=np.isnan(similarity)),
        "reason": pa.array(reason, pa.string()),
    }
    schema = arrow_schema(Identity)
    found = [made[f.name] if f.name in made else meta[f.name] for f in schema]
    return pa.table([column.cast(f.type) for column, f in zip(found, schema, strict=True)], schema=schema)


def label_map(face_id: pa.Array, clusters: I64, cleaned: Cleaned) -> pa.Table:
    """The rows of `label_map`."""
    names = np.unique(clusters[clusters >= 0])
    number = np.full(len(clusters), -1, np.int64)  # of each cluster, at the row that calls it
    kept = cleaned.identity >= 0
    number[cleaned.merged[kept]] = cleaned.identity[kept]
    into = cleaned.merged[names]
    called = [face_id.take(pa.array(rows)).cast(pa.string()) for rows in (names, into)]
    return pa.table([*called, _or_null(number[into])], schema=arrow_schema(LabelMapping))


def _or_null(numbers: I64) -> pa.Array:
    return pa.array(numbers, mask=numbers < 0)


def write_tables(run: str, meta: pa.Table, clusters: I64, cleaned: Cleaned) -> None:
    """Commit the tables of the stage, then its ledger."""
    write_shard(shard_path(run, "label_map", _ONLY), label_map(columns.as_text(meta["face_id"]), clusters, cleaned))
    steps = to_table([CleaningStep(**asdict(step)) for step in cleaned.stages], arrow_schema(CleaningStep))
    write_shard(shard_path(run, "cleaning", _ONLY), steps)
    with commit_file(FileSystems.join(run, "cleaning", "cleaning.csv")) as out:
        write_csv(steps, out)
    codes = cleaned.reason.tolist()
    rows = identity_table(meta, clusters, cleaned.identity, cleaned.similarity, codes)
    write_shard(shard_path(run, "identities", _ONLY), rows)
    write_whole_ledger(run, STAGE, meta["face_id"], lambda row, face: (verdict(face, codes[row]), 1))


class FindIdentities(beam.PTransform):
    """The stage, applied to the pipeline: reads `embeddings`, writes `edges`, `identities`, `label_map`, `cleaning`.

    Edges are found block by block on all workers; clustering and cleaning are one element behind them.
    """

    def __init__(self, run: str, settings: IdentitySettings) -> None:
        super().__init__()
        self._run, self._settings = run, settings

    def expand(self, begin: beam.pvalue.PBegin) -> beam.PCollection:
        """Only block numbers and names meet a shuffle."""
        return (
            begin
            | "Run" >> beam.Create([self._run])
            | "Plan blocks" >> beam.FlatMap(plan_blocks, self._settings)
            | "Keep cells" >> beam.ParDo(KeepCells(self._run, self._settings))
            | "Spread blocks" >> beam.Reshuffle()
            | "Find edges" >> beam.ParDo(SearchBlock(self._run, self._settings))
            | "All edges" >> beam.CombineGlobally(beam.combiners.CountCombineFn())
            | "Cluster and clean" >> beam.ParDo(WriteIdentities(self._run, self._settings))
        )
