"""The recipe person_clustering on a composed film of known people: who is in it, when, and what ends in the ledger."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

import manyfaces
from beam_pipelines import config as configuration
from beam_pipelines.cli import main
from beam_pipelines.driver.order import Order
from beam_pipelines.driver.run import run
from tests import videos
from tests.integration.engines import PROCESSES, local
from tests.integration.removals import assert_gone, assert_nothing_to_do, files_with
from tests.integration.runs import assert_same_contents, column, contents, table_content
from tests.integration.video_site import video_site
from tests.portraits import portrait
from transforms.tables.ledger import tally
from transforms.tables.shards import read_column

pytestmark = pytest.mark.integration
SIZE = WIDTH, HEIGHT = (640, 360)
FPS, SCENE, EVERY = 10, 20, 0.4  # frames a second, frames of a scene, seconds between samples: five of a scene
LEFT, RIGHT = (0.28, 0.35), (0.72, 0.35)


@dataclass(frozen=True)
class Scene:
    """Photographs beside each other, moving a little; where one is, its person's name before the hyphen."""

    photographs: tuple[str, ...]

    @property
    def people(self) -> tuple[str, ...]:
        return tuple(name.partition("-")[0] for name in self.photographs if not name.startswith("lake"))

    def picture(self) -> np.ndarray:
        if self.photographs == ("lake-1",):
            return videos.fitted(videos.photograph("lake-1"), SIZE)
        if len(self.photographs) == 1:
            return portrait(self.photographs[0], SIZE, (0.5, 0.35), 0.3)
        left, right = (portrait(name, SIZE, at, 0.3) for name, at in zip(self.photographs, (LEFT, RIGHT), strict=True))
        return np.hstack([left[:, : WIDTH // 2], right[:, WIDTH // 2 :]])


FILM = [
    Scene(names)
    for names in (("obama-1",), ("biden-1",), ("obama-1", "biden-1"), ("lake-1",), ("hill-1",), ("obama-1", "hill-1"))
]
HANDS = ("obama", "biden", "hill")


def film(path: Path, scenes: list[Scene], frames: int = SCENE) -> bytes:
    moving = (
        frame
        for n, scene in enumerate(scenes)
        for frame in videos.pan(scene.picture(), frames, SIZE, (0.02 * (-1) ** n, 0))
    )
    return videos.write(path, moving, videos.File(fps=FPS)).read_bytes()


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("films")
    others = {
        "a-film": film(folder / "film.mp4", FILM),
        "b-one-face": film(folder / "one.mp4", [Scene(("obama-2",))], 3),
        "c-no-face": film(folder / "none.mp4", [Scene(("lake-1",))], 3),
        "d-page": b"<!doctype html><title>No video</title>",
    }
    with video_site(folder, {}, others) as made:
        yield made


def run_recipe(site, output, *more, beam=()):
    overrides = [
        f"fetch.allow_hosts=['127.0.0.1:{site.port}']",
        "manifest.rows_per_shard=2",
        f"sampling.seconds={EVERY}",
        "persons.min_size=3",
        *more,
    ]
    recipe, settings = configuration.load("person_clustering", overrides)
    run(Order(recipe, settings, str(site.manifest), str(output), tuple(beam)))
    return str(output)


@pytest.fixture(scope="module")
def whole(site, tmp_path_factory):
    return run_recipe(site, tmp_path_factory.mktemp("runs") / "whole")


def rows(run_, table, *columns):
    return read_column(run_, table, list(columns)).to_pylist()


def who(face) -> str:
    """The person of a face of the film, by its frame and side."""
    people = FILM[face["number"] // SCENE].people
    return people[0 if len(people) == 1 or (face["box"][0] + face["box"][2]) / 2 < WIDTH / 2 else 1]


def found(run_) -> dict[str, set[int | None]]:
    """The numbers that the faces of each person of the film have."""
    numbers = {row["face_id"]: row["identity"] for row in rows(run_, "identities", "face_id", "identity")}
    people: dict[str, set[int | None]] = {}
    for face in rows(run_, "faces", "face_id", "video_id", "number", "box"):
        if face["video_id"] == "a-film":
            people.setdefault(who(face), set()).add(numbers[face["face_id"]])
    return people


def test_what_was_left_out_has_its_reason(whole):
    samples, faces = 5, 5 * sum(len(scene.people) for scene in FILM)
    assert tally(whole, "download").by_reason == {"kept": 3, "not_a_video": 1}
    assert tally(whole, "frames").by_reason == {"kept": 3}
    assert tally(whole, "detections").by_reason == {"kept": 5 * samples + 1, "no_face": samples + 1}
    assert tally(whole, "faces").by_reason == tally(whole, "clothes").by_reason == {"kept": faces + 1}
    assert tally(whole, "embeddings").by_reason == {"kept": faces + 1}
    assert tally(whole, "persons").by_reason == {"kept": faces, "small_identity": 1}
    assert [row["face_id"][:10] for row in rows(whole, "identities", "face_id", "reason") if row["reason"]] == [
        "b-one-face"
    ]


def test_each_person_has_one_number(whole):
    people = found(whole)
    assert sorted(people) == sorted(HANDS)
    assert all(len(numbers) == 1 for numbers in people.values())
    assert len(set.union(*people.values())) == 3


def test_when_they_are_seen(whole):
    name = {number: person for person, (number,) in found(whole).items()}
    seconds = SCENE / FPS
    shown = {"obama": [(0, 1), (2, 3), (5, 6)], "biden": [(1, 3)], "hill": [(4, 6)]}  # scenes
    for person in rows(whole, "persons", "identity", "video_id", "key", "rank", "faces", "seconds", "spans"):
        assert (person["video_id"], person["key"]) == ("a-film", True)
        scenes = shown[name[person["identity"]]]
        np.testing.assert_allclose(person["spans"], np.array(scenes) * seconds, atol=EVERY / 2 + 1e-6)
        assert person["seconds"] == pytest.approx(sum(end - start for start, end in person["spans"]))
        assert person["faces"] == 5 * sum(end - first for first, end in scenes)
    ranks = rows(whole, "persons", "rank", "seconds")
    assert [row["rank"] for row in ranks] == [1, 2, 3]
    assert [row["seconds"] for row in ranks] == sorted((row["seconds"] for row in ranks), reverse=True)


def test_a_second_run_changes_nothing(site, whole):
    before = contents(whole)
    assert run_recipe(site, whole) == whole
    assert contents(whole) == before


def test_worker_processes_find_the_same_persons(site, whole, tmp_path):
    """Of the stages on rows other recipes show it, on every engine."""
    again = tmp_path / "run"
    shutil.copytree(whole, again)
    for table in ("identities", "persons", "ledger/persons"):
        shutil.rmtree(again / table)
    with local(*PROCESSES) as arguments:
        assert_same_contents(run_recipe(site, again, beam=arguments), whole)


WITHOUT = "jobs=[[download, frames, detections, faces, embeddings], [persons]]"


def test_faces_alone_in_a_part_of_the_film(site, whole, tmp_path):
    """Without the stage clothes, of two to six seconds, in frames of one face, detected at half their size."""
    part = ("sampling.skip_seconds=2", "sampling.stop_seconds=6", "detections.max_faces=1", "detections.crowds=drop")
    run_ = run_recipe(site, tmp_path / "run", WITHOUT, *part, "detections.resize_ratio=0.5")
    assert tally(run_, "frames").by_reason == {"kept": 1, "no_sample": 2}
    assert tally(run_, "detections").by_reason == {"kept": 5, "crowded": 5}
    assert not Path(run_, "clothes").exists()
    ((_, person),) = found(run_).items()
    assert len(person) == 1
    (row,) = rows(run_, "persons", "start", "end", "faces")
    assert (row["start"], row["faces"]) == (2, 5)
    small = {row["frame_id"]: row["box"] for row in rows(run_, "detections", "frame_id", "box")}
    for face in rows(whole, "detections", "frame_id", "box"):
        if face["frame_id"] in small:
            np.testing.assert_allclose(small[face["frame_id"]], face["box"], atol=12)


def test_clothes_by_their_colours(site, whole, tmp_path):
    """Cut where clothes begin, and with so few groups compared that the nearest are joined first."""
    cuts = "jobs=[[download, frames, detections, faces], [clothes], [embeddings], [persons]]"
    run_ = run_recipe(site, tmp_path / "run", cuts, "clothes.model=null", "persons.max_groups=5")
    assert set(column(run_, "clothes", "descriptor")) == {"colours"}
    for table in ("frames", "detections", "faces", "embeddings"):
        assert table_content(run_, table) == table_content(whole, table), table
    assert sorted(map(len, found(run_).values())) == [1, 1, 1]


def test_a_video_that_is_removed_leaves_no_picture_and_touches_no_other(site, whole, tmp_path):
    run_ = str(shutil.copytree(whole, tmp_path / "run"))
    assert_gone(run_, ["--videos", "b-one-face"], {"b-one-face"}, "video_id", set())
    assert [path.name for path in Path(run_, "clusters").iterdir()] == ["a-film"]
    assert_nothing_to_do(run_, lambda: run_recipe(site, run_))


def test_a_person_that_is_removed_is_in_no_picture_of_a_film_that_stays(site, whole, tmp_path):
    run_ = str(shutil.copytree(whole, tmp_path / "run"))
    (number,) = found(run_)["biden"]
    theirs = {row["face_id"] for row in rows(run_, "identities", "face_id", "identity") if row["identity"] == number}
    drawn = {f"clusters/a-film/{name}" for name in ("before.png", "after.png", "timeline.png")}
    counts = {"ledger/detections/part-000000.parquet"}  # faces of frames that stay
    assert_gone(run_, ["--identities", str(number), "--keep-images"], theirs, "face_id", drawn | counts)
    left = json.loads(Path(run_, "clusters/a-film/persons.json").read_text())["persons"]
    assert {person["identity"] for person in left} == {0, 1, 2} - {number}
    files = {str(path.relative_to(run_)) for path in Path(run_, "clusters").rglob("*.jpg")}
    assert files == set(column(run_, "person_pictures", "file"))
    shown = videos_drawn(run_)
    assert_nothing_to_do(run_, lambda: run_recipe(site, run_))
    for table in ("person_pictures", "ledger/pictures", "clusters"):
        shutil.rmtree(Path(run_, table))
    run_recipe(site, run_)
    assert videos_drawn(run_) == shown  # as drawn without them


def videos_drawn(run_) -> dict[str, bytes]:
    return {str(path.relative_to(run_)): path.read_bytes() for path in Path(run_, "clusters").rglob("*.*")}


def test_a_video_that_was_extracted_leaves_nothing_when_it_is_removed(tmp_path):
    film(tmp_path / "who-is-this.mp4", [Scene(("obama-1",))], 3)
    run_ = str(tmp_path / "run")
    small = {"sampling.seconds": EVERY, "jobs": [["download", "frames", "detections", "faces"], ["embeddings"]]}
    assert len(manyfaces.persons.extract(str(tmp_path / "who-is-this.mp4"), output=run_, set=small)) == 1
    words = {b"who-is-this", b"who-is-this.mp4"}
    assert {"video.csv", "manifest/part-000000.parquet"} < set(files_with(run_, words))
    assert main(["remove", run_, "--videos", "who-is-this"]) == 0
    assert files_with(run_, words) == {}
    with pytest.raises(manyfaces.ConfigError, match="nothing was taken of it: removed"):
        manyfaces.persons.extract(str(tmp_path / "who-is-this.mp4"), output=run_, set=small)
