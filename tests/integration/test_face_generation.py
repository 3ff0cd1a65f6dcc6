"""The recipe face_generation from a list of videos to the folders of persons, on composed videos of known people."""

import json
import shutil
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
import pytest

from beam_pipelines import config as configuration
from beam_pipelines.cli import main
from beam_pipelines.demos.photographs import Page
from beam_pipelines.driver.order import Order
from beam_pipelines.driver.run import run
from model_handlers.interface import EXPRESSIONS
from tests.integration.removals import assert_gone, assert_nothing_to_do
from tests.integration.runs import column, table_content
from tests.integration.video_site import Take, film, video_site
from transforms.tables.ledger import read_ledger, tally
from transforms.tables.shards import read_column

pytestmark = pytest.mark.integration

HILL = [Take("hill-1", 10, 0.25, centre, mirrored) for centre, mirrored in (((0.4, 0.45), False), ((0.5, 0.5), True))]
FILMS = {
    "a-calm": [Take("obama-1", 30, 0.25), Take("obama-3", 30, 0.3)],
    "b-calm": [Take("biden-1", 60, 0.3)],
    "c-mixed": [Take("biden-1", 30, 0.22, (0.35, 0.5), mirrored=True), Take("obama-1", 30, 0.22, (0.6, 0.5))],
    "d-bad": [Take("obama-1", 20, 0.1), Take("obama-2", 20, 0.3, blur=6), Take("lake-1", 20, None)],
    "h-cuts": HILL * 3,  # a cut every ten frames: five samples at a stride of four always lie over one
}
GOOD = ("a-calm", "b-calm", "c-mixed", "h-cuts")
SAMPLES = 5  # of each third of a video
STAGES = ("download", "frames", "detections", "faces", "candidates", "embeddings", "identity", "selection")
TABLES = (
    "manifest", "videos", "frames", "detections", "faces", "left_out", "embeddings", "edges", "identities", "selection",
)  # fmt: skip


def take_at(video: str, number: int) -> tuple[int, Take]:
    """Which take of a film a frame is in."""
    for place, take in enumerate(FILMS[video]):
        if number < take.frames:
            return place, take
        number -= take.frames
    raise AssertionError(f"{video} has no such frame")


def who(video: str, number: int) -> str:
    return take_at(video, number)[1].photograph.partition("-")[0]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("films")
    others = {
        "f-page": b"<!doctype html><title>No video</title>",
        "g-low": film(folder / "low.mp4", [Take("obama-1", 5, 0.3)], (640, 360)).read_bytes(),
    }
    with video_site(folder, FILMS, others) as made:
        yield made


def run_recipe(site, output, *more, manifest=None):
    overrides = [
        f"fetch.allow_hosts=['127.0.0.1:{site.port}']",
        "manifest.rows_per_shard=2",
        "manifest.columns={label: mood}",
        f"sampling.per_segment={SAMPLES}",
        "selection.layout=reference",
        "faces.min_sharpness=40",  # pans over photographs are soft
        *more,
    ]
    recipe, settings = configuration.load("face_generation", overrides)
    run(Order(recipe, settings, str(manifest or site.manifest), str(output)))
    return str(output)


def some_of(site, folder, *names):
    """A manifest of these videos alone."""
    lines = site.manifest.read_text().splitlines()
    chosen = folder / "some.csv"
    chosen.write_text("\n".join([lines[0], *(line for line in lines[1:] if line.split(",")[0] in names)]) + "\n")
    return chosen


@pytest.fixture(scope="module")
def whole(site, tmp_path_factory):
    return run_recipe(site, tmp_path_factory.mktemp("runs") / "whole")


def read_json(run_, name):
    return json.loads(Path(run_, "metadata", f"{name}.json").read_text())


def rows(run_, table, *columns):
    return read_column(run_, table, list(columns)).to_pylist()


def test_every_drop_has_its_reason(whole):
    assert tally(whole, "download").by_reason == {"kept": 5, "low_resolution": 1, "not_a_video": 1}
    assert tally(whole, "frames").by_reason == {"kept": 5}
    assert len(column(whole, "frames", "frame_id")) == 5 * 3 * SAMPLES
    assert tally(whole, "detections").by_reason == {"kept": 14 * SAMPLES, "no_face": SAMPLES}
    reasons = {
        entry["item_id"]: entry["reason"] for _, table in read_ledger(whole, "faces") for entry in table.to_pylist()
    }
    told = {"obama-1": "small_face", "obama-2": "blurred_face"}
    for face in rows(whole, "detections", "face_id", "video_id", "number"):
        take = take_at(face["video_id"], face["number"])[1]
        assert reasons[face["face_id"]] == (told[take.photograph] if face["video_id"] == "d-bad" else "")
    assert tally(whole, "candidates").by_reason == tally(whole, "identity").by_reason == {"kept": 4 * 3 * SAMPLES}


