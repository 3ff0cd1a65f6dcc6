"""The stage identity: thresholds that it finds in the vectors, and what an approximate search says of itself."""

import numpy as np
import pytest

from model_handlers.models import catalogue
from tests.transforms.identity.people import people
from tests.transforms.identity.planted import (
    DIMENSION,
    WHOLE,
    embedding,
    identities,
    planted,
    run_pipeline,
    write_embeddings,
)
from transforms.evaluation.agreement import measure
from transforms.identity import search
from transforms.identity.identity_stage import FindIdentities, find_identities
from transforms.identity.search import measured_recall
from transforms.identity.settings import ClusterSettings, IdentitySettings
from transforms.identity.thresholds import of_model
from transforms.tables.shards import read_shard, shard_names, shard_path


@pytest.mark.parametrize("how", ["exact", "approximate"])
def test_an_approximate_search_says_how_much_it_found(tmp_path, monkeypatch, how):
    monkeypatch.setattr(search, "CELLS_PAY_FROM", 100)
    run = str(tmp_path)
    rows, person = planted(people=200, faces=8, labels=False)
    write_embeddings(run, rows)
    chosen = WHOLE.model_copy(update={"edges": WHOLE.edges.model_copy(update={"search": how, "block": 370})})
    sought, real = [], search.find_cells
    monkeypatch.setattr(search, "find_cells", lambda *arguments: sought.append(1) or real(*arguments))
    run_pipeline(FindIdentities(run, chosen))
    assert len(sought) == (how == "approximate")  # once for all workers
    assert not list(tmp_path.glob("cells/*"))
    recall = measured_recall(run)
    if how == "exact":
        assert (recall.wanted, recall.found) == (0, 0)
    else:
        assert recall.wanted > 500
        assert 0.97 < recall.found / recall.wanted <= 1
    found = identities(run)["identity"].fill_null(-1).to_numpy()
    result = measure(np.where(person < 0, 1000 + np.arange(len(person)), person), found)
    assert min(result.pairwise.precision, result.pairwise.recall) > 0.95


def test_no_edges_no_recall(tmp_path):
    assert measured_recall(str(tmp_path)).wanted == 0


def test_thresholds_that_are_auto_are_found_before_the_search(tmp_path):
    run = str(tmp_path)
    units, person = people([8] * 40, noise=0.5, dimension=DIMENSION)
    write_embeddings(run, [embedding(n, vector) for n, vector in enumerate(units)])
    auto = IdentitySettings(clusters=ClusterSettings(link_similarity="auto"))
    stage = find_identities(of_model(auto, catalogue.load().get("sface")))
    run_pipeline(stage.transform(run))
    told = stage.tells(run)["similarities"]
    link, edge = (told[key]["value"] for key in ("clusters.link_similarity", "edges.min_similarity"))
    similarity = np.concatenate(
        [read_shard(shard_path(run, "edges", name))["similarity"].to_numpy() for name in shard_names(run, "edges")]
    )
    assert edge <= similarity.min() < link
    found = identities(run)
    of = person[[int(face[1:6]) for face in found["face_id"].to_pylist()]]
    cluster = found["cluster"].to_pylist()
    pairs = [(a, b) for a in range(320) for b in range(a) if cluster[a] is not None and cluster[a] == cluster[b]]
    assert all(of[a] == of[b] for a, b in pairs)
    assert len(pairs) > 0.9 * 40 * 28
