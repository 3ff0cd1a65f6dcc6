"""A list that has grown: its new rows become further shards, and everything that was there stays as it was."""

import json
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.removals import hashes
from transforms.fetch.lists.growth import ListChanged
from transforms.fetch.lists.image_settings import ManifestSettings
from transforms.fetch.lists.manifest import new_manifest_rows, split_manifest
from transforms.fetch.lists.video_manifest import new_video_rows, split_videos
from transforms.fetch.lists.video_settings import VideoManifestSettings
from transforms.tables.ledger import tally
from transforms.tables.removals import Removals, write_removals
from transforms.tables.shards import iter_tables, shard_names

SETTINGS = ManifestSettings(rows_per_shard=4)


def written(path, rows):
    """A CSV of rows (id, url, label); an id of None is none."""
    path.write_text("id,url,who\n" + "".join(f"{name or ''},{url},{who}\n" for name, url, who in rows))
    return str(path)


def row(number, **changed):
    cells = {"id": f"i{number}", "url": f"http://a.example/{number}", "who": "x"} | changed
    return cells["id"], cells["url"], cells["who"]


def table(run, name):
    """The rows of a table, as texts that sort."""
    return sorted(json.dumps(row) for part in iter_tables(run, name) for row in part.to_pylist())


def reasons(run):
    """What the ledger says of rows that are no items, without the numbers of rows."""
    rows = [row for part in iter_tables(run, "ledger/manifest") for row in part.to_pylist() if row["reason"]]
    return Counter((row["reason"], row["detail"]) for row in rows)


def balance(run):
    """The counts of the ledger, which agree with the table."""
    counts = tally(run, "manifest")
    assert counts.rows == counts.count("kept") == len(table(run, "manifest"))
    entries = [row["item_id"] for part in iter_tables(run, "ledger/manifest") for row in part.to_pylist()]
    assert len(entries) == len(set(entries)) == counts.items
    return counts.by_reason


@pytest.mark.parametrize("where", ["behind", "before", "between"])
def test_new_rows_are_further_shards_wherever_they_stand(tmp_path, where):
    run, old, new = str(tmp_path / "run"), [row(n) for n in range(6)], [row(n) for n in range(6, 12)]
    path = written(tmp_path / "m.csv", old)
    split_manifest(path, run, SETTINGS)
    before = hashes(run)
    both = {"behind": old + new, "before": new + old, "between": old[:3] + new + old[3:]}[where]
    written(tmp_path / "m.csv", both)
    assert new_manifest_rows(path, run, SETTINGS) == 6
    assert hashes(run) == before
    assert split_manifest(path, run, SETTINGS).kept == 12
    after = hashes(run)
    assert {name: after[name] for name in before} == before
    assert shard_names(run, "manifest") == ["000000", "000001", "000002", "000003"]
    split_manifest(path, str(tmp_path / "whole"), SETTINGS)
    assert table(run, "manifest") == table(str(tmp_path / "whole"), "manifest")
    assert balance(run) == {"kept": 12}
    assert new_manifest_rows(path, run, SETTINGS) == 0
    split_manifest(path, run, SETTINGS)
    assert hashes(run) == after


NUMBERS = st.integers(0, 9)
ROWS = st.lists(
    st.one_of(
        st.builds(lambda n: row(n), NUMBERS),
        st.builds(lambda n: row(n, id=None), NUMBERS),
        st.builds(lambda n: row(n, url=""), NUMBERS),
        st.builds(lambda n, m: row(n, url=f"http://a.example/{m}"), NUMBERS, NUMBERS),
    ),
    max_size=24,
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS, cuts=st.lists(st.integers(0, 24), max_size=3), size=st.integers(1, 5))
def test_grown_in_steps_is_the_whole_list(tmp_path_factory, rows, cuts, size):
    folder = tmp_path_factory.mktemp("grown")
    run, whole, chosen = str(folder / "run"), str(folder / "whole"), ManifestSettings(rows_per_shard=size)
    for cut in [*sorted(cuts), len(rows)]:
        split_manifest(written(folder / "m.csv", rows[:cut]), run, chosen)
    split_manifest(str(folder / "m.csv"), whole, chosen)
    assert table(run, "manifest") == table(whole, "manifest")
    assert reasons(run) == reasons(whole)
    assert balance(run) == balance(whole)


def test_rows_that_are_no_items_are_counted_once(tmp_path):
    run = str(tmp_path / "run")
    odd = [row(1), row(1), row(2, id="i1"), ("x", "", ""), row(3), row(3, who="y")]
    path = written(tmp_path / "m.csv", odd)
    split_manifest(path, run, SETTINGS)
    expected = {"kept": 2, "duplicate_url": 2, "duplicate_id": 1, "no_url": 1}
    assert balance(run) == expected
    written(tmp_path / "m.csv", [*odd, row(1), ("y", "", "")])
    assert new_manifest_rows(path, run, SETTINGS) == 2
    split_manifest(path, run, SETTINGS)
    assert balance(run) == expected | {"duplicate_url": 3, "no_url": 2}


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([row(0)], r"the item i1 \(http://a\.example/1\) of this run is in the list no more$"),
        ([], r"the item i0 .* no more, nor are 1 more$"),
        ([row(1), row(0, who="z")], r'i0 .* not in the list as it was \(source: .*"z'),
        ([row(0), row(1, id="new")], r'i1 .* not in the list as it was \(image_id: "i1" -> "new"\)$'),
        ([row(0), row(1, url="http://b.example/1")], r'\(url: "http://a\.example/1" -> "http://b\.example/1"\)$'),
        ([row(1, id="earlier"), row(0), row(1)], r'\(image_id: "i1" -> "earlier"\)$'),  # would now be the item
    ],
)
def test_items_that_are_gone_or_changed_are_named(tmp_path, rows, words):
    run = str(tmp_path / "run")
    path = written(tmp_path / "m.csv", [row(0), row(1)])
    split_manifest(path, run, SETTINGS)
    before = hashes(run)
    written(tmp_path / "m.csv", [*rows, row(7)])
    for ask in (new_manifest_rows, split_manifest):
        with pytest.raises(ListChanged, match=words):
            ask(path, run, SETTINGS)
    assert hashes(run) == before


