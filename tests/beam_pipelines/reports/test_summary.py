"""What the end of a run says of an approximate search, and of what cleaning cost and won."""

import pyarrow as pa
import pytest

from beam_pipelines.driver.record import write_record
from beam_pipelines.reports import summary
from transforms.identity.identity_stage import edge_table
from transforms.identity.knn import NO_EDGES
from transforms.tables.rows import CleaningStep
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import shard_path, to_table, write_shard


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


def _cleaned(run, *steps):
    columns = "stage n_subjects n_images n_faces n_dropped n_small n_seen_together n_pairs precision at_least at_most"
    blank = {"by_pictures": None, "by_pictures_at_least": None}
    rows = [CleaningStep(**blank, **dict(zip(columns.split(), step, strict=True))) for step in steps]
    write_shard(shard_path(run, "cleaning", "00000"), to_table(rows, arrow_schema(CleaningStep)))
    return {column.header: list(column.cells) for column in summary._cleaning_table(run).columns}


def test_each_rule_says_what_it_cost_and_how_many_pairs_are_right(tmp_path):
    shown = _cleaned(
        str(tmp_path),
        ("clusters", 9, 100, 100, 0, 0, None, 1000, 0.95, 0.94, 0.97),
        ("merging", 8, 90, 90, 7, 3, None, 900, 0.99, 0.98, 1.0),
        ("leakage", 8, 90, 90, 0, 0, None, 900, 0.99, 0.98, 1.0),
    )
    assert shown["lost"] == ["", "10", "0"]
    assert shown["wrong, est."] == ["50", "9", "9"]
    assert shown["right, est."] == ["95.0%", "95.0% -> 99.0%", "99.0%"]
    assert "seen together" not in shown


def test_where_nothing_can_be_told_that_is_said(tmp_path):
    shown = _cleaned(str(tmp_path), ("clusters", 1, 3, 3, 0, 0, 2, 3, None, None, None))
    assert (shown["wrong, est."], shown["right, est."], shown["seen together"]) == ([""], [""], ["2"])
    assert "too little evidence" in summary._cleaning_table(str(tmp_path)).caption


def test_the_table_of_an_earlier_version_is_shown_as_far_as_it_tells(tmp_path):
    """Its `precision` was that of pictures, of the first step alone, and it counted no pairs."""
    steps = pa.table({
        "stage": ["without_evidence", "clusters"], "n_subjects": [3, 3], "n_images": [9, 8], "n_faces": [9, 8],
        "n_dropped": [0, 0], "n_small": [0, 1], "precision": [0.9, None], "at_least": [0.8, None],
    })  # fmt: skip
    write_shard(shard_path(str(tmp_path), "cleaning", "00000"), steps)
    table = summary._cleaning_table(str(tmp_path))
    cells = {column.header: list(column.cells) for column in table.columns}
    assert cells["images"] == ["9", "8"]
    assert cells["pairs"] == cells["wrong, est."] == cells["right, est."] == ["", ""]
    assert table.caption is None
