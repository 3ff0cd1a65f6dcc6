"""What the end of a run says of an approximate search."""

import pyarrow as pa
import pytest

from beam_pipelines.driver.record import write_record
from beam_pipelines.reports import summary
from transforms.identity.identity_stage import edge_table
from transforms.identity.knn import NO_EDGES
from transforms.tables.shards import shard_path, write_shard


@pytest.mark.parametrize(
    ("footers", "said"),
    [
        ([], None),
        ([{}], None),
        ([{"recall_wanted": "0", "recall_found": "0"}], None),
        (
            [{"recall_wanted": "1500", "recall_found": "1490"}, {"recall_wanted": "500", "recall_found": "490"}],
            "found 1,980 of 2,000 edges of a sample (99.0%)",
        ),
    ],
)
def test_the_recall_of_all_blocks(tmp_path, monkeypatch, capsys, footers, said):
    monkeypatch.setattr(summary.nothing_kept, "sentence", lambda run, record: None)
    monkeypatch.setattr(summary, "causes", lambda run, record: [])
    run = str(tmp_path)
    write_record(run, {"recipe": "webbody", "stages": {}})
    for number, footer in enumerate(footers):
        write_shard(shard_path(run, "edges", f"{number:05d}"), edge_table(pa.array([], pa.string()), NO_EDGES), footer)
    summary.show(run)
    printed = capsys.readouterr().out
    assert (said or "") in printed
    assert ("approximate" in printed) == bool(said)
