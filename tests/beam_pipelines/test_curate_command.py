"""`manyfaces curate` as it is typed: on a run's folder with each criterion, and with what cannot be done."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

import manyfaces
from beam_pipelines import cli
from tests.curation_tables import tracks, write_tracks
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import iter_rows, read_column, shard_names, shard_path, write_rows
from transforms.tables.track_rows import LeftOutTrack, Track
from transforms.tables.trackverse_files import read_tracks
from transforms.tables.video_rows import LeftOut

pytestmark = pytest.mark.jobs
SCRIPT = "<script>alert(1)</script>"
NAMES = {"class 0": "class 0", "class 1": SCRIPT, "class 2": f"{SCRIPT}\0"}
ROWS = [
    replace(row, class_name=NAMES[row.class_name], top_names=[NAMES[row.class_name], "other"])
    for row in tracks(90, videos=4, classes=3)
]
TWINS = [row.track_id for row in ROWS[::6]]
COMMANDS = {
    "random": "--num-samples 20",
    "video_balanced": "--num-samples-per-video 3 --num-samples 10",
    "class_balanced": "--num-samples-per-class 9 --min-nn-dist 1 --max-spt-iou 0.3 --iou-tbuff 5 --min-motion 0.1",
    "min_redundancy": "--num-samples-per-class 5 --max-swaps 50",
    "max_motion": "--num-samples-per-class 4",
}


def write_left_out(run, rows, shards=1):
    for number in range(shards):
        path = shard_path(run, "left_out", f"{number:05d}")
        write_rows(path, rows[number::shards], arrow_schema(type(rows[0])))


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A run's folder with features, hostile names and duplicates."""
    run = write_tracks(tmp_path_factory.mktemp("run"), ROWS)
    rows = [LeftOutTrack(one, "duplicate_track", ROWS[1].track_id) for one in [*TWINS, "of-no-shard"]]
    write_left_out(run, rows, shards=2)
    return run


def chosen(output):
    names = shard_names(str(output), "tracks")
    return [row for name in names for row in iter_rows(shard_path(str(output), "tracks", name), Track)]


def ids(output):
    return read_column(str(output), "tracks", ["track_id"])["track_id"].to_pylist()


@pytest.mark.parametrize("criterion", COMMANDS)
def test_each_criterion_writes_rows_lines_figures_and_a_page(criterion, table, tmp_path, capsys):
    output = tmp_path / "subset"
    words = ["curate", table, "--output", str(output), "--criterion", criterion, *COMMANDS[criterion].split()]
    assert cli.main([*words, "--seed", "3", "--direct_num_workers=1"]) == cli.DONE
    shown = capsys.readouterr().out
    record = json.loads((output / "curation.json").read_text(encoding="utf-8"))
    rows, own = chosen(output), {row.track_id: row for row in ROWS}
    assert 0 < len(rows) == record["after"]["tracks"]
    assert (record["settings"]["criterion"], record["settings"]["seed"]) == (criterion, 3)
    assert not {row.track_id for row in rows}.intersection(TWINS)
    assert all(np.array_equal(row.boxes, own[row.track_id].boxes) for row in rows)
    lines = list(read_tracks(str(output / "tracks.jsonl.gzip")))
    assert [(one.video_id, one.class_name) for one in lines] == [(row.video_id, row.class_name) for row in rows]
    assert gzip.decompress((output / "tracks.jsonl.gzip").read_bytes()).count(b"\n") == len(rows)
    assert f"not counted: tracks that the run left out │     {len(TWINS)} │" in shown
    assert shown.splitlines()[-4:] == [
        f"{output}/{name}" for name in ("tracks", "tracks.jsonl.gzip", "curation.json", "curation.html")
    ]
    page = (output / "curation.html").read_text(encoding="utf-8")
    assert "<script" not in page
    for name, (before, after) in record["classes"].items():
        assert after == sum(row.class_name == name for row in rows)
        escaped = name.replace("<", "&lt;").replace(">", "&gt;")
        assert f'{escaped}</bdi></td><td class="n">{before}</td><td class="n">{after}</td>' in page


