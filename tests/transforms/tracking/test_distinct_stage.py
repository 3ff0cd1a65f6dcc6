"""Which tracks of a run are left out, whatever the shards; what of the clips is done again when that changes."""

import apache_beam as beam
import numpy as np
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.placed_tracks import track, write_tracks
from transforms.flow.table_steps import STEPS, Step
from transforms.tables.ledger import RETRIES, ledger_table, read_ledger, tally, write_ledger
from transforms.tables.retry import plan_retry
from transforms.tables.shards import read_column, shard_names
from transforms.tables.verdicts import verdict
from transforms.tracking import distinct_stage
from transforms.tracking.distinct_stage import DistinctSettings, find_duplicates
from transforms.tracking.overlap import duplicates

PLAIN = DistinctSettings()
NEAR = ((61, 50, 161, 150),)  # 98 % of the box of a track in tests
FAR = ((200, 50, 300, 150),)


def choose(run: str, chosen: DistinctSettings = PLAIN) -> int:
    return distinct_stage.choose(run, chosen, "clips", "clips")


def left_out(run: str) -> dict[str, str]:
    table = read_column(run, "left_out", ["track_id", "original_id", "reason"])
    assert set(table["reason"].to_pylist()) <= {"duplicate_track"}
    return dict(zip(table["track_id"].to_pylist(), table["original_id"].to_pylist(), strict=True))


@pytest.mark.parametrize("shards", [[], [[]], [[], []]])
def test_no_tracks(folder, shards):
    for number, rows in enumerate(shards):
        write_tracks(folder, f"{number:05d}", rows)
    with beam.Pipeline(runner=FnApiRunner()) as pipeline:
        _ = pipeline | find_duplicates(PLAIN, "clips", "clips").transform(folder)
    assert left_out(folder) == {}
    assert tally(folder, "distinct").items == 0


def test_tracks_of_one_video_are_compared_over_all_its_shards(folder):
    """Those of another video, and of another time, are not alike however near they are."""
    write_tracks(folder, "00000", [track(0), track(1, boxes=NEAR, numbers=range(11)), track(0, "w"), track(2)])
    write_tracks(folder, "00001", [])
    write_tracks(folder, "r0001-objects-00000", [track(3, boxes=FAR), track(0, boxes=NEAR, shot=1), track(0, "x")])
    write_tracks(folder, "r0001-objects-00001", [track(4, numbers=range(20, 30))])
    assert choose(folder, DistinctSettings(max_overlap=0.85)) == 5
    assert STEPS["distinct"] == Step("videos compared", 3, 3)
    assert left_out(folder) == dict.fromkeys(["v-s0-t0", "v-s0-t2", "v-s1-t0"], "v-s0-t1")
    assert tally(folder, "distinct").by_reason == {"kept": 5, "duplicate_track": 3}
    entries = {row["item_id"]: row for _, table in read_ledger(folder, "distinct") for row in table.to_pylist()}
    assert len(entries) == 8
    assert entries["v-s0-t2"]["detail"] == "as v-s0-t1"
    assert entries["v-s0-t1"]["state"] == "kept"
    assert tally(folder, "distinct").rows == 3


def test_the_limit(tmp_path):
    run = str(tmp_path)
    write_tracks(run, "00000", [track(0), track(1, boxes=((60, 50, 160, 148),))])
    for limit, out in ((0.98, {}), (0.97, {"v-s0-t1": "v-s0-t0"}), (1, {})):
        choose(run, DistinctSettings(max_overlap=limit))
        assert left_out(run) == out


def clips(run: str, name: str, *verdicts) -> None:
    write_ledger(run, "clips", name, [(one, int(one.state == "kept")) for one in verdicts])


