import hashlib
import tracemalloc

import apache_beam as beam
import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from transforms.fetch.deduplicate_stage import compare, drop_duplicates, duplicates, read_images
from transforms.tables import ledger
from transforms.tables.ledger import read_ledger, tally, write_ledger
from transforms.tables.shards import read_column, shard_names, shard_path, write_shard


def write_images(run: str, name: str, images: dict[str, str]) -> None:
    """A shard of images: id -> content."""
    hashes = [hashlib.sha256(content.encode()).hexdigest() for content in images.values()]
    write_shard(shard_path(run, "images", name), pa.table({"image_id": list(images), "sha256": hashes}))


def test_no_images_have_no_duplicates(folder):
    compare(folder)
    assert read_column(folder, "duplicates", ["image_id"]).num_rows == 0
    assert tally(folder, "deduplicate").items == 0


def test_the_first_of_equals_stays_in_whatever_shard_it_is(folder):
    write_images(folder, "000000", {"a": "x", "b": "y", "c": "x"})
    write_images(folder, "000001", {"d": "z", "e": "y", "f": "x"})
    compare(folder)
    table = read_column(folder, "duplicates", ["image_id", "original_id"])
    assert list(zip(*table.to_pydict().values(), strict=True)) == [("c", "a"), ("e", "b"), ("f", "a")]
    told = {
        row["item_id"]: row["detail"] or row["state"]
        for _, shard in read_ledger(folder, "deduplicate")
        for row in shard.to_pylist()
    }
    assert told == {"a": "kept", "b": "kept", "c": "as a", "d": "kept", "e": "as b", "f": "as a"}
    assert tally(folder, "deduplicate").by_reason == {"duplicate_content": 3, "kept": 3}


def test_what_stayed_before_stays_whatever_comes_in(folder):
    write_images(folder, "000000", {"a": "x"})
    write_images(folder, "r0001-download-00000", {"retried": "y"})
    compare(folder)
    write_images(folder, "000001", {"new": "y", "other": "z", "b": "x"})  # sorts before the retry
    compare(folder)
    table = read_column(folder, "duplicates", ["image_id", "original_id"])
    assert list(zip(*table.to_pydict().values(), strict=True)) == [("new", "retried"), ("b", "a")]
    assert tally(folder, "deduplicate").by_reason == {"duplicate_content": 2, "kept": 3}
    again = read_column(folder, "duplicates", ["image_id", "original_id"])
    compare(folder)
    assert read_column(folder, "duplicates", ["image_id", "original_id"]) == again


def test_the_ledger_is_cut_and_replaces_what_it_was(folder, monkeypatch):
    monkeypatch.setattr(ledger, "SHARD_ROWS", 2)
    for name in ("00000", "00007"):
        write_ledger(folder, "deduplicate", name, [])
    write_images(folder, "000000", {"a": "x", "b": "y", "c": "x"})
    compare(folder)
    assert shard_names(folder, "ledger/deduplicate") == ["00000", "00001"]
    assert tally(folder, "deduplicate").items == 3


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3))))
def test_duplicates_are_those_of_a_plain_search(pairs):
    hashes = np.array(pairs, np.uint64).reshape(-1, 2) + np.uint64(1)
    expected = {row: pairs.index(pair) for row, pair in enumerate(pairs) if pair in pairs[:row]}
    assert duplicates(hashes) == expected


def test_an_image_takes_little_memory(tmp_path, monkeypatch):
    """Its id and two hashes of 16 bytes, of which one is for sorting; no Python objects that stay."""
    monkeypatch.setattr(ledger, "SHARD_ROWS", 1000)
    count, part = 50_000, 10_000
    for start in range(0, count, part):
        write_images(str(tmp_path), f"{start:06d}", {f"{i:020d}": f"{i}" for i in range(start, start + part)})
    arrow = pa.total_allocated_bytes()
    image_id, _ = read_images(str(tmp_path))
    arrow = pa.total_allocated_bytes() - arrow
    assert len(image_id) == count
    tracemalloc.start()
    compare(str(tmp_path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (arrow + peak) / count <= 80


def test_it_is_a_step_of_a_pipeline(tmp_path):
    write_images(str(tmp_path), "000000", {"a": "x", "b": "x"})
    with beam.Pipeline() as pipeline:
        _ = pipeline | drop_duplicates().transform(str(tmp_path))
    assert read_column(str(tmp_path), "duplicates", ["image_id"])["image_id"].to_pylist() == ["b"]
