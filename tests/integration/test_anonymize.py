"""The recipes anonymize and anonymize_images with real models: no face that was covered is found again."""

import csv
import os
import shutil
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from beam_pipelines import config as configuration
from beam_pipelines.cli import main
from beam_pipelines.demos.photographs import Page, serve
from beam_pipelines.driver.order import Order
from beam_pipelines.driver.run import run
from model_handlers.models import catalogue
from model_handlers.models.loaded import load_model
from model_handlers.models.roles import KnownModels
from tests import videos
from tests.integration.removals import assert_gone, assert_nothing_to_do
from tests.portraits import portrait
from transforms.anonymizing import anonymized_stage
from transforms.anonymizing.anonymized_settings import AnonymizedVideoSettings
from transforms.anonymizing.anonymized_stage import anonymized_files
from transforms.anonymizing.covers_settings import PaintSettings
from transforms.anonymizing.lookup import Covers, covers_of_video
from transforms.images.pixels import open_image
from transforms.tables.cover_rows import AnonymizedImage, AnonymizedVideo
from transforms.tables.ledger import tally
from transforms.tables.shards import iter_rows, shard_names, shard_path
from transforms.tables.video_rows import Video
from transforms.videos.clip_writer import EncodeSettings
from transforms.videos.library import local_file
from transforms.videos.reader import VideoReader

pytestmark = pytest.mark.integration
SIZE = (480, 270)
RATE = Fraction(30_000, 1001)
FRAMES = 24
HIDDEN = range(9, 13)  # frames in which the first video's picture is blurred so that no face is found
SEEN_AGAIN = 0.35  # the score at which CenterFace finds a face
QUICK = AnonymizedVideoSettings(encode=EncodeSettings(preset="ultrafast"))


def blurred(frames) -> list[np.ndarray]:
    frames = list(frames)
    for number in HIDDEN:
        frames[number] = cv2.GaussianBlur(frames[number], (0, 0), 16)
    return frames


def films() -> dict[str, list[np.ndarray]]:
    """People who move: one who is hidden for a while, several at once, some who are small, and a landscape."""
    return {
        "hidden": blurred(videos.pan(portrait("obama-1", SIZE, height=0.4), FRAMES, SIZE, shift=(0.2, 0.05))),
        "several": list(videos.pan(videos.photograph("friends-1"), FRAMES, SIZE, shift=(0.05, 0), zoom=1.1)),
        "small": list(videos.pan(portrait("biden-1", SIZE, (0.3, 0.4), 0.08), FRAMES, SIZE, shift=(0.1, 0))),
        "street": list(videos.pan(videos.photograph("street-1"), FRAMES, SIZE, shift=(0.1, 0), zoom=1.3)),
        "nobody": list(videos.pan(videos.photograph("lake-1"), FRAMES, SIZE)),
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> str:
    """A run of the recipe with the films."""
    place = tmp_path_factory.mktemp("anonymize")
    how = videos.File(fps=RATE, tones=(videos.Tone(440, 0, 0.4),))
    pages, rows = {}, ["video_id,url"]
    for name, frames in films().items():
        path = videos.write(place / f"{name}.mp4", frames, how)
        pages[f"/{name}.mp4"] = Page(200, {"Content-Type": "video/mp4"}, path.read_bytes())
    with serve(pages) as port:
        rows += [f"{name[1:-4]},http://127.0.0.1:{port}{name}" for name in pages]
        (place / "list.csv").write_text("\n".join(rows) + "\n")
        more = [f"fetch.allow_hosts=['127.0.0.1:{port}']", "anonymized.encode.preset=ultrafast"]
        recipe, settings = configuration.load("anonymize", more)
        run(Order(recipe, settings, str(place / "list.csv"), str(place / "run")))
    return str(place / "run")


def rows(folder: str, table: str, kind: type) -> dict:
    found = [row for name in shard_names(folder, table) for row in iter_rows(shard_path(folder, table, name), kind)]
    return {getattr(row, "video_id", None) or row.image_id: row for row in found}


def pictures(folder: str, file: str) -> list[np.ndarray]:
    with local_file(folder, file) as path, VideoReader(path) as reader:
        return [image for _, image in reader.frames(range(len(reader)))]


class Finders:
    """CenterFace and, where there is its file, YuNet: the boxes of all faces in a picture."""

    def __init__(self) -> None:
        known = KnownModels(catalogue.load())
        self._center = load_model(known.of({"face": 640}, face="centerface")["face"])
        data = os.environ.get("MANYFACES_TEST_DATA")
        file = Path(data or "", "models", "yunet_s_dynamic.onnx")
        self._yunet = cv2.FaceDetectorYN.create(str(file), "", SIZE, 0.6) if data and file.exists() else None

    def __call__(self, image: np.ndarray) -> np.ndarray:
        found = self._center(image)
        boxes = [found.boxes[found.scores >= SEEN_AGAIN]]
        if self._yunet is not None:
            self._yunet.setInputSize((image.shape[1], image.shape[0]))
            faces = self._yunet.detect(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))[1]
            if faces is not None:
                boxes.append(np.column_stack([faces[:, :2], faces[:, :2] + faces[:, 2:4]]))
        return np.concatenate(boxes)


