"""Stage identity: embeddings -> edges -> clusters -> clean identities."""

from collections.abc import Iterator
from functools import partial

import apache_beam as beam
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from apache_beam.utils import shared

from transforms.flow.stages import TableStage
from transforms.flow.table_steps import advance, begin
from transforms.identity import columns
from transforms.identity.cleaning import FaceColumns
from transforms.identity.cluster_names import mend_cluster_names
from transforms.identity.finding import cluster_and_clean, least_similarity, needs_faces, what_is_known
from transforms.identity.identity_tables import CHANGES, STAGE, write_tables
from transforms.identity.kept_cells import FOLDER as CELLS
from transforms.identity.kept_cells import forget_cells, kept_cells
from transforms.identity.knn import Edges, concatenate, edges_of, nearest_of_each
from transforms.identity.rounds import EDGES, EMBEDDINGS, Block, blocks_of, rounds_of, write_done
from transforms.identity.search import Search, most_exact, prepare, recall_of, search_block
from transforms.identity.settings import EdgeSettings, IdentitySettings
from transforms.identity.thresholds import FOLDER, Chosen, found, told
from transforms.tables.digest import file_digest, tables_digest
from transforms.tables.files import exists
from transforms.tables.rows import Edge
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import read_footer, read_shard, remove_other_shards, shard_path, write_shard

_EDGES_AT_A_TIME = 1 << 22


def find_identities(chosen: Chosen) -> TableStage:
    """The stage identity: who is who among the faces that have an embedding."""
    settings = chosen.settings
    return TableStage(
        name=STAGE,
        reads=reads(settings),
        writes=(EDGES, "identities", "label_map", "cleaning", CHANGES),
        transform=partial(FindIdentities, settings=settings),
        settings={"identity": settings, **_overrides(settings.overrides)},
        files=(FOLDER, CELLS),
        tells=partial(told, chosen=chosen),
        mend=mend_cluster_names,
    )


def reads(settings: IdentitySettings) -> tuple[str, ...]:
    """The tables that the stage reads."""
    return (EMBEDDINGS, "faces") if needs_faces(settings) else (EMBEDDINGS,)


def _overrides(path: str | None) -> dict[str, str]:
    """What the file of overrides is, so that the stage is redone when it changes."""
    if path is None:
        return {}
    return {"what identity.overrides says": file_digest(path) if exists(path) else "nothing"}


def plan_blocks(run: str, settings: IdentitySettings) -> list[Block]:
    """The blocks of the run's embeddings; thresholds that are `auto` are found first. FileNotFoundError without it."""
    begin(STAGE, "finding thresholds")
    blocks = list(blocks_of(rounds_of(run, found(run, settings).edges)))
    begin(STAGE, "blocks of faces searched", len(blocks))
    return blocks


def edge_table(faces: pa.Array, edges: Edges) -> pa.Table:
    """Edges between rows as rows of `edges`; `faces` (N,) are the face ids, ascending within each group."""
    ends = [faces.take(pa.array(rows)).cast(pa.string()) for rows in (edges.first, edges.second)]
    return pa.table([*ends, pa.array(edges.similarity)], schema=arrow_schema(Edge))


def _is_done(run: str, block: Block) -> bool:
    path = shard_path(run, EDGES, block.name)
    return exists(path) and read_footer(path)[1].get("input") == block.input


def _ready(run: str, settings: IdentitySettings, block: Block) -> Search:
    rounds = rounds_of(run, found(run, settings).edges)
    known, last = [name for one in rounds[: block.round] for name in one.names], rounds[block.round]
    edges = EdgeSettings(**last.settings)
    faces = columns.search_columns(run, edges.within_label, known, last.names)
    return prepare(faces, edges, partial(kept_cells, run, block.input))


class KeepCells(beam.DoFn):
    """Block -> the same, once the cells are kept that its search needs: all blocks go through one worker here."""

    def __init__(self, run: str, settings: IdentitySettings) -> None:
        self._run, self._settings = run, settings
        self._kept: set[str] = set()

    def process(self, block: Block) -> Iterator[Block]:
        """Find the cells, if the block is still to be searched and its run has more faces than are searched exactly."""
        if block.input not in self._kept and not _is_done(self._run, block):
            rows = sum(one.rows for one in rounds_of(self._run, found(self._run, self._settings).edges))
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
            path = shard_path(self._run, EDGES, block.name)
            write_shard(path, edge_table(search.faces.face_id, edges), {"input": block.input, **recall.footer()})
        advance(STAGE)
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
        table = read_shard(shard_path(run, EDGES, name))
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
        begin(STAGE, "reading edges")
        settings = found(self._run, self._settings)
        rounds = rounds_of(self._run, settings.edges)
        blocks = [block.name for block in blocks_of(rounds)]
        remove_other_shards(self._run, EDGES, blocks)
        write_done(self._run, rounds)
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
        if len(rounds) > 1 and settings.edges.k:
            edges = nearest_of_each(edges, settings.edges.k)
        begin(STAGE, f"clustering and cleaning {len(face_id):,} faces")
        known = what_is_known(self._run, meta, faces, edges, settings)
        cleaned, clusters = cluster_and_clean(faces, edges, settings, known)
        begin(STAGE, "writing identities")
        write_tables(self._run, meta, clusters, cleaned, tables_digest(self._run, list(reads(settings))))
        yield len(np.unique(cleaned.identity[cleaned.identity >= 0]))


class FindIdentities(beam.PTransform):
    """The stage, applied to the pipeline: reads `embeddings`, writes `edges`, `identities` and what is told of them.

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
