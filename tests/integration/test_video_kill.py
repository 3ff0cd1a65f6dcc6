"""SIGKILL in the middle of video recipes: a run that is started again ends with the tables and files of any other."""

import json
import random

import pytest

from tests.integration import command
from tests.integration.kills import files, kill_after
from tests.integration.runs import contents
from tests.integration.video_site import Take, video_site

KILLS = 1  # of each recipe
MADE = {
    "face_generation": ("final/", 12),
    "object_tracks": ("clips/", 6),
}  # files for users, a few at least
RECIPES = {
    "face_generation": ["sampling.per_segment=3", "faces.min_sharpness=40", "identity.clusters.min_samples=2"],
    "object_tracks": [
        "jobs=[[download, shots, filters, covers], [objects, tracks], [distinct], [clips], [bundle]]",
        "shots.min_seconds=0.5",
        "covers.every_frames=8",
        "objects.frame_rate=4",
        "tracks.min_seconds=0.5",
        "bundle.formats=[trackverse, mot, coco_video]",
    ],
}
FILMS = {
    "a": [Take("obama-1", 20, 0.3), Take("biden-1", 20, 0.3)],
    "b": [Take("biden-1", 24, 0.3)],
    "c": [Take("lake-1", 20, None)],
}
JOBS = {  # their stages on rows
    "face_generation": [["download", "frames", "detections", "faces"], ["embeddings"]],
    "object_tracks": [["download", "shots", "filters", "covers"], ["objects", "tracks"], ["clips"]],
}
pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    others = {"d-page": b"<!doctype html><title>No video</title>"}
    with video_site(tmp_path_factory.mktemp("films"), FILMS, others) as made:
        yield made


def start(recipe, site, output):
    overrides = [f"fetch.allow_hosts=['127.0.0.1:{site.port}']", "manifest.rows_per_shard=1", *RECIPES[recipe]]
    return command.start(recipe, site.manifest, output, overrides)


def is_done(output):
    record = output / "run.json"
    return record.exists() and "finished" in json.loads(record.read_text())


def committed(recipe, output):
    """The ledger shards of finished chunks, and the finished videos, with their times of change.

    None is ever made again. A runner may commit a chunk in a stage before it does so upstream: only when all stages
    before it in the job have their shards too is it finished there.
    """
    shards = []
    for job in JOBS[recipe]:
        finished = None
        for stage in job:
            names = {path.name for path in output.glob(f"ledger/{stage}/part-*.parquet")}
            finished = names if finished is None else finished & names
            shards += [output / "ledger" / stage / name for name in finished]
    videos = [output / json.loads(record.read_bytes())["media"] for record in output.glob("media/*/*.json")]
    return {path: path.stat().st_mtime_ns for path in [*shards, *videos]}


@pytest.mark.parametrize("recipe", RECIPES)
def test_kills_leave_no_trace(recipe, site, tmp_path):
    rng = random.Random(recipe)
    command.finish(start(recipe, site, tmp_path / "undisturbed"))
    whole = contents(tmp_path / "undisturbed")
    folder, least = MADE[recipe]
    assert sum(name.startswith(folder) for name in whole) >= least
    most = len(files(tmp_path / "undisturbed")) // 2
    kills = rounds = 0
    while kills < KILLS:
        output = tmp_path / f"killed-{rounds}"
        rounds += 1
        while not is_done(output):
            before = committed(recipe, output)
            process = start(recipe, site, output)
            if kills < KILLS:
                kills += kill_after(rng.randint(1, most), process, output, rng)
            else:
                command.finish(process)
            after = committed(recipe, output)
            again = [path for path, when in before.items() if after.get(path) != when]
            assert again == [], "what was finished was done again"
        made = contents(output)
        assert list(made) == list(whole)
        assert [name for name in whole if made[name] != whole[name]] == []
