"""The search for edges among the faces of a run, exact or in cells, and how many edges it finds in cells."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from transforms.identity.cells import Cells, cell_edges, find_cells
from transforms.identity.columns import SearchColumns
from transforms.identity.knn import I64, NO_EDGES, Edges, block_edges, concatenate, neighbour_rows
from transforms.identity.settings import EdgeSettings
from transforms.identity.similarity import number
from transforms.tables.shards import read_footers, shard_names

EXACT_FACES = 200_000  # `auto` searches exactly up to here: eight minutes of a core for vectors of 512
CELLS_PAY_FROM = 50_000  # with fewer faces `approximate` is exact too, which is as fast
_WANTED, _FOUND = "recall_wanted", "recall_found"
_RUNS, _RUN_FACES = 16, 64  # faces whose edges are searched exactly too: so many stretches of so many

Keep = Callable[[Callable[[], tuple[Cells, ...]]], tuple[Cells, ...]]


@dataclass(frozen=True, eq=False)  # without slots: shared between threads through a weak reference
class Search:
    """The faces of a run, ready to be searched.

    rows (B,): those that can be neighbours; cells: of the groups that are searched approximately, in their order.
    """

    faces: SearchColumns
    settings: EdgeSettings
    rows: I64
    cells: tuple[Cells, ...]


@dataclass(frozen=True, slots=True)
class Recall:
    """How many edges of a sample of faces there are, and how many of them were found."""

    wanted: int
    found: int

    def footer(self) -> dict[str, str]:
        """As it stands in the footer of a block's shard of `edges`."""
        return {_WANTED: str(self.wanted), _FOUND: str(self.found)}


def measured_recall(run: str) -> Recall:
    """What the blocks of an approximate search measured, added up; no edge is wanted where the search was exact."""
    footers = [footer for _, footer in read_footers(run, "edges", shard_names(run, "edges"))]
    return Recall(*(sum(int(footer.get(key, "0")) for footer in footers) for key in (_WANTED, _FOUND)))


def most_exact(settings: EdgeSettings, faces: int) -> int:
    """How many faces a group may have to be searched exactly, in a run of so many faces."""
    return {"exact": faces, "auto": EXACT_FACES, "approximate": CELLS_PAY_FROM}[settings.search]


def prepare(faces: SearchColumns, settings: EdgeSettings, keep: Keep | None = None) -> Search:
    """What every search among these faces needs; it is the same in every process.

    keep: gives the cells that are kept, or calls what it is given to find them and keeps those.
    """
    rows = neighbour_rows(faces.units, faces.bounds, settings.k)
    most = most_exact(settings, len(faces.units))
    large = [(low, high) for low, high in itertools.pairwise(faces.bounds.tolist()) if high - low > most]

    def find() -> tuple[Cells, ...]:
        return tuple(find_cells(faces.units, low, high, rows) for low, high in large)

    return Search(faces, settings, rows, keep(find) if keep and large else find())


def search_block(search: Search, start: int, stop: int) -> Edges:
    """The edges that a search for rows start..stop-1 finds; there may be fewer rows than stop."""
    settings = search.settings
    found = []
    for cells in search.cells:
        low, high = max(start, cells.low), min(stop, cells.high)
        if low < high:
            found.append(_exactly(search, start, low))
            found.append(cell_edges(search.faces.units, cells, low, high, settings.k, number(settings.min_similarity)))
            start = high
    return concatenate([*found, _exactly(search, start, stop)])


def _exactly(search: Search, start: int, stop: int) -> Edges:
    if start >= stop:
        return NO_EDGES
    faces, settings = search.faces, search.settings
    least = number(settings.min_similarity)
    return block_edges(faces.units, faces.bounds, start, stop, settings.k, least, search.rows, faces.is_new)


def recall_of(search: Search, edges: Edges, start: int, stop: int) -> Recall:
    """Of the edges of a block, rows start..stop-1: those of its sampled faces, searched exactly, that are among them.

    A little too low: what only the search from an edge's other end finds may be in another block.
    """
    names = _names(edges)
    wanted = found = 0
    for low, high in _sampled(search, start, stop):
        exact = _names(_exactly(search, low, high))
        wanted += len(exact)
        found += int(np.isin(exact, names).sum())
    return Recall(wanted, found)


def _sampled(search: Search, start: int, stop: int) -> Iterator[tuple[int, int]]:
    for cells in search.cells:
        for middle in np.linspace(cells.low, cells.high, 2 * _RUNS + 1).astype(int)[1::2].tolist():
            low, high = max(start, cells.low, middle - _RUN_FACES // 2), min(stop, cells.high, middle + _RUN_FACES // 2)
            if low < high:
                yield low, high


def _names(edges: Edges) -> I64:
    """One number (M,) for each pair."""
    return edges.first.astype(np.int64) << 32 | edges.second
