"""Choosing rows: each chosen row comes once, in the table's order, with its identity."""

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from beam_pipelines.errors import ConfigError
from beam_pipelines.exporting import chosen as module
from beam_pipelines.exporting.chosen import Chosen, batches, chosen
from tests.small_run import IDENTITIES, KEPT, SPLITS, write_small_run
from transforms.tables.shards import shard_path, write_shard


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    made = str(tmp_path_factory.mktemp("chosen") / "run")
    write_small_run(made, with_bundle=False)
    return made


def as_dict(some: Chosen) -> dict[str, int | None]:
    return dict(zip(some.keys.to_pylist(), some.identity.to_pylist(), strict=True))


@pytest.mark.parametrize(("key", "form"), [("face_id", "i{}-b0-f0"), ("body_id", "i{}-b0"), ("image_id", "i{}")])
def test_kept_identities_and_splits_by_any_key(run, key, form):
    assert as_dict(chosen(run, key, None)) == {form.format(number): IDENTITIES[number] for number in KEPT}
    for split, numbers in SPLITS.items():
        assert as_dict(chosen(run, key, split)) == {form.format(number): IDENTITIES[number] for number in numbers}


def test_a_split_that_is_not_there_is_named_with_those_that_are(run):
    with pytest.raises(ConfigError, match="--split tests: nobody is in such a split; this run has nobodys, testing"):
        chosen(run, "face_id", "tests")


def test_a_run_without_identities_has_none_and_no_splits(tmp_path):
    assert chosen(str(tmp_path), "face_id", None) is None
    with pytest.raises(ConfigError, match="this run has none"):
        chosen(str(tmp_path), "face_id", "testing")


def test_a_row_that_is_not_there_is_an_error_that_says_how_to_mend_it(run):
    some = Chosen(pa.array(["i99-b0-f0"], pa.large_string()), pa.array([0]))
    with pytest.raises(ConfigError, match="the table faces has no row for 1 of the kept faces"):
        list(batches(run, "faces", "face_id", some))


@settings(max_examples=15)
@given(
    shards=st.lists(st.lists(st.integers(0, 99), max_size=9), max_size=4).filter(lambda some: any(some)),
    at_once=st.integers(1, 5),
    data=st.data(),
)
def test_all_chosen_rows_come_once_in_order_with_their_identities(shards, at_once, data, tmp_path_factory):
    run = str(tmp_path_factory.mktemp("rows"))
    rows = {f"{shard}-{place}": value for shard, some in enumerate(shards) for place, value in enumerate(some)}
    for shard, some in enumerate(shards):
        keys = [f"{shard}-{place}" for place in range(len(some))]
        table = pa.table({"key": pa.array(keys, pa.string()), "value": pa.array(some, pa.int64())})
        write_shard(shard_path(run, "t", f"{shard:05d}"), table)
    keys = data.draw(st.lists(st.sampled_from(sorted(rows)), unique=True))
    people = data.draw(st.lists(st.none() | st.integers(0, 5), min_size=len(keys), max_size=len(keys)))
    who = dict(zip(keys, people, strict=True))
    some = Chosen(pa.array(keys, pa.large_string()), pa.array(people, pa.int64()))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_ROWS_AT_ONCE", at_once)
        found = [list(batches(run, "t", "key", some, everything)) for everything in (False, True)]
        plain = list(batches(run, "t", "key", None))
    listed = [
        [(row["identity"], row["key"], row["value"]) for part in one for row in part.to_pylist()] for one in found
    ]
    assert listed[0] == [(who[key], key, value) for key, value in rows.items() if key in who]
    assert listed[1] == [(who.get(key), key, value) for key, value in rows.items()]
    assert [(row["key"], row["value"]) for part in plain for row in part.to_pylist()] == list(rows.items())
    assert max((len(part) for one in (*found, plain) for part in one), default=0) <= at_once