@pytest.fixture(scope="module")
def finders() -> Finders:
    return Finders()


def touches(box: np.ndarray, others: np.ndarray) -> bool:
    """Whether a tenth of the box lies in one of the others."""
    if not len(others):
        return False
    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    shared = np.maximum(sides, 0).prod(axis=1)
    return bool((shared > 0.1 * (box[2:] - box[:2]).prod()).any())


def found_again(images: list[np.ndarray], covers: Covers, finders: Finders) -> list[int]:
    """The frames in which a face that was covered is found."""
    return [n for n, image in enumerate(images) if any(touches(box, covers.at(n)) for box in finders(image))]


WAYS = [PaintSettings(how="blur"), PaintSettings(how="pixelate"), PaintSettings(how="fill")]


@pytest.mark.parametrize("name", ["hidden", "several", "small", "street"])
@pytest.mark.parametrize("paint", WAYS, ids=[paint.how for paint in WAYS])
def test_no_covered_face_is_found_again(folder, finders, paint, name):
    (row,) = anonymized_files(folder, QUICK, paint, rows(folder, "videos", Video)[name])
    (covers,) = covers_of_video(folder, name)
    assert found_again(pictures(folder, row.file), covers, finders) == []


@pytest.mark.parametrize("name", ["hidden", "several", "small", "street"])
def test_with_painting_off_they_are_found(folder, finders, name, monkeypatch):
    monkeypatch.setattr(anonymized_stage, "cover", lambda image, boxes, settings: image)
    (row,) = anonymized_files(folder, QUICK, PaintSettings(), rows(folder, "videos", Video)[name])
    (covers,) = covers_of_video(folder, name)
    assert len(found_again(pictures(folder, row.file), covers, finders)) > FRAMES / 2


def test_a_face_is_covered_in_frames_in_which_it_is_not_found(folder):
    (covers,) = covers_of_video(folder, "hidden")
    unseen = [n for n in range(FRAMES) if not any(covers.found[covers.places(n)])]
    assert set(unseen).intersection(HIDDEN)  # else the test shows nothing
    assert all(len(covers.at(n)) for n in range(FRAMES))


def test_every_frame_is_there_at_its_time_and_with_its_sound(folder):
    for name, row in rows(folder, "anonymized", AnonymizedVideo).items():
        assert (row.first_frame, row.end_frame, row.audio) == (0, FRAMES, True)
        with local_file(folder, row.file) as path, VideoReader(path) as reader:
            assert len(reader) == FRAMES
            assert reader.times == pytest.approx([float(n / RATE) for n in range(FRAMES)], abs=1e-9), name


def test_what_is_not_covered_stays(folder):
    row = rows(folder, "anonymized", AnonymizedVideo)["nobody"]
    assert (row.covers, row.covered_frames, row.covered_share) == (0, 0, 0)
    for before, after in zip(films()["nobody"], pictures(folder, row.file), strict=True):
        assert np.abs(before.astype(int) - after).mean() < 8


