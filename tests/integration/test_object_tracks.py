"""The recipe object_tracks from a list of videos to tracks, clips and files, with real models of the CPU profile."""

import gzip
import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from beam_pipelines import config as configuration
from beam_pipelines.cli import main
from beam_pipelines.demos.photographs import Page, serve
from beam_pipelines.driver.order import Order
from beam_pipelines.driver.run import run
from tests import videos
from tests.integration.removals import assert_gone, assert_nothing_to_do
from tests.integration.runs import table_content
from tests.portraits import portrait
from transforms.anonymizing import covers_stage
from transforms.tables.ledger import read_ledger, tally
from transforms.tables.reasons import Rejected
from transforms.tables.reopen import reopen
from transforms.videos.frame_cache import frame_pixels
from transforms.videos.reader import VideoReader

pytestmark = pytest.mark.integration
STAGES = ("download", "shots", "filters", "objects", "tracks", "distinct", "clips", "bundle")
SIZE, PERSON = (480, 270), (150, 240)  # pixels: of the frames, and of a person who moves through them
# a person who appears at once looks like a cut
QUICK = (
    "objects.frame_rate=8",
    "shots={detector: none, min_seconds: 1}",
    "tracks.min_seconds=1.5",
    "tracks.min_area=0.05",
)

MORE = (
    "filters.static.least=7",
    "objects.appearance_model=mobilenetv2-appearance",
    "clips.expansions=[0, 0.25]",
)


def place(who: int, number: int) -> tuple[int, int]:
    """The upper left corner of a person in a frame: one goes to the right, the other stays."""
    return ((10 + number, 30), (320, 30))[who]


def walk(count: int) -> list[np.ndarray]:
    """One person crosses the left half; the other is in the right half for the middle of the film."""
    people = [portrait(name, PERSON, centre=(0.5, 0.25), height=0.3) for name in ("obama-1", "biden-1")]
    frames = []
    for number in range(count):
        frame = np.full((SIZE[1], SIZE[0], 3), 110, np.uint8)
        for who in range(1 + (20 <= number < count - 10)):
            x, y = place(who, number)
            frame[y : y + PERSON[1], x : x + PERSON[0]] = people[who]
        frames.append(frame)
    return frames


@dataclass(frozen=True)
class Films:
    """A server of films and the manifest of all of them."""

    port: int
    manifest: Path

    def run(self, output: str, *more: str) -> str:
        """A run of the recipe in this process; returns its folder."""
        own = [f"fetch.allow_hosts=['127.0.0.1:{self.port}']", "manifest.rows_per_shard=2", "max_failed_share=1"]
        recipe, settings = configuration.load("object_tracks", [*own, *QUICK, *more])
        run(Order(recipe, settings, str(self.manifest), output))
        return output


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    folder = tmp_path_factory.mktemp("films")
    videos.write(folder / "walk.mp4", walk(100))
    videos.write(folder / "empty.mp4", [np.full((SIZE[1], SIZE[0], 3), 110, np.uint8)] * 50)
    videos.write(folder / "blink.mp4", walk(15), videos.File(fps=10))
    pages = {f"/{path.name}": Page(200, {"Content-Type": "video/mp4"}, path.read_bytes()) for path in folder.iterdir()}
    with serve(pages) as port:
        manifest = folder / "films.csv"
        listed = "".join(f"{name},http://127.0.0.1:{port}/{name}.mp4\n" for name in ("walk", "empty", "blink", "gone"))
        manifest.write_text(f"video_id,url\n{listed}")
        yield Films(port, manifest)


@pytest.fixture(scope="module")
def whole(films, tmp_path_factory) -> str:
    """One run with all files, shared by the tests that read it."""
    formats = "bundle.formats=[trackverse, mot, coco_video]"
    return films.run(str(tmp_path_factory.mktemp("runs") / "whole"), formats, *MORE)


def rows(folder: str, table: str) -> list[dict]:
    return [row for shard in table_content(folder, table).values() for row in shard]


def test_every_stage_balances_and_says_why(whole):
    assert {stage: tally(whole, stage).by_reason for stage in STAGES} == {
        "download": {"kept": 3, "http_404": 1},
        "shots": {"kept": 3},
        "filters": {"kept": 2, "blurred_shot": 1},
        "objects": {"kept": 2},
        "tracks": {"kept": 1, "no_track": 1},
        "distinct": {"kept": 2},
        "clips": {"kept": 2},
        "bundle": {"kept": 2},
    }


