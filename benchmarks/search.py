"""How fast edges are found: exactly, by FAISS, and in cells, beside the peak of a product of matrices in the same run.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python -m benchmarks.search [FACES ...]

Generated faces (40,000 and 100,000, or the numbers given) of 512 numbers; people have 1 to 500 faces, few have many,
and their cosines lie between about .35 and .75, those of strangers around 0 +- .06. All seconds are of CPU, so that
what else the machine does changes little; they are those of all faces, but long searches are measured on some of them:
ours on 32,768 and those of FAISS on 4,096. Similarities are computed again in float64 by ours only.
"""

import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.results import report
from transforms.identity import knn, search
from transforms.identity.columns import SearchColumns
from transforms.identity.settings import EdgeSettings

DIMENSION, K, FLOOR, BLOCK = 512, 80, 0.35, 16_384
HEADINGS = ["search", "faces", "CPU s", "share of peak", "times the exact", "recall", "edges a face"]
_AT_A_TIME = 16_384


def people(count: int) -> knn.F32:
    """Unit vectors (count,512) of generated people, in no order."""
    dice = np.random.default_rng(0)
    sizes = np.minimum(np.ceil(2 * dice.pareto(1.1, count)), 500).astype(int)
    person = np.repeat(np.arange(count), sizes)[:count]
    spread = ((1 + np.arange(DIMENSION) / 40) ** -0.5).astype(np.float32)
    vectors = (dice.normal(size=(person[-1] + 1, DIMENSION)).astype(np.float32) * spread)[person]
    noise = dice.uniform(0.6, 1.2, person[-1] + 1).astype(np.float32)[person]
    for at in range(0, count, _AT_A_TIME):
        some = vectors[at : at + _AT_A_TIME]
        some += noise[at : at + _AT_A_TIME, None] * spread * dice.normal(size=some.shape).astype(np.float32)
    return knn.unit(vectors[dice.permutation(count)])


def peak(units: knn.F32) -> float:
    """FLOP/s of CPU of a product of 1,024 x 8,192 rows."""
    out = np.empty((1024, 8192), np.float32)
    seconds = min(cpu(lambda: np.matmul(units[:1024], units[-8192:].T, out=out))[0] for _ in range(10))
    return 2 * out.size * DIMENSION / seconds


def cpu(work: Callable[[], Any]) -> tuple[float, Any]:
    """CPU seconds of this process, and what the work gave."""
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def search_with(units: knn.F32, how: str, part: int) -> tuple[float, float, knn.Edges]:
    """CPU seconds that getting ready and searching all faces take, and the edges of the first `part` of them."""
    faces = SearchColumns(pa.array([]), units, knn.one_group(len(units)))
    chosen = EdgeSettings(k=K, min_similarity=FLOOR, search=how)  # type: ignore[arg-type]
    ready_in, ready = cpu(lambda: search.prepare(faces, chosen))
    starts = range(0, part, BLOCK)
    seconds, found = cpu(lambda: [search.search_block(ready, at, min(at + BLOCK, part)) for at in starts])
    return ready_in, seconds * len(units) / part, knn.concatenate(found)


def recall(units: knn.F32, edges: knn.Edges, part: int) -> float:
    """The share of the edges of about 1,000 of the first `part` faces, each to its nearest, that were found."""
    names = edges.first.astype(np.int64) << 32 | edges.second
    wanted = found = 0
    for at in range(0, part - 63, part // 16):
        exact = knn.block_edges(units, knn.one_group(len(units)), at, at + 64, K, FLOOR)
        wanted += len(exact)
        found += int(np.isin(exact.first.astype(np.int64) << 32 | exact.second, names).sum())
    return found / wanted


def by_faiss(units: knn.F32, part: int) -> float:
    """CPU seconds that `faiss.knn` takes for all faces, measured on the first `part`."""
    import faiss

    faiss.omp_set_num_threads(1)
    seconds, _ = cpu(lambda: faiss.knn(units[:part], units, K, metric=faiss.METRIC_INNER_PRODUCT))
    return seconds * len(units) / part


def by_ivf(units: knn.F32, part: int) -> tuple[float, float]:
    """CPU seconds that FAISS's IVF takes, as usual: 4 sqrt(N) cells, 16 looked at; and its recall."""
    import faiss

    count = len(units)
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(DIMENSION), DIMENSION, int(4 * count**0.5), faiss.METRIC_INNER_PRODUCT)
    index.cp.max_points_per_centroid = 64
    index.nprobe = 16
    ready_in, _ = cpu(lambda: (index.train(units), index.add(units)))
    seconds, (cosines, others) = cpu(lambda: index.search(units[:part], K + 1))
    query, column = np.nonzero((cosines >= FLOOR) & (others != np.arange(part)[:, None]))
    edges = knn.edges_of(query, others[query, column], cosines[query, column])
    return ready_in + seconds * count / part, recall(units, edges, part)


def compare(count: int) -> list[list[str | float]]:
    """The rows of the table for so many faces."""
    units = people(count)
    part = min(count, 2 * BLOCK)
    before = peak(units)
    _, exact, edges = search_with(units, "exact", part)
    product = 2 * count**2 * DIMENSION / max(before, peak(units))
    rows: list[list[str | float]] = [["product alone", product, 1.0, product / exact, "", ""]]
    rows.append(["exact", exact, product / exact, 1.0, 1.0, len(edges) / part])
    with_faiss = by_faiss(units, 4096)
    rows.append(["faiss.knn", with_faiss, product / with_faiss, with_faiss / exact, 1.0, ""])
    search.CELLS_PAY_FROM = 0  # cells for few faces too
    ready, cells, edges = search_with(units, "approximate", part)
    rows.append(["approximate: to get ready", ready, "", ready / exact, "", ""])
    rows.append(
        ["approximate: all", ready + cells, "", (ready + cells) / exact, recall(units, edges, part), len(edges) / part]
    )
    ivf, found = by_ivf(units, 4096)
    rows.append(["FAISS IVF", ivf, "", ivf / exact, found, ""])
    return [[row[0], f"{count:,}", *row[1:]] for row in rows]


def main() -> None:
    """Measure and print."""
    rows = [row for count in [int(given) for given in sys.argv[1:]] or [40_000, 100_000] for row in compare(count)]
    gigabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    heading = f"search: k = {K}, cosine >= {FLOOR}, {DIMENSION} numbers a face; {gigabytes:.1f} GB of memory at most"
    report("search", heading, HEADINGS, rows)


if __name__ == "__main__":
    main()