def test_persons_end_in_the_right_folder(whole):
    people = defaultdict(set)
    for row in rows(whole, "selection", "identity", "video_id", "number", "file"):
        people[row["file"].split("/")[1]].add(who(row["video_id"], row["number"]))
        assert row["file"].startswith(f"final/person_{row['identity']:04d}/")
    assert sorted(people) == ["person_0000", "person_0001", "person_0002"]
    assert {name for names in people.values() for name in names} == {"obama", "biden", "hill"}
    assert all(len(names) == 1 for names in people.values())
    found = {row["face_id"]: row["identity"] for row in rows(whole, "identities", "face_id", "identity")}
    of_person = defaultdict(set)
    for face in rows(whole, "faces", "face_id", "video_id", "number"):
        of_person[who(face["video_id"], face["number"])].add(found[face["face_id"]])
    assert sorted(map(tuple, of_person.values())) == [(0,), (1,), (2,)]


def test_images_are_square_crops_round_the_face(whole):
    boxes = {row["face_id"]: row for row in rows(whole, "faces", "face_id", "crop_landmarks", "label", "side")}
    for row in rows(whole, "selection", "face_id", "file", "label", "video_id"):
        image = cv2.imread(str(Path(whole, row["file"])))
        assert image.shape == (512, 512, 3)
        face = boxes[row["face_id"]]
        points = np.array(face["crop_landmarks"])
        assert ((points > 100) & (points < 412)).all()
        assert row["label"] == row["video_id"].partition("-")[0]


def test_sequences_are_consecutive_samples_of_one_shot(whole):
    frames = {
        (row["video_id"], row["number"]): row
        for row in rows(whole, "frames", "video_id", "number", "segment", "sample")
    }
    sequences = defaultdict(list)
    for row in rows(whole, "selection", "identity", "group", "place", "video_id", "number"):
        if row["group"] == "temporal_sequence":
            sequences[row["identity"]].append(row)
    assert len(sequences) == 2  # nothing of h-cuts
    for sequence in sequences.values():
        assert [row["place"] for row in sequence] == list(range(5))
        assert len({row["video_id"] for row in sequence}) == 1
        video, numbers = sequence[0]["video_id"], [row["number"] for row in sequence]
        places = [frames[video, number] for number in numbers]
        assert len({place["segment"] for place in places}) == 1
        assert np.diff([place["sample"] for place in places]).tolist() == [1] * 4
        assert len({take_at(video, number)[0] for number in numbers}) == 1


def test_a_person_whose_shots_are_too_short_has_images_and_no_sequence(whole):
    results = read_json(whole, "selection_results")
    (cut,) = [person for person in results.values() if person["temporal_selected"] == 0]
    assert (cut["total_faces"], cut["high_quality_selected"], cut["temporal_files"]) == (3 * SAMPLES, 10, [])
    assert all("_h-cuts-n" in name for name in cut["high_quality_files"])


def test_metadata_and_files_agree(whole):
    results = read_json(whole, "selection_results")
    listed = {
        path for person in results.values() for key in ("high_quality_files", "temporal_files") for path in person[key]
    }
    there = {str(path.relative_to(whole)) for path in Path(whole, "final").rglob("*.jpg")}
    assert listed == there == set(column(whole, "selection", "file"))
    scores, people = read_json(whole, "quality_scores"), read_json(whole, "identity_map")
    paths = {f"frames/{key}/{one['filename']}" for key, some in scores.items() for one in some}
    assert {path for person in people.values() for some in person.values() for path in some} == paths
    assert len(paths) == len(column(whole, "faces", "face_id"))
    assert {key.partition("/")[0] for key in scores} <= set(EXPRESSIONS)
    smiles = [key.partition("/")[0] for key, some in scores.items() for _ in some if key.endswith("/h-cuts")]
    assert set(smiles) == {"happy"}


