"""`manyfaces curate` whole: what each criterion promises, whatever the order and the sharding of the rows."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import manyfaces
from beam_pipelines import cli
from tests.curation_tables import tracks, write_tracks
from tests.track_rows import track
from transforms.curation.tracks import counts
from transforms.curation.tracks.lots import lots
from transforms.curation.tracks.motion import box_motion
from transforms.tables.shards import iter_rows, read_column, shard_names, shard_path
from transforms.tables.track_rows import Track
from transforms.tables.trackverse import to_line, track_record
from transforms.tables.trackverse_files import read_tracks

pytestmark = pytest.mark.jobs
ROWS = tracks(240, videos=6, classes=5)
CASES = {
    "random": {"num_samples": 50},
    "video_balanced": {"num_samples_per_video": 7},
    "video_balanced, capped": {"num_samples_per_video": 7, "num_samples": 20},
    "class_balanced": {"num_samples_per_class": 12},
    "class_balanced, capped": {"num_samples_per_class": 12, "num_samples": 25},
    "class_balanced, constrained": {
        "num_samples_per_class": 12, "min_nn_dist": 0.9, "max_spt_iou": 0.2, "iou_tbuff": 2.0, "min_motion": 0.1,
    },
    "min_redundancy": {"num_samples_per_class": 9, "max_swaps": 40},
    "max_motion": {"num_samples": 15},
    "max_motion, by class": {"num_samples_per_class": 4},
}  # fmt: skip


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return write_tracks(tmp_path_factory.mktemp("tracks"), ROWS)


def curated(table, output, case, **more):
    return manyfaces.curate(str(table), output=str(output), criterion=case.partition(",")[0], **CASES[case], **more)


def rows_of(output):
    return [
        row
        for name in shard_names(str(output), "tracks")
        for row in iter_rows(shard_path(str(output), "tracks", name), Track)
    ]


def ids(output):
    return read_column(str(output), "tracks", ["track_id"])["track_id"].to_pylist()


def contents(output):
    files = {
        str(path.relative_to(output)): path.read_bytes() for path in sorted(Path(output).rglob("*")) if path.is_file()
    }
    record = json.loads(files.pop("curation.json"))
    return files, {key: value for key, value in record.items() if key != "tracks"}


@pytest.mark.parametrize("case", CASES)
def test_order_and_sharding_make_no_difference(case, table, tmp_path):
    curated(table, tmp_path / "one", case)
    order = np.random.default_rng(1).permutation(len(ROWS))
    other = write_tracks(tmp_path / "shuffled", [ROWS[place] for place in order], shards=7)
    curated(other, tmp_path / "other", case, beam=["--direct_num_workers=3"])
    assert contents(tmp_path / "one") == contents(tmp_path / "other")
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == [
        "curation.html", "curation.json", "tracks", "tracks.jsonl.gzip",
    ]  # fmt: skip


def by_lot(rows, seed=0):
    own = lots([row.track_id for row in rows], seed)
    return [rows[place] for place in np.argsort(own)]


def of_each(rows, key, most):
    """The first so many of each video or class."""
    seen = {}
    return [
        row
        for row in rows
        if (seen.setdefault(getattr(row, key), []).append(row) or len(seen[getattr(row, key)])) <= most
    ]


def round_robin(rows, most):
    """The best of every class, then the second of every class; the last round by lot. `rows` come best first."""
    seen, ranked = {}, []
    for row in rows:
        rank = seen[row.class_name] = seen.get(row.class_name, -1) + 1
        ranked.append((rank, int(lots([row.track_id], 0)[0]), row.track_id))
    return [one for _, _, one in sorted(ranked)[:most]]


def motion(row):
    return float(box_motion(np.array(row.times), row.boxes, np.array([len(row.times)]))[0])


PLAINLY = {
    "random": lambda: by_lot(ROWS)[:50],
    "video_balanced": lambda: of_each(by_lot(ROWS), "video_id", 7),
    "video_balanced, capped": lambda: of_each(by_lot(ROWS), "video_id", 7)[:20],
    "class_balanced": lambda: of_each(sorted(by_lot(ROWS), key=lambda row: -row.class_score), "class_name", 12),
    "max_motion": lambda: sorted(by_lot(ROWS), key=lambda row: -motion(row))[:15],
    "max_motion, by class": lambda: of_each(sorted(by_lot(ROWS), key=lambda row: -motion(row)), "class_name", 4),
}


@pytest.mark.parametrize("case", PLAINLY)
def test_the_criteria_choose_what_a_plain_program_chooses(case, table, tmp_path):
    record = curated(table, tmp_path / "subset", case)
    expected = sorted(row.track_id for row in PLAINLY[case]())
    assert sorted(ids(tmp_path / "subset")) == expected
    assert record["after"]["tracks"] == len(expected)


def test_a_total_is_shared_round_by_round(table, tmp_path):
    curated(table, tmp_path / "subset", "class_balanced, capped")
    best = of_each(sorted(by_lot(ROWS), key=lambda row: -row.class_score), "class_name", 12)
    assert sorted(ids(tmp_path / "subset")) == sorted(round_robin(best, 25))


def test_rows_and_lines_are_those_of_the_input_in_the_order_of_lots(table, tmp_path):
    record = curated(table, tmp_path / "subset", "random")
    own = {row.track_id: row for row in ROWS}
    found = rows_of(tmp_path / "subset")
    assert [row.track_id for row in found] == [row.track_id for row in by_lot(found)]
    assert all(np.array_equal(row.boxes, own[row.track_id].boxes) for row in found)
    assert all(np.array_equal(row.feature, own[row.track_id].feature) for row in found)
    read = list(read_tracks(str(tmp_path / "subset" / "tracks.jsonl.gzip")))
    assert [(row.video_id, row.times) for row in read] == [(row.video_id, row.times) for row in found]
    lines = gzip.decompress((tmp_path / "subset" / "tracks.jsonl.gzip").read_bytes()).splitlines()
    assert [json.loads(line)["yid"] for line in lines] == [row.video_id for row in found]
    classes = {row.class_name for row in found}
    assert {name: counts[1] for name, counts in record["classes"].items() if counts[1]} == {
        name: [row.class_name for row in found].count(name) for name in sorted(classes)
    }


def test_another_seed_draws_others(table, tmp_path):
    curated(table, tmp_path / "one", "random")
    curated(table, tmp_path / "two", "random", seed=1)
    assert set(ids(tmp_path / "one")) != set(ids(tmp_path / "two"))


def test_more_than_there_are_is_all_there_are(table, tmp_path):
    record = manyfaces.curate(table, output=str(tmp_path / "all"), criterion="random", num_samples=10**9)
    assert sorted(ids(tmp_path / "all")) == sorted(row.track_id for row in ROWS)
    assert any("there are no more" in note for note in record["notes"])


def test_an_empty_table_gives_an_empty_one(tmp_path):
    table = write_tracks(tmp_path / "run", [], shards=1)
    record = curated(table, tmp_path / "subset", "class_balanced")
    assert (record["before"]["tracks"], record["after"]["tracks"], ids(tmp_path / "subset")) == (0, 0, [])
    assert gzip.decompress((tmp_path / "subset" / "tracks.jsonl.gzip").read_bytes()) == b""


def test_what_is_left_out_is_said(table, tmp_path):
    changed = [
        *(replace(row, class_name="", top_names=[]) for row in ROWS[:3]),
        *(replace(row, feature=None) for row in ROWS[3:5]),
        *ROWS[5:],
        *ROWS[10:14],  # again
    ]
    (tmp_path / "verified.txt").write_text("v5/some-clip.mp4 cat\nv5\n")
    run = write_tracks(tmp_path / "run", changed)
    record = curated(run, tmp_path / "subset", "min_redundancy", exclude_videos=str(tmp_path / "verified.txt"))
    gone = [row for row in changed if row.video_id == "v5"]
    without = sum(row.feature is None for row in changed if row.video_id != "v5")
    unknown = sum(not row.class_name for row in changed if row.video_id != "v5")
    assert record["left_out"] == {
        "tracks that the run left out": 0,
        "rows of excluded videos": len(gone),
        "rows without a feature": without,
        "repeated rows": sum(row.video_id != "v5" for row in ROWS[10:14]),
        "bad lines": 0,
    }
    assert record["before"]["tracks of unknown class"] == unknown
    assert not {"v5"}.intersection(row.video_id for row in rows_of(tmp_path / "subset"))


def test_tracks_without_classes_are_in_the_table_and_said_to_have_no_line(tmp_path):
    run = write_tracks(tmp_path / "run", [replace(track(), class_name="", top_names=[]), track(number=1)], 1)
    record = manyfaces.curate(run, output=str(tmp_path / "subset"), criterion="random", num_samples=5)
    assert len(ids(tmp_path / "subset")) == 2
    assert any("1 tracks without classes" in note for note in record["notes"])


def test_files_of_lines_are_read_and_their_bad_lines_are_said(tmp_path):
    folder = tmp_path / "tracks_meta" / "v0"
    folder.mkdir(parents=True)
    for video in range(3):
        rows = [row for row in ROWS if row.video_id == f"v{video}"]
        members = [gzip.compress(to_line(track_record(row, number))) for number, row in enumerate(rows)]
        broken = gzip.compress(b'{"track_id": 1}\n') if video == 1 else b""
        (folder / f"v{video}-meta.jsonl.gzip").write_bytes(b"".join([*members, members[0], broken]))
    record = manyfaces.curate(
        str(tmp_path / "tracks_meta"),
        output=str(tmp_path / "subset"),
        criterion="video_balanced",
        num_samples_per_video=4,
    )
    assert record["before"]["tracks"] == sum(row.video_id in ("v0", "v1", "v2") for row in ROWS)
    assert (record["left_out"]["repeated rows"], record["left_out"]["bad lines"]) == (3, 1)
    assert "v1-meta.jsonl.gzip" in record["bad_lines"][0]
    videos = [row.video_id for row in rows_of(tmp_path / "subset")]
    assert sorted(videos) == ["v0"] * 4 + ["v1"] * 4 + ["v2"] * 4
    again = manyfaces.curate(
        str(tmp_path / "subset" / "tracks.jsonl.gzip"),
        output=str(tmp_path / "again"),
        criterion="random",
        num_samples=99,
    )
    assert again["after"]["tracks"] == 12
    assert sorted(ids(tmp_path / "again")) == sorted(ids(tmp_path / "subset"))


def test_a_stopped_curation_begins_anew_and_gives_the_same(table, tmp_path):
    curated(table, tmp_path / "whole", "random")
    left = tmp_path / "stopped" / "unfinished"
    left.mkdir(parents=True)
    (left / "started").touch()
    (tmp_path / "stopped" / "tracks").mkdir()
    (tmp_path / "stopped" / "tracks" / "part-99999.parquet").write_bytes(b"half")
    curated(table, tmp_path / "stopped", "random")
    assert contents(tmp_path / "whole") == contents(tmp_path / "stopped")


def test_a_runner_that_loses_tracks_is_found_out(table, tmp_path, monkeypatch, capsys):
    whole = counts.by_bucket
    monkeypatch.setattr("transforms.curation.tracks.pipeline.by_bucket", lambda *arrays: list(whole(*arrays))[1:])
    words = ["curate", table, "--criterion=random", "--num-samples=5", "--output", str(tmp_path / "subset")]
    assert cli.main(words) == cli.FAILED
    assert "the runner has lost or repeated some" in capsys.readouterr().err