def test_the_people_are_followed_where_they_go(whole):
    found = sorted(rows(whole, "tracks"), key=lambda row: row["first_frame"])
    assert [row["track_id"] for row in found] == ["walk-s0-t0", "walk-s0-t1"]
    for who, row in enumerate(found):
        assert row["class_name"] == "person"
        wanted = np.array([place(who, number) for number in row["numbers"]])
        corners = np.array(row["boxes"])
        middles = (corners[:, :2] + corners[:, 2:]) / 2
        assert np.abs(middles - (wanted + np.array(PERSON) / 2)).max() < 40
        assert np.linalg.norm(row["feature"]) == pytest.approx(1, abs=1e-3)
    one, other = found
    assert one["first_frame"] <= 3
    assert one["last_frame"] >= 96
    assert 20 <= other["first_frame"] <= 30
    assert 80 <= other["last_frame"] < 90


def test_clips_follow_them_frame_by_frame(whole):
    tracks = {row["track_id"]: row for row in rows(whole, "tracks")}
    clips = rows(whole, "clips")
    assert sorted(clip["clip_id"] for clip in clips) == sorted(f"{one}-x{n}" for one in tracks for n in (0, 25))
    for clip in clips:
        track = tracks[clip["track_id"]]
        assert (clip["first_frame"], clip["end_frame"]) == (track["first_frame"], track["last_frame"] + 1)
        assert not clip["covered"]
        with VideoReader(f"{whole}/{clip['file']}") as reader:
            assert len(reader) == clip["end_frame"] - clip["first_frame"]
            assert reader.read(0).shape == (clip["height"], clip["width"], 3)


def test_the_files_have_what_the_tables_have(whole):
    with gzip.open(f"{whole}/bundle/trackverse/wa/walk-meta.jsonl.gzip", "rt") as file:
        lines = [json.loads(line) for line in file]
    tracks = sorted(rows(whole, "tracks"), key=lambda row: row["first_frame"])
    assert [line["top10_desc"] for line in lines] == [row["top_names"] for row in tracks]
    assert [line["frame_ts"] for line in lines] == [row["times"] for row in tracks]
    for name, shots in (("walk", [[0.0, 4.0]]), ("empty", [])):  # a shot that a filter left out was not looked at
        progress = json.loads(Path(whole, "bundle/trackverse", name[:2], f"{name}-progress.json").read_text())
        assert progress == {"segments_complete": shots, "num_tracks": 2 if name == "walk" else 0}
    boxes = Path(whole, "bundle/mot/walk/gt/gt.txt").read_text().splitlines()
    annotations = json.loads(Path(whole, "bundle/coco_video/annotations.json").read_text())["annotations"]
    assert len(boxes) == len(annotations) == sum(len(row["numbers"]) for row in tracks)


def test_the_cuts_between_jobs_change_nothing(films, whole, tmp_path):
    other = films.run(
        str(tmp_path / "other"),
        "jobs=[[download, shots, filters, objects, tracks], [distinct], [clips]]",
        *MORE,
    )
    for table in ("objects", "tracks", "clips"):
        assert table_content(other, table) == table_content(whole, table), table


def test_other_limits_need_no_other_detection(films, whole, tmp_path):
    """A stage that did not change is not done again: the objects are those of the first run."""
    folder = films.run(str(tmp_path / "run"), "jobs=[[download, shots], [objects], [tracks]]")
    before = {path: path.stat().st_mtime_ns for path in Path(folder, "objects").iterdir()}
    recipe, settings = configuration.load(
        "object_tracks",
        [f"fetch.allow_hosts=['127.0.0.1:{films.port}']", "manifest.rows_per_shard=2", "max_failed_share=1", *QUICK,
         "jobs=[[download, shots], [objects], [tracks]]", "tracks.min_seconds=3"],
    )  # fmt: skip
    run(Order(recipe, settings, str(films.manifest), folder, recompute=True))
    assert {path: path.stat().st_mtime_ns for path in Path(folder, "objects").iterdir()} == before
    assert [row["track_id"] for row in rows(folder, "tracks")] == ["walk-s0-t0"]