@pytest.mark.parametrize("criterion", ["random", "min_redundancy"])
def test_tracks_that_the_run_left_out_might_as_well_not_be_there(criterion, table, tmp_path):
    asked = {"random": {"num_samples": 20}, "min_redundancy": {"num_samples_per_class": 5}}[criterion]
    bare = write_tracks(tmp_path / "bare", [row for row in ROWS if row.track_id not in TWINS])
    record = manyfaces.curate(table, output=str(tmp_path / "subset"), criterion=criterion, **asked)
    other = manyfaces.curate(bare, output=str(tmp_path / "other"), criterion=criterion, **asked)
    assert ids(tmp_path / "subset") == ids(tmp_path / "other")
    assert (record["before"], record["classes"]) == (other["before"], other["classes"])
    assert record["before"]["tracks"] == len(ROWS) - len(TWINS)
    assert record["left_out"]["tracks that the run left out"] == len(TWINS)


def test_a_folder_of_the_table_alone_has_nothing_left_out(table, tmp_path):
    record = manyfaces.curate(f"{table}/tracks", output=str(tmp_path / "all"), criterion="random", num_samples=999)
    assert record["after"]["tracks"] == len(ROWS)


def test_faces_that_a_run_left_out_are_no_tracks(tmp_path):
    run = write_tracks(tmp_path / "run", ROWS[:9])
    write_left_out(run, [LeftOut(row.track_id, "blurred") for row in ROWS[:9]])
    record = manyfaces.curate(run, output=str(tmp_path / "subset"), criterion="random", num_samples=99)
    assert (record["before"]["tracks"], record["after"]["tracks"]) == (9, 9)


def test_the_command_says_how_many_tracks_keep_the_constraints(table, tmp_path, capsys):
    words = ["curate", table, "--criterion=class_balanced", "--num-samples-per-class=3", "--min-nn-dist=1.9"]
    assert cli.main([*words, "--output", str(tmp_path / "subset")]) == cli.DONE
    passes = json.loads((tmp_path / "subset" / "curation.json").read_text())["passes"]
    first, *laxer, none = [one["taken"] for one in passes]
    told = f"{first} tracks keep the constraints; taken to fill up: {sum(laxer)} by laxer ones, {none} by none."
    assert told in capsys.readouterr().out


def refused(words, capsys):
    assert cli.main(["curate", *words]) == cli.UNUSABLE
    return capsys.readouterr().err


def test_what_cannot_be_done_is_one_sentence_and_leaves_nothing(table, tmp_path, capsys):
    bare = write_tracks(tmp_path / "bare", [replace(row, feature=None) for row in ROWS[:5]], 1)
    new, full = str(tmp_path / "new"), tmp_path / "full"
    full.mkdir()
    (full / "mine.txt").touch()
    random = ["--criterion=random", "--num-samples=3"]
    thin, torn = str(tmp_path / "thin.parquet"), str(tmp_path / "torn.parquet")
    pq.write_table(read_column(table, "tracks", ["track_id", "video_id"]), thin)
    Path(torn).write_bytes(Path(thin).read_bytes()[:-9])
    cases = [
        ([table, "--output", new, "--criterion=rando", "--num-samples=3"], "did you mean 'random'?"),
        ([table, "--output", new, "--criterion=random"], "needs --num-samples"),
        ([table, "--output", new, "--criterion=random", "--num-samples=0"], "--num-samples 0: Input should be greater"),
        ([table, "--output", new, *random, "--max-swaps=3"], "--max-swaps belongs to min_redundancy, not to random"),
        ([table, "--output", str(full), *random], "the folder is not empty"),
        ([str(tmp_path / "nowhere"), "--output", new, *random], "there are no tracks"),
        ([str(full), "--output", new, *random], "there are no tracks"),
        ([thin, "--output", new, *random], "it has no column shot_id, label, source and 24 more; it is no table"),
        ([torn, "--output", new, *random], "torn.parquet: it cannot be read"),
        ([bare, "--output", new, "--criterion=min_redundancy", "--num-samples-per-class=2"],
         "objects.appearance_model"),
        ([bare, "--output", new, "--criterion=class_balanced", "--num-samples-per-class=2", "--min-nn-dist=0.5"],
         "by which --min-nn-dist compares them"),
        ([table, "--output", new, *random, "--exclude-videos", str(tmp_path / "no.txt")], "--exclude-videos"),
        ([table, "--output", new, *random, "--num-sample=3"], "there is no option --num-sample; did you mean --num-sa"),
        ([table, "--output", new, *random, "--runner=Sparkrunner"], "manyfaces does not know this runner"),
    ]  # fmt: skip
    for words, sentence in cases:
        told = refused(words, capsys)
        assert sentence in told
        assert told.count("\n") == 1
        assert not Path(new).exists()
    assert [path.name for path in full.iterdir()] == ["mine.txt"]
