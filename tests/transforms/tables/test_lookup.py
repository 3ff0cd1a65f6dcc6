import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.transforms.bundle.synthetic_run import body_row, write_rows
from transforms.identity.splits_stage import qualifying_bodies
from transforms.tables import lookup
from transforms.tables.lookup import places, rows_of
from transforms.tables.pointers import locate


def text(keys: list[str]) -> pa.Array:
    return pa.array(keys, pa.large_string())


CASES = [
    ([], [], []),
    ([], [["a"]], []),
    (["a"], [], [-1]),
    (["a"], [[], ["a"]], [0]),
    (["c", "a", "x", "c"], [["a", "b"], ["c"]], [2, 0, -1, 2]),
    (["a", "b"], [["b", "a", "a"], ["b", "a"]], [1, 0]),
]


@pytest.mark.parametrize("at_once", [1, 2, 1 << 20])
@pytest.mark.parametrize(("wanted", "parts", "expected"), CASES)
def test_each_key_is_found_where_it_stands_first(wanted, parts, expected, at_once, monkeypatch):
    monkeypatch.setattr(lookup, "LEAST_AT_ONCE", at_once)
    assert places(text(wanted), map(text, parts)).tolist() == expected


@given(st.lists(st.sampled_from("abcdefgh")), st.lists(st.lists(st.sampled_from("abcdef"), max_size=4)))
def test_places_are_those_of_a_plain_search(wanted, parts):
    keys = [key for part in parts for key in part]
    expected = [keys.index(key) if key in keys else -1 for key in wanted]
    assert places(text(wanted), map(text, parts)).tolist() == expected


@pytest.mark.parametrize("at_once", [1, 3, 1 << 20])
@given(st.sets(st.sampled_from("abcdefgh")), st.lists(st.lists(st.none() | st.sampled_from("abcdef"), max_size=4)))
def test_rows_are_those_of_a_plain_search(at_once, wanted, parts):
    names = sorted(wanted)
    tables, rows = [], []
    for part in parts:
        numbers = range(len(rows), len(rows) + len(part))
        tables.append(pa.table({"key": pa.array(part, pa.string()), "row": pa.array(numbers, pa.int64())}))
        rows += part
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(lookup, "LEAST_AT_ONCE", at_once)
        some = [(place.tolist(), table["row"].to_pylist()) for place, table in rows_of(text(names), tables, "key")]
    found = [pair for places_, numbers in some for pair in zip(places_, numbers, strict=True)]
    assert found == [(names.index(key), row) for row, key in enumerate(rows) if key in wanted]


@pytest.fixture
def searched(monkeypatch) -> list[int]:
    """The keys that each search took, on both sides."""
    counts: list[int] = []
    index_in = pc.index_in

    def watched(values, value_set):
        counts.append(len(values) + len(value_set))
        return index_in(values, value_set=value_set)

    monkeypatch.setattr(pc, "index_in", watched)
    return counts


@pytest.mark.parametrize(
    "search",
    [
        lambda run, wanted: locate(run, "bodies", "body_id", wanted),
        lambda run, wanted: qualifying_bodies(run, wanted, 0.5),
    ],
)
def test_a_table_of_many_shards_is_searched_in_linear_time(tmp_path, search, searched, monkeypatch):
    monkeypatch.setattr(lookup, "LEAST_AT_ONCE", 8)
    shards, rows = 50, 8
    for shard in range(shards):
        numbers = range(shard * rows, shard * rows + rows)
        write_rows(str(tmp_path), "bodies", f"{shard:06d}", [body_row(n, b"crop", 4, 4) for n in numbers])
    search(str(tmp_path), text([f"i{n}-b0" for n in range(shards * rows)]))
    assert sum(searched) <= 6 * shards * rows