def clip_files(folder: str) -> set[str]:
    return {str(path.relative_to(folder)) for path in Path(folder, "clips").rglob("*.mp4")}


def test_what_could_not_be_looked_at_is_written_after_a_retry_only(films, tmp_path, monkeypatch):
    """Two tracks are in a shot whose covers failed, one in another video."""

    def broken(run, media, number):
        if Path(media).name.startswith("walk."):
            raise Rejected("broken_frame", f"frame {number}")
        return frame_pixels(run, media, number)

    with monkeypatch.context() as patched:
        patched.setattr(covers_stage, "frame_pixels", broken)
        folder = films.run(
            str(tmp_path / "run"),
            "jobs=[[download, shots, filters, covers], [objects, tracks], [distinct], [clips], [bundle]]",
            "covers.every_frames=4",
            "tracks.min_seconds=1",
        )
    assert tally(folder, "covers").by_reason == {"broken_frame": 1, "kept": 1}
    assert tally(folder, "clips").by_reason == {"kept": 1, "not_covered": 2}
    failed = [row for _, table in read_ledger(folder, "clips") for row in table.to_pylist() if row["reason"]]
    assert [(row["state"], row["transient"]) for row in failed] == [("failed", True)] * 2
    (whole,) = rows(folder, "clips")
    assert clip_files(folder) == {whole["file"]}
    tracked = rows(folder, "tracks")

    assert main(["retry", folder]) == 0
    assert tally(folder, "covers").by_reason == {"kept": 2}
    assert tally(folder, "clips").by_reason == {"kept": 3}
    clips = rows(folder, "clips")
    assert {clip["track_id"] for clip in clips} == {"blink-s0-t0", "walk-s0-t0", "walk-s0-t1"}
    assert all(clip["covered"] for clip in clips)
    assert clip_files(folder) == {clip["file"] for clip in clips}
    assert rows(folder, "tracks") == tracked
    counts = json.loads(Path(folder, "run.json").read_text())["stages"]
    kept = {stage: counts[stage]["kept"] for stage in ("covers", "clips", "bundle")}
    assert kept == {"covers": 2, "clips": 3, "bundle": 3}


def test_clips_of_a_track_that_is_left_out_later_go(films, whole, tmp_path):
    """Its chunk is done again, as `distinct` asks for where a retry has brought a longer track of the same object."""
    run_ = str(shutil.copytree(whole, tmp_path / "run"))
    before = clip_files(run_)
    stale = {"clips/walk/walk-s0-t7-x0.mp4", "clips/gone/gone-s0-t0-x0.mp4"}
    for name in stale:
        Path(run_, name).parent.mkdir(exist_ok=True)
        Path(run_, name).write_bytes(b"of a track that was left out")
    formats = "bundle.formats=[trackverse, mot, coco_video]"
    films.run(run_, formats, *MORE)
    assert clip_files(run_) == before | stale  # where nothing is done nothing is looked for
    reopen(run_, "clips", "clips", ["000000"])
    films.run(run_, formats, *MORE)
    assert clip_files(run_) == before
    assert not Path(run_, "clips", "gone").exists()


def test_a_video_that_is_removed_leaves_no_track_and_touches_no_other(films, whole, tmp_path):
    run_ = str(shutil.copytree(whole, tmp_path / "run"))
    files = {row["file"]: row["sha256"] for row in rows(run_, "track_files") if row["video_id"] == "blink"}
    theirs = {row["file"] for row in rows(run_, "track_files") if row["video_id"] == "walk"}
    assert_gone(run_, ["--videos", "walk"], {"walk"}, "video_id", theirs | {"track_files/part-bundle.parquet"})
    assert not any(Path(run_, file).exists() for file in theirs)
    assert {row["file"]: row["sha256"] for row in rows(run_, "track_files") if row["video_id"] == "blink"} == files
    annotations = json.loads(Path(run_, "bundle", "coco_video", "annotations.json").read_text())
    assert [video["name"] for video in annotations["videos"]] == ["empty", "blink"]
    formats = "bundle.formats=[trackverse, mot, coco_video]"
    assert_nothing_to_do(run_, lambda: films.run(run_, formats, *MORE))