def test_chunks_of_which_other_tracks_are_left_out_are_done_again(folder):
    write_tracks(folder, "00000", [track(0), track(1)])
    write_tracks(folder, "00001", [track(0, "w"), track(1, "w", boxes=FAR)])
    write_tracks(folder, "00002", [track(0, "x")])
    choose(folder)
    clips(folder, "00000", verdict("v-s0-t0", ""))
    clips(folder, "00001", verdict("w-s0-t0", ""), verdict("w-s0-t1", "out_of_memory"))
    clips(folder, "00002", verdict("x-s0-t0", "out_of_memory"))
    assert plan_retry(folder, "clips", False, 1) == 2
    retries = shard_names(folder, RETRIES)
    choose(folder)  # nothing has changed
    assert shard_names(folder, ledger_table("clips")) == ["00000", "00001", "00002"]
    assert shard_names(folder, RETRIES) == retries
    # a longer track of w turns up
    write_tracks(folder, "r0002-objects-00000", [track(2, "w", boxes=NEAR, numbers=range(20))])
    choose(folder, DistinctSettings(max_overlap=0.4))
    assert left_out(folder) == {"v-s0-t1": "v-s0-t0", "w-s0-t0": "w-s0-t2"}
    assert shard_names(folder, ledger_table("clips")) == ["00000", "00002"]
    assert shard_names(folder, RETRIES) == ["r0001-clips-00001"]  # that of x
    clips(folder, "00001", verdict("w-s0-t1", ""))
    clips(folder, "r0002-objects-00000", verdict("w-s0-t2", ""))
    choose(folder)  # it is no longer alike
    assert left_out(folder) == {"v-s0-t1": "v-s0-t0"}
    assert shard_names(folder, ledger_table("clips")) == ["00000", "00002", "r0002-objects-00000"]


def test_a_shard_is_read_some_tracks_at_a_time(tmp_path, monkeypatch):
    run = str(tmp_path)
    rows = [track(number, numbers=range(number, number + 3 + number % 4)) for number in range(7)]
    write_tracks(run, "00000", rows)
    monkeypatch.setattr(distinct_stage, "_AT_ONCE", 3)
    found = [path for _, path in distinct_stage._read(f"{run}/tracks/part-00000.parquet")]
    assert [path.track_id for path in found] == [row.track_id for row in rows]
    assert [path.times.tolist() for path in found] == [row.times for row in rows]
    assert [path.boxes.tolist() for path in found] == [row.boxes.tolist() for row in rows]


@given(seed=st.integers(0, 1000), shards=st.integers(2, 4))
@settings(max_examples=15)
def test_shards_and_order_change_nothing(tmp_path_factory, seed, shards):
    random = np.random.default_rng(seed)
    rows = [
        track(
            number,
            str(random.choice(["v", "w", "x"])),
            numbers=sorted(random.choice(20, random.integers(1, 9), replace=False).tolist()),
            boxes=((40 + 5 * random.integers(0, 3), 50, 160, 150),),
            class_score=float(random.integers(0, 2)),
        )
        for number in range(random.integers(0, 14))
    ]
    found = []
    for count in (1, shards):
        run = str(tmp_path_factory.mktemp("run"))
        shuffled = [rows[i] for i in random.permutation(len(rows))]
        for name in range(count):
            write_tracks(run, f"{name:05d}", shuffled[name::count])
        choose(run, DistinctSettings(max_overlap=0.5))
        states = {row["item_id"]: row["state"] for _, t in read_ledger(run, "distinct") for row in t.to_pylist()}
        found.append((left_out(run), states))
    assert found[0] == found[1]
    assert {track for track, state in found[0][1].items() if state == "dropped"} == set(found[0][0])


def test_a_video_is_let_go_once_it_has_been_compared(tmp_path, monkeypatch):
    """Its tracks are compared before those of a later shard are read; one with a retry waits for that."""
    run, order = str(tmp_path), []
    for number in range(3):
        write_tracks(run, f"{number:05d}", [track(0, f"v{number}"), track(1, f"v{number}")])
    write_tracks(run, "r0001-objects-00000", [track(2, "v1")])
    read = distinct_stage._read
    monkeypatch.setattr(distinct_stage, "_read", lambda path: order.append(path[-20:]) or read(path))

    def compare(tracks, limit):
        order.append((tracks[0].track_id[:2], len(tracks)))
        return duplicates(tracks, limit)

    monkeypatch.setattr(distinct_stage, "duplicates", compare)
    choose(run)
    assert [one for one in order if isinstance(one, tuple)] == [("v0", 2), ("v2", 2), ("v1", 3)]
    assert isinstance(order[0], str)
    assert order[1] == ("v0", 2)