def removed(run, *urls):
    """Forbid these URLs, as a removal does that the run had nothing of."""
    write_removals(run, Removals().with_entry({"id": "1"}, urls))


def test_a_removed_url_in_a_new_row_is_no_item(tmp_path):
    run = str(tmp_path / "run")
    path = written(tmp_path / "m.csv", [row(0)])
    split_manifest(path, run, SETTINGS)
    removed(run, row(5)[1])
    written(tmp_path / "m.csv", [row(0), row(5), row(6)])
    split_manifest(path, run, SETTINGS)
    assert balance(run) == {"kept": 2, "removed": 1}
    assert "example/5" not in "".join(table(run, "manifest"))


@pytest.mark.parametrize(
    "lost",
    [
        ["manifest/part-000003"],
        ["ledger/manifest/part-000003"],
        ["manifest/part-000002", "ledger/manifest/part-000002"],
        ["manifest/part-000004", "ledger/manifest/part-000002", "ledger/manifest/part-000003"],
    ],
)
def test_a_killed_growth_is_finished(tmp_path, lost):
    """Whatever shards of the new part are missing: each row ends up once in the table and once in the ledger."""
    run = str(tmp_path / "run")
    path = written(tmp_path / "m.csv", [row(n) for n in range(8)])
    split_manifest(path, run, SETTINGS)
    before = hashes(run)
    rows = [*(row(n) for n in range(8)), *(row(n) for n in range(8, 20)), row(8), ("", "", "")]
    written(tmp_path / "m.csv", rows)
    split_manifest(path, run, SETTINGS)
    whole = table(run, "manifest")
    for name in lost:
        Path(run, f"{name}.parquet").unlink()
    split_manifest(path, run, SETTINGS)
    assert table(run, "manifest") == whole
    assert balance(run) == {"kept": 20, "duplicate_url": 1, "no_url": 1}
    after = hashes(run)
    assert {name: after[name] for name in before} == before


def test_a_killed_split_goes_on_with_a_list_that_has_grown(tmp_path):
    run = str(tmp_path / "run")
    path = written(tmp_path / "m.csv", [row(n) for n in range(12)])
    split_manifest(path, run, SETTINGS)
    for name in ("manifest/part-000001", "ledger/manifest/part-000002"):
        Path(run, f"{name}.parquet").unlink()
    written(tmp_path / "m.csv", [row(n) for n in range(14)])
    split_manifest(path, run, SETTINGS)
    assert balance(run) == {"kept": 14}


def test_more_files_of_a_folder_are_new_rows(tmp_path):
    folder, run = tmp_path / "list", str(tmp_path / "run")
    folder.mkdir()
    for name, numbers in (("b.parquet", [1, 2]), ("c.parquet", [2, 3]), ("a.parquet", [0, 4])):
        rows = [row(n) for n in numbers]
        pq.write_table(pa.table(dict(zip(("id", "url", "who"), map(list, zip(*rows, strict=True)), strict=True))),
                       folder / name)  # fmt: skip
        split_manifest(str(folder), run, SETTINGS)
    assert balance(run) == {"kept": 5, "duplicate_url": 1}
    assert len(shard_names(run, "manifest")) == 3


VIDEOS = VideoManifestSettings(rows_per_shard=2)


def test_lists_of_videos_grow_by_videos_not_by_spans(tmp_path):
    def clips(*pairs):
        path = tmp_path / "m.jsonl"
        path.write_text("".join(json.dumps({"clip_id": name * 11, "duration": span}) + "\n" for name, span in pairs))
        return str(path)

    run = str(tmp_path / "run")
    first = [("a", [1, 2]), ("a", [3, 4]), ("b", [0, 9])]
    split_videos(clips(*first), run, VIDEOS)
    before = hashes(run)
    path = clips(*first, ("c", [1, 2]), ("b", [0, 9]))
    assert new_video_rows(path, run, VIDEOS) == 2
    split_videos(path, run, VIDEOS)
    assert tally(run, "manifest").by_reason == {"kept": 3, "merged_spans": 2}
    assert {name: hashes(run)[name] for name in before} == before
    with pytest.raises(ListChanged, match=r"bbbbbbbbbbb.* not in the list as it was \(spans: .*5\.0, 6\.0"):
        split_videos(clips(*first, ("c", [1, 2]), ("b", [5, 6])), run, VIDEOS)