def test_the_report_has_every_cover(folder):
    row = rows(folder, "anonymized", AnonymizedVideo)["hidden"]
    with (Path(folder) / row.report).open(newline="") as file:
        lines = list(csv.DictReader(file))
    (covers,) = covers_of_video(folder, "hidden")
    assert [int(line["frame"]) for line in lines] == covers.numbers.tolist()
    assert len(lines) == row.covers
    assert {line["found"] for line in lines} == {"0", "1"}
    assert float(lines[0]["x1"]) == pytest.approx(covers.boxes[0, 0], abs=0.01)


def test_stages_balance(folder):
    reasons = {stage: tally(folder, stage).by_reason for stage in ("download", "shots", "covers", "anonymized")}
    assert list(reasons.values()) == [{"kept": 5}] * 4


SIDES = (200, 320, 640)  # longer sides, pixels, of the photographs that are written
PEOPLE = ("obama-1", "obama-6", "biden-1", "hanks-1", "friends-1", "street-1", "pitch-1", "party-1", "astronaut-1")


def stills() -> dict[str, np.ndarray]:
    """Photographs as they are and smaller, down to faces of a few pixels; PNG files."""
    images = {name: videos.photograph(name) for name in (*PEOPLE, "lake-1")}
    for name in PEOPLE:
        longer = max(images[name].shape[:2])
        for side in [side for side in SIDES if side < longer]:
            small = cv2.resize(images[name], None, fx=side / longer, fy=side / longer, interpolation=cv2.INTER_AREA)
            images[f"{name}-{side}"] = small
    return images


@pytest.fixture(scope="module")
def of_images(tmp_path_factory) -> str:
    """A run of the recipe anonymize_images with the stills."""
    place = tmp_path_factory.mktemp("images")
    files = {name: cv2.imencode(".png", image[..., ::-1])[1].tobytes() for name, image in stills().items()}
    with serve({f"/{name}": Page(200, {}, file) for name, file in files.items()}) as port:
        (place / "list.csv").write_text("id,url\n" + "".join(f"{n},http://127.0.0.1:{port}/{n}\n" for n in files))
        recipe, settings = configuration.load("anonymize_images", [f"fetch.allow_hosts=['127.0.0.1:{port}']"])
        run(Order(recipe, settings, str(place / "list.csv"), str(place / "run")))
    return str(place / "run")


@pytest.fixture(scope="module")
def written(of_images) -> dict[str, tuple[AnonymizedImage, np.ndarray]]:
    """The images that it wrote, each with its row."""
    found = rows(of_images, "anonymized", AnonymizedImage)
    assert found.keys() == stills().keys()
    return {name: (row, open_image(Path(of_images, row.file).read_bytes())) for name, row in found.items()}


def test_images_lose_their_faces(written, finders):
    boxes = {name: row.boxes.reshape(-1, 4) for name, (row, _) in written.items()}
    assert [name for name in PEOPLE if not len(boxes[name])] == []
    assert len(boxes["lake-1"]) == 0
    assert [name for name, (_, image) in written.items() if any(touches(b, boxes[name]) for b in finders(image))] == []
    assert {name: image.shape for name, image in stills().items()} == {n: one.shape for n, (_, one) in written.items()}


def test_the_faces_of_images_were_there_to_be_found(written, finders):
    small = {name: image for name, image in stills().items() if name.endswith(f"-{SIDES[0]}")}
    found = [name for name, image in small.items() for b in finders(image) if touches(b, written[name][0].boxes)]
    assert len(set(found)) == len(small)


def test_an_image_that_is_removed_leaves_no_file_and_touches_no_other(of_images, tmp_path):
    run_ = str(shutil.copytree(of_images, tmp_path / "run"))
    left = Path(run_, "anonymized", "00", "hanks-1.jpg")  # of a killed worker: no row names it
    left.parent.mkdir(exist_ok=True)
    left.write_bytes(b"left")
    assert_gone(run_, ["--images", "hanks-1"], {"hanks-1"}, "image_id", set())
    assert_nothing_to_do(run_, lambda: main(["retry", run_]))


def test_a_video_that_is_removed_leaves_no_file_and_touches_no_other(folder, tmp_path):
    run_ = str(shutil.copytree(folder, tmp_path / "run"))
    assert_gone(run_, ["--videos", "hidden", "street"], {"hidden", "street"}, "video_id", set())
    assert not list(Path(run_).rglob("*hidden*"))
    assert_nothing_to_do(run_, lambda: main(["retry", run_]))