def test_the_folders_of_the_earlier_system(whole):
    root = Path(whole, "reference")
    files = {str(path.relative_to(root)): path for path in root.rglob("*") if path.is_file()}
    told = [json.loads(files[f"metadata/{name}.json"].read_bytes()) for name in ("quality_scores", "identity_map")]
    frames = {f"frames/{key}/{one['filename']}" for key, some in told[0].items() for one in some}
    assert {name for name in files if name.startswith("frames/") and name.endswith(".jpg")} == frames
    vectors = {row["face_id"]: row["vector"] for row in rows(whole, "embeddings", "face_id", "vector")}
    for face in rows(whole, "faces", "face_id", "video_id", "number", "emotion", "crop"):
        name = f"frames/{face['emotion']}/{face['video_id']}/frame_{face['number']:05d}_face_{face['face_id'][-1]}"
        assert files[f"{name}.jpg"].read_bytes() == face["crop"]
        assert np.load(files[f"{name}.npy"]).tolist() == vectors[face["face_id"]]
    for person, emotions in told[1].items():
        own = sorted(path.read_bytes() for name, path in files.items() if name.startswith(f"processed/{person}/"))
        assert own == sorted(files[name].read_bytes() for some in emotions.values() for name in some)
    assert {name: files[name].samefile(Path(whole, name)) for name in column(whole, "selection", "file")}
    videos = {row["video_id"]: row for row in rows(whole, "videos", "video_id", "label", "media")}
    raw = {path.stem: path for name, path in files.items() if name.startswith("raw_videos/")}
    assert raw.keys() == videos.keys()
    assert all(path.samefile(Path(whole, videos[name]["media"])) for name, path in raw.items())
    assert {path.parent.name for path in raw.values()} == {row["label"] for row in videos.values()}


LIMITS = (
    "sampling.per_segment=2",
    "selection.temporal=2",
    "manifest.rows_per_shard=1",
    "candidates.max_faces_per_video=4",
    "candidates.max_bytes=400000",  # four crops have some 250,000, so it is reached in the second video
)


@pytest.fixture(scope="module")
def four(site, tmp_path_factory):
    return some_of(site, tmp_path_factory.mktemp("list"), *GOOD)


@pytest.fixture(scope="module")
def limited(site, four, tmp_path_factory):
    """Runs with a size limit, with waves of one chunk and of four."""
    folder = tmp_path_factory.mktemp("limited")
    return {
        waves: run_recipe(site, folder / str(waves), *LIMITS, f"chunks_per_wave={waves}", manifest=four)
        for waves in (1, 4)
    }


def test_a_run_stops_at_its_size_limit(limited):
    by_waves = {waves: tally(run_, "download").by_reason for waves, run_ in limited.items()}
    assert by_waves == {1: {"kept": 2, "over_size_limit": 2}, 4: {"kept": 4}}
    reasons = {waves: tally(run_, "candidates").by_reason for waves, run_ in limited.items()}
    assert reasons[1] == {"kept": 8, "over_video_limit": 4}
    assert reasons[4] == {"kept": 8, "over_video_limit": 4, "over_size_limit": 12}
    for run_ in limited.values():
        assert {face.rpartition("-n")[0] for face in column(run_, "embeddings", "face_id")} == {"a-calm", "b-calm"}
        assert len(read_json(run_, "selection_results")) == 2  # the run went on to its end


def test_which_videos_a_run_takes_does_not_depend_on_its_waves(limited):
    one, other = limited.values()
    for table in ("identities", "selection"):
        assert table_content(one, table) == table_content(other, table)
    assert sorted(column(one, "embeddings", "face_id")) == sorted(column(other, "embeddings", "face_id"))


def test_of_a_video_the_best_faces_are_taken(limited):
    out = set(column(limited[1], "left_out", "face_id"))
    for video in ("a-calm", "b-calm"):
        faces = [
            row for row in rows(limited[1], "faces", "face_id", "video_id", "composite") if row["video_id"] == video
        ]
        taken = [face["composite"] for face in faces if face["face_id"] not in out]
        assert (len(faces), len(taken)) == (6, 4)
        assert sorted((face["composite"] for face in faces), reverse=True)[:4] == sorted(taken, reverse=True)


def test_results_do_not_depend_on_the_cuts(site, four, limited, tmp_path):
    cuts = json.dumps([[stage] for stage in STAGES])
    runs = limited[4], run_recipe(site, tmp_path / "cut", *LIMITS, f"jobs={cuts}", manifest=four)
    for table in (*TABLES, *(f"ledger/{stage}" for stage in STAGES)):
        one, other = (table_content(run_, table) for run_ in runs)
        assert one == other, table
    for folder in ("final", "metadata", "media"):
        one, other = ({p.relative_to(r): p.read_bytes() for p in Path(r, folder).rglob("*.*")} for r in runs)
        assert one == other
        assert one


