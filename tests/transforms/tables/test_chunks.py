import pickle
from fractions import Fraction

import pytest

from transforms.tables.chunks import Chunk, Part, ReadChunks, chunk_items, chunk_rows, key_name
from transforms.tables.flow import Item
from transforms.tables.schemas import Body, LedgerEntry, Source, arrow_schema
from transforms.tables.shards import shard_path, to_table, write_shard


@pytest.fixture
def run(folder) -> str:
    """A run whose manifest has three shards: a0 a1 a2, nothing, c0."""
    for name, ids in [("a", ["a0", "a1", "a2"]), ("b", []), ("c", ["c0"])]:
        rows = [Source(item, f"http://host/{item}", None, "{}") for item in ids]
        write_shard(shard_path(folder, "manifest", name), to_table(rows, arrow_schema(Source)))
    return folder


def chunk(*parts: Part) -> Chunk:
    return Chunk("name", "manifest", parts)


CASES = [
    ((), []),
    ((Part("b"),), []),
    ((Part("a", frozenset()),), []),
    ((Part("a"),), ["a0", "a1", "a2"]),
    ((Part("a"), Part("b"), Part("c")), ["a0", "a1", "a2", "c0"]),
    ((Part("a", frozenset({"a2", "a0"})), Part("c", frozenset({"c0"}))), ["a0", "a2", "c0"]),
    ((Part("c"), Part("a", frozenset({"a1"}))), ["c0", "a1"]),
]


@pytest.mark.parametrize(("parts", "ids"), CASES)
def test_a_chunk_gives_its_rows_in_order_and_shares_that_add_up(run, parts, ids):
    items = list(chunk_items(run, chunk(*parts), Source))
    assert chunk_rows(run, chunk(*parts)) == len(ids)
    assert sum(item.share for item in items) == 1
    assert {item.chunk for item in items} == {"name"}
    if ids:
        assert [item.row.image_id for item in items] == ids
        assert [item.order for item in items] == [(i,) for i in range(len(ids))]
    else:
        assert items == [Item("name", (), Fraction(1), None)]


def test_rows_of_a_retry_that_are_gone_are_an_error_that_names_them(run):
    with pytest.raises(LookupError, match=r"manifest has 1 of 2 rows of the chunk name"):
        list(chunk_items(run, chunk(Part("a", frozenset({"a1", "gone"}))), Source))


def test_a_missing_shard_is_an_error(run):
    with pytest.raises((FileNotFoundError, OSError)):
        list(chunk_items(run, chunk(Part("z")), Source))


@pytest.mark.parametrize(("row_type", "key"), [(Source, "image_id"), (Body, "body_id"), (LedgerEntry, "item_id")])
def test_the_key_is_the_first_column(row_type, key):
    assert key_name(row_type) == key


def test_reading_works_on_another_worker(run):
    reader = pickle.loads(pickle.dumps(ReadChunks(run, Source)))
    sent = pickle.loads(pickle.dumps(chunk(Part("a", frozenset({"a1"})))))
    assert [item.row.image_id for item in reader.process(sent)] == ["a1"]
