"""The parts of `benchmarks.methods`, each of which is a process: thresholds, the search for edges, and each method."""

import json
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.clusterers import PEERS, Clusterer, Graph, ours
from benchmarks.face_sets import FaceSet, load, pair_sample
from transforms.evaluation.agreement import measure
from transforms.identity import search
from transforms.identity.calibration import TooLittleEvidence, calibrate
from transforms.identity.columns import SearchColumns
from transforms.identity.estimate import estimate
from transforms.identity.evidence import Evidence, pictures_show
from transforms.identity.evidence_settings import EvidenceSettings
from transforms.identity.knn import I64, Edges, concatenate, one_group, pair_similarity
from transforms.identity.pair_counts import count_pairs
from transforms.identity.settings import EdgeSettings

K, BLOCK = 64, 16_384
PICTURES = "average, pictures"  # average linkage that goes by who is seen together
_COARSE, _REFINED = 8, 3  # links that are tried, and how often the step between them is halved around the best
_PAIRS = 400_000  # that are drawn of one person, and of two
_TO_GB = 2**30 if sys.platform == "darwin" else 2**20
_EDGES = ("first", "second", "similarity")

Told = dict[str, Any]


def thresholds(faces: FaceSet) -> Told:
    """The links found without labels, and the links to try.

    Edges end where 10 k different people are as near to a face: of those the k nearest say nothing of who is who.
    """
    units = np.asarray(faces.vectors)
    begin = time.process_time()
    counted = count_pairs(units)
    told: Told = {"groups": None, "links": None}
    for rule in ("groups", "links"):
        try:
            found = calibrate(units, rule=rule, counted=counted)  # type: ignore[arg-type]
            told |= {rule: found.link, f"{rule} certain": found.certain}
        except TooLittleEvidence as error:
            told[f"{rule} certain"] = str(error)
    told["seconds"] = time.process_time() - begin
    different, same = (pair_similarity(units, *pair_sample(faces.person, same, _PAIRS)) for same in (False, True))
    told |= {"floor": float(np.quantile(different, 1 - 10 * K / len(units))), "most": float(np.quantile(same, 0.75))}
    (faces.home / "thresholds.json").write_text(json.dumps(told))
    return told


def find_edges(faces: FaceSet) -> Told:
    """The edges, found as `search: auto` does it, and the share of the edges of some faces that are there."""
    count = len(faces.person)
    settings = EdgeSettings(k=K, min_similarity=_thresholds(faces)["floor"])
    begin = time.process_time()
    ready = search.prepare(SearchColumns(pa.array([]), np.array(faces.vectors), one_group(count)), settings)
    prepared = time.process_time() - begin
    parts, recalls = [], []
    for at in range(0, count, BLOCK):
        parts.append(search.search_block(ready, at, min(at + BLOCK, count)))
        recalls.append(search.recall_of(ready, parts[-1], at, min(at + BLOCK, count)))
    seconds = time.process_time() - begin
    edges = concatenate(parts)  # a pair may be found from both its faces
    for name in _EDGES:
        np.save(faces.home / f"{name}.npy", getattr(edges, name))
    wanted, found = sum(recall.wanted for recall in recalls), sum(recall.found for recall in recalls)
    told = {"seconds": seconds, "prepared": prepared, "edges": len(edges) / count}
    return told | {"recall": found / wanted if wanted else 1.0}


def source_labels(faces: FaceSet) -> Told:
    """How well the labels of the source agree with who is shown."""
    return {"best": _agreement(faces, faces.label), "link": None}


def cluster(method: str, faces: FaceSet) -> Told:
    """A method at its best link; one of ours at the link found without labels too, and what pictures say of that."""
    edges = Edges(*(np.load(faces.home / f"{name}.npy") for name in _EDGES))
    graph, found = Graph(faces.vectors, edges), _thresholds(faces)
    auto = found["links" if method in ("connected", "dbscan") else "groups"]
    shown = None if auto is None or method in PEERS else _shown(faces, graph, auto)
    run = _clusterer(method, shown)
    told = _at_best(faces, graph, run, found["floor"], found["most"])
    if shown is None:
        return told
    begin = time.process_time()
    labels = run(graph, auto)
    told |= {"seconds": time.process_time() - begin, "auto link": auto, "auto": _agreement(faces, labels)}
    told["precision"] = measure(faces.person, labels).pairwise.precision
    if method != PICTURES:  # what goes by the pictures cannot be judged by them
        by_pictures = estimate(shown.scenes(), labels)
        told |= {"estimated": by_pictures.precision, "at least": by_pictures.at_least}
    return told


def _clusterer(method: str, shown: Evidence | None) -> Clusterer:
    if method in PEERS:
        return PEERS[method]()
    name, evidence = ("average", shown) if method == PICTURES else (method, None)
    return lambda graph, link: ours(name, graph, link, evidence)


def _at_best(faces: FaceSet, graph: Graph, run: Clusterer, low: float, high: float) -> Told:
    """The best of some links, by pairwise F, and the CPU seconds of the slowest clustering."""
    tried: dict[float, tuple[tuple[float, float], float]] = {}

    def try_links(links: Iterator[float]) -> None:
        for link in links:
            begin = time.process_time()
            labels = run(graph, link)
            tried[link] = _agreement(faces, labels), time.process_time() - begin

    step = (high - low) / (_COARSE - 1)
    try_links(low + i * step for i in range(_COARSE))
    for _ in range(_REFINED):
        best, step = max(tried, key=lambda link: tried[link][0]), step / 2
        try_links(link for link in (best - step, best + step) if low <= link < 1)
    best = max(tried, key=lambda link: tried[link][0])
    return {"link": best, "best": tried[best][0], "seconds": max(seconds for _, seconds in tried.values())}


def _agreement(faces: FaceSet, labels: I64) -> tuple[float, float]:
    """Pairwise F and BCubed F."""
    found = measure(faces.person, labels)
    return found.pairwise.f1, found.bcubed.f1


def _shown(faces: FaceSet, graph: Graph, link: float) -> Evidence:
    none, settings = np.zeros(0, np.int64), EvidenceSettings(pictures=True, copy_similarity=0.99)
    return pictures_show(faces.image, None, graph.vectors, graph.edges, settings, link, (none, none))


def _thresholds(faces: FaceSet) -> Told:
    read: Told = json.loads((faces.home / "thresholds.json").read_text())
    return read


def main() -> None:
    """Do the part that is named first of the set in the folder named second, and print what is told of it as JSON."""
    part, faces = sys.argv[1], load(Path(sys.argv[2]))
    parts = {"thresholds": thresholds, "edges": find_edges, "labels": source_labels}
    told = parts[part](faces) if part in parts else cluster(part, faces)
    print(json.dumps(told | {"GB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _TO_GB}))


if __name__ == "__main__":
    main()
