import pickle
from fractions import Fraction

import pytest

from transforms.flow import chunks
from transforms.flow.chunks import Chunk, ReadChunks, chunk_items, count_rows
from transforms.flow.items import Item
from transforms.tables.ledger import RETRIES
from transforms.tables.rows import Body, LedgerEntry, ListedImage, Retry
from transforms.tables.schemas import arrow_schema, key_name
from transforms.tables.shards import shard_path, to_table, write_shard


@pytest.fixture
def run(folder) -> str:
    """A run whose manifest has three shards: a0 a1 a2, nothing, c0."""
    for name, ids in [("a", ["a0", "a1", "a2"]), ("b", []), ("c", ["c0"])]:
        rows = [ListedImage(item, f"http://host/{item}", None, "{}") for item in ids]
        write_shard(shard_path(folder, "manifest", name), to_table(rows, arrow_schema(ListedImage)))
    return folder


def retry(run: str, name: str, rows: list[tuple[str, str]]) -> Chunk:
    """A retry of these rows, (shard, id)."""
    listed = [Retry(item, shard, shard, "timeout") for shard, item in rows]
    write_shard(shard_path(run, RETRIES, name), to_table(listed, arrow_schema(Retry)))
    return Chunk(name, "manifest", retry=True)


def test_no_chunks_have_no_rows(run):
    assert count_rows(run, []) == 0


@pytest.mark.parametrize(("name", "ids"), [("b", []), ("a", ["a0", "a1", "a2"]), ("c", ["c0"])])
def test_a_chunk_is_a_shard(run, name, ids):
    check(run, Chunk(name, "manifest"), ids)


CASES = [
    ([], []),
    ([("a", "a2"), ("a", "a0"), ("c", "c0")], ["a0", "a2", "c0"]),
    ([("c", "c0"), ("a", "a1")], ["a1", "c0"]),
]


@pytest.mark.parametrize(("rows", "ids"), CASES)
def test_a_retry_is_the_rows_that_it_lists(run, rows, ids):
    check(run, retry(run, "r0001-x-00000", rows), ids)


def check(run: str, chunk: Chunk, ids: list[str]) -> None:
    """Its rows come in order, with shares that add up."""
    items = list(chunk_items(run, chunk, ListedImage))
    assert count_rows(run, [chunk]) == len(ids)
    assert sum(item.share for item in items) == 1
    assert {item.chunk for item in items} == {chunk.name}
    if ids:
        assert [item.row.image_id for item in items] == ids
        assert [item.order for item in items] == [(i,) for i in range(len(ids))]
    else:
        assert items == [Item(chunk.name, (), Fraction(1), None)]


def test_chunks_are_counted_together_each_footer_once(run, monkeypatch):
    again = retry(run, "r0001-x-00000", [("a", "a1")])
    asked = []
    read = chunks.read_footers
    monkeypatch.setattr(chunks, "read_footers", lambda *which: asked.append(which) or read(*which))
    assert count_rows(run, [Chunk("a", "manifest"), again, Chunk("c", "manifest")]) == 5
    assert asked == [(run, "manifest", ["a", "c"]), (run, RETRIES, [again.name])]


def test_rows_of_a_retry_that_are_gone_are_an_error_that_names_them(run):
    with pytest.raises(LookupError, match=r"manifest has 1 of 2 rows of the chunk r0001-x-00000"):
        list(chunk_items(run, retry(run, "r0001-x-00000", [("a", "a1"), ("a", "gone")]), ListedImage))


def test_a_missing_shard_is_an_error(run):
    with pytest.raises((FileNotFoundError, OSError)):
        list(chunk_items(run, Chunk("z", "manifest"), ListedImage))


@pytest.mark.parametrize(("row_type", "key"), [(ListedImage, "image_id"), (Body, "body_id"), (LedgerEntry, "item_id")])
def test_the_key_is_the_first_column(row_type, key):
    assert key_name(row_type) == key


def test_reading_works_on_another_worker(run):
    reader = pickle.loads(pickle.dumps(ReadChunks(run, ListedImage)))
    sent = pickle.loads(pickle.dumps(retry(run, "r0001-x-00000", [("a", "a1")])))
    assert [item.row.image_id for item in reader.process(sent)] == ["a1"]


def test_the_description_of_a_retry_does_not_grow_with_its_rows(run):
    few = retry(run, "r0001-x-00000", [("a", "a1")])
    many = retry(run, "r0001-x-00000", [("a", f"a{i}") for i in range(1000)])
    assert len(pickle.dumps(many)) == len(pickle.dumps(few))