def without_numbers(run_, table):
    """The rows of a table by face, and the images of `final` by path, persons called by their first face instead."""
    called: dict[int, str] = {}
    for row in rows(run_, "identities", "face_id", "identity"):
        if row["identity"] is not None:
            called[row["identity"]] = min(called.get(row["identity"], row["face_id"]), row["face_id"])
    found = []
    for row in (row for shard in table_content(run_, table).values() for row in shard):
        person = called.get(row["identity"])
        image = row.get("file") and Path(run_, row["file"]).read_bytes()
        file = row.get("file") and row["file"].replace(f"person_{row['identity']:04d}", f"person_{person}")
        found.append(row | {"identity": person, "file": file, "image": image})
    return sorted(found, key=lambda row: (row["face_id"], row["file"] or ""))


def test_a_video_that_comes_late_takes_its_place(site, four, limited, tmp_path):
    """After a retry the run is as if nothing had failed, but for persons' numbers: better faces push others out."""
    there = site.pages["/a-calm.mp4"]
    site.pages["/a-calm.mp4"] = Page(503, {}, b"")
    try:
        late = run_recipe(site, tmp_path / "late", *LIMITS, "chunks_per_wave=4", "fetch.retries=0", manifest=four)
    finally:
        site.pages["/a-calm.mp4"] = there
    assert tally(late, "download").by_reason == {"kept": 3, "http_503": 1}
    assert {face.rpartition("-n")[0] for face in column(late, "embeddings", "face_id")} == {"b-calm", "c-mixed"}
    assert main(["retry", late, "--transient-only"]) == 0
    assert {face.rpartition("-n")[0] for face in column(late, "embeddings", "face_id")} == {"a-calm", "b-calm"}
    for table in ("identities", "selection"):  # who was there before keeps the number
        assert without_numbers(late, table) == without_numbers(limited[4], table)
    one, other = (len(list(Path(r, "final").rglob("*.jpg"))) for r in (late, limited[4]))
    assert one == other == len(column(late, "selection", "file"))


def test_a_person_that_is_removed_leaves_no_face_and_others_keep_their_files(site, whole, tmp_path):
    run_ = str(shutil.copytree(whole, tmp_path / "run"))
    chosen = rows(run_, "selection", "face_id", "identity", "file")
    number = next(
        row["identity"] for row in rows(run_, "identities", "face_id", "identity") if row["identity"] is not None
    )
    theirs = {row["face_id"] for row in rows(run_, "identities", "face_id", "identity") if row["identity"] == number}
    names = ("identity_map", "quality_scores", "selection_results")
    told = {f"{folder}/{name}.json" for name in names for folder in ("metadata", "reference/metadata")}
    counts = {f"ledger/detections/part-{name}.parquet" for name in ("000000", "000001")}  # faces of frames that stay
    vectors = {  # as float32, in which the search for pieces of the removed does not find them
        f"reference/frames/{face['emotion']}/{face['video_id']}/frame_{face['number']:05d}_face_0.npy"
        for face in rows(run_, "faces", "face_id", "video_id", "number", "emotion")
        if face["face_id"] in theirs
    }
    assert_gone(run_, ["--identities", str(number), "--keep-images"], theirs, "face_id", told | counts | vectors)
    assert [name for name in vectors if Path(run_, name).exists()] == []
    assert not Path(run_, "final", f"person_{number:04d}").exists()
    left = [row for row in chosen if row["identity"] != number]
    assert rows(run_, "selection", "face_id", "identity", "file") == left
    assert all(Path(run_, row["file"]).is_file() for row in left)
    assert len(read_json(run_, "identity_map")) == len({row["identity"] for row in left})
    assert_nothing_to_do(run_, lambda: run_recipe(site, run_))


def test_a_person_that_is_removed_with_its_videos(site, whole, tmp_path):
    run_ = str(shutil.copytree(whole, tmp_path / "run"))
    faces = {row["face_id"]: row["identity"] for row in rows(run_, "identities", "face_id", "identity")}
    videos = {row["face_id"]: row["video_id"] for row in rows(run_, "faces", "face_id", "video_id")}
    number = next(faces[face] for face, video in videos.items() if video == "h-cuts" and faces.get(face) is not None)
    theirs = {videos[face] for face, identity in faces.items() if identity == number}
    assert_gone(
        run_,
        ["--identities", str(number), "--with-images"],
        theirs,
        "video_id",
        {"metadata/selection_results.json", "reference/metadata/selection_results.json"},
    )
    assert_nothing_to_do(run_, lambda: run_recipe(site, run_))
