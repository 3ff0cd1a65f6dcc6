"""Whatever servers do, every row of the manifest ends in one place at every stage."""

import random

import pytest

from tests.fault_server import serving
from tests.integration.runs import column, run_webbody
from transforms.tables.ledger import read_ledger, tally
from transforms.tables.reasons import reason

pytestmark = pytest.mark.integration

FAULTS = (
    "ok", "flaky/1", "flaky/9", "status/404", "status/500", "html", "nothing", "truncated", "stall-body", "drip",
    "reset",
    "reset-body", "hang-up", "short", "long", "garbage", "bad-chunk", "cut-chunk", "bad-gzip", "gzip-bomb", "endless",
    "announced-big", "robots/noai", "tdm/1", "loop", "to/http%3A%2F%2F10.0.0.1%2F", "no-location",
)  # fmt: skip
QUICK = (
    "fetch.total_timeout=2", "fetch.stall_timeout=1", "fetch.backoff=0.05", "fetch.max_backoff=0.1",
    "fetch.max_bytes=20000000", "manifest.rows_per_shard=16", "max_failed_share=1",
)  # fmt: skip


@pytest.mark.parametrize("seed", [1, 2])
def test_counts_balance_under_random_faults(site, tmp_path, seed):
    rng = random.Random(seed)
    with serving() as server:
        urls = [server.url(f"{rng.choice(FAULTS)}/{i}") for i in range(60)]
        urls += [f"http://127.0.0.1:{site.port}{row.path}" for row in rng.sample(site.rows, 6)]
        urls += [*rng.choices(urls, k=8), "", "http://", "ftp://example.com/a.jpg", "http://10.1.2.3/a.jpg"]
        rng.shuffle(urls)
        manifest = tmp_path / "list.csv"
        manifest.write_text("id,url\n" + "".join(f"n{i:03d},{url}\n" for i, url in enumerate(urls)))
        hosts = f"fetch.allow_hosts=['{server.allow}', '127.0.0.1:{site.port}']"
        run = run_webbody(manifest, tmp_path / "run", site.port, *QUICK, hosts)
    tables = [("manifest", len(urls)), ("download", len(column(run, "manifest", "image_id")))]
    tables += [("bodies", len(column(run, "images", "image_id"))), ("faces", len(column(run, "bodies", "body_id")))]
    tables += [(stage, len(column(run, "faces", "face_id"))) for stage in ("embeddings", "identity")]
    for stage, entered in tables:
        counts = tally(run, stage)
        assert counts.items == entered == sum(counts.count(state) for state in ("kept", "dropped", "failed"))
        ids = [item for _, table in read_ledger(run, stage) for item in table["item_id"].to_pylist()]
        assert len(ids) == len(set(ids)) == entered
        assert all(code == "kept" or reason(code).meaning for code in counts.by_reason)
    assert tally(run, "download").count("kept") >= 6
    assert "internal_error" not in tally(run, "download").by_reason
