"""A run goes on with a list that has grown, or with more of its rows, and with no other one."""

from collections import Counter
from dataclasses import replace

import pytest

from beam_pipelines.driver.record import read_record
from beam_pipelines.driver.run import run
from beam_pipelines.errors import ConfigError
from tests.beam_pipelines.numbers_recipe import (
    CALLS,
    NUMBERS,
    RECIPE,
    NumbersList,
    contents,
    expected_total,
    total,
)
from transforms.fetch.lists.growth import ListChanged
from transforms.tables.files import open_binary
from transforms.tables.shards import read_column, shard_names

HALF = 15  # numbers: three whole shards


def new_numbers(manifest, folder, settings):
    """How many lines are new; the recipe's split numbers them by their places, so new ones stand at the end."""
    with open_binary(manifest) as file:
        lines = file.read().decode().split()[: settings.first_rows]
    had = read_column(folder, "manifest", ["value"])["value"].to_pylist()
    if list(map(str, had)) != lines[: len(had)]:
        raise ListChanged(f"the item n{had[0]} of this run is in the list no more")
    return len(lines) - len(had)


GROWING = replace(RECIPE, new_rows=new_numbers)


@pytest.fixture
def grown(order, tmp_path):
    """An order on half of the numbers that has been run, and the list then made whole."""

    def make(**config):
        (tmp_path / "numbers.txt").write_text("\n".join(map(str, NUMBERS[:HALF])))
        run(replace(order(**config), recipe=GROWING))
        (tmp_path / "numbers.txt").write_text("\n".join(map(str, NUMBERS)))
        CALLS.clear()
        return replace(order(**config), recipe=GROWING)

    return make


def test_only_new_rows_are_done_and_tables_of_all_are_made_anew(grown, order, capsys):
    one = grown()
    before = read_record(one.run)
    run(one)
    assert "manyfaces: the list has 16 new rows." in capsys.readouterr().err
    assert {name for stage, name in CALLS if stage == "double"} == {f"n{n}" for n in NUMBERS[HALF:]}
    assert total(one.run) == expected_total()
    run(order("whole"))
    assert contents(one.run) == contents(order("whole").run)
    after = read_record(one.run)
    assert after["fingerprints"] == before["fingerprints"]
    assert after["list"] != before["list"]
    counts = {name: {**entry, "seconds": 0} for name, entry in after["stages"].items()}
    whole = {name: {**entry, "seconds": 0} for name, entry in read_record(order("whole").run)["stages"].items()}
    assert counts == whole
    CALLS.clear()
    run(one)
    assert not CALLS


def first(order, rows, **more):
    """The order on the first rows of its list; 5 are a shard."""
    return replace(order(manifest=NumbersList(first_rows=rows)), recipe=GROWING, **more)


def test_a_try_with_the_first_rows_goes_on_with_more_and_with_all(order):
    worked = Counter()
    for rows in (5, 5, 15, None):
        one = first(order, rows)
        run(one)
        worked += CALLS
        CALLS.clear()
    assert {count for (stage, _), count in worked.items() if stage != "sum"} == {1}
    assert worked["sum", ""] == 3
    run(order("whole"))
    assert contents(one.run) == contents(order("whole").run)
    assert read_record(one.run)["config"]["manifest"]["first_rows"] is None


def test_fewer_of_the_first_rows_than_the_run_has_are_refused_or_begin_anew(order):
    for had, told in ((10, "the first 10 rows of its list"), (None, "the whole of its list")):
        run(first(order, had))
        before = read_record(first(order, 5).run)
        with pytest.raises(ConfigError, match=rf"--limit 5 \(manifest.first_rows\): this run has taken {told}; give"):
            run(first(order, 5))
        assert read_record(first(order, 5).run) == before
    run(first(order, 5, recompute=True))
    assert shard_names(first(order, 5).run, "doubles") == ["00000"]


def test_a_limit_goes_on_for_the_whole_list(grown, order):
    one = grown(most=20)
    assert len(shard_names(one.run, "halves")) == 3
    run(one)
    run(order("whole", most=20))
    assert contents(one.run) == contents(order("whole").run)


def test_recompute_of_a_later_stage_keeps_what_the_longer_list_keeps(grown):
    one = grown()
    run(replace(one, config=one.config.model_copy(update={"scale": 3}), recompute=True))
    assert total(one.run) == 3 * expected_total()
    assert {name for stage, name in CALLS if stage == "double"} == {f"n{n}" for n in NUMBERS[HALF:]}


def test_another_list_is_refused_by_name_or_begins_anew(grown, tmp_path):
    one = grown()
    before = read_record(one.run)
    (tmp_path / "numbers.txt").write_text("1 2 3")
    with pytest.raises(ConfigError, match=r"--input .*: the item n1 of this run is in the list no more; put back what"):
        run(one)
    assert read_record(one.run) == before
    run(replace(one, recompute=True))
    assert total(one.run) == 24
    assert shard_names(one.run, "doubles") == ["00000"]
