"""Videos written without what is in `covers`: which frames may be written, and what is painted in them."""

import csv

import numpy as np
import pytest

from tests import videos
from transforms.anonymizing.anonymized_settings import AnonymizedVideoSettings
from transforms.anonymizing.anonymized_stage import anonymized_files
from transforms.anonymizing.covered_shots import covering
from transforms.anonymizing.covers_settings import PaintSettings
from transforms.tables.cover_rows import ShotCovers
from transforms.tables.reasons import Rejected
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import shard_path, write_rows
from transforms.tables.video_rows import Shot, Video
from transforms.videos.clip_writer import EncodeSettings
from transforms.videos.parts_stage import PartSettings, write_part, write_parts
from transforms.videos.reader import VideoReader

RED = PaintSettings(how="fill", colour=(255, 0, 0))
QUICK = AnonymizedVideoSettings(encode=EncodeSettings(preset="ultrafast"))
FRAMES = 30
BOX = (100, 80, 180, 160)


@pytest.fixture
def run(tmp_path) -> str:
    """A run with one video of 30 frames at 25/s, with sound."""
    (tmp_path / "media").mkdir()
    how = videos.File(tones=(videos.Tone(440, 0, 1.2),))
    videos.write(tmp_path / "media" / "v.mp4", videos.number_frames(FRAMES), how)
    return str(tmp_path)


def video(spans=None) -> Video:
    return Video(
        "v", "http://x/v.mp4", None, "{}", spans, "media/v.mp4", 1, "00", "mov", "h264", *videos.SIZE, 0, FRAMES, 1.2,
        25, True, "{}",
    )  # fmt: skip


def examined(run: str, *shots: tuple[int, int], covered=()) -> None:
    """The table `covers`: shots from one frame to before another, with a box in the frames that are covered."""
    rows = []
    for number, (first, end) in enumerate(shots):
        inside = [n for n in covered if first <= n < end]
        count = len(inside)
        boxes = np.tile(np.float32(BOX), (count, 1))
        more = ["face"] * count, np.zeros(count, np.int32), [True] * count, np.full(count, 0.9, np.float32)
        names = f"v-s{number}", "v", None, "{}", "media/v.mp4"
        rows.append(ShotCovers(*names, first, end, *videos.SIZE, inside, boxes, *more))
    write_rows(shard_path(run, "covers", "00000"), rows, arrow_schema(ShotCovers))


def written(run: str, file: str) -> list[tuple[int, bool]]:
    """The number of each frame of a file and whether its box is red."""
    x1, y1, x2, y2 = BOX
    with VideoReader(f"{run}/{file}") as reader:
        images = [image for _, image in reader.frames(range(len(reader)))]
    red = [np.abs(image[y1:y2, x1:x2].mean(axis=(0, 1)) - (255, 0, 0)).max() < 12 for image in images]
    return [(videos.read_number(image), bool(one)) for image, one in zip(images, red, strict=True)]


@pytest.mark.parametrize("shots", [[(0, 30)], [(0, 10), (10, 30)], [(0, 20), (15, 30)]])
def test_all_frames_are_written_and_covered(run, shots):
    examined(run, *shots, covered=[3, 4, 17])
    (row,) = anonymized_files(run, QUICK, RED, video())
    assert row.file == "anonymized/v/v.mp4"
    assert written(run, row.file) == [(n, n in (3, 4, 17)) for n in range(FRAMES)]
    assert (row.anonymized_id, row.first_frame, row.end_frame, row.audio) == ("v-a0", 0, 30, True)
    assert row.covered_frames == 3
    assert row.covered_share == pytest.approx(3 / 30 * 80 * 80 / (320 * 240), rel=1e-3)


@pytest.mark.parametrize(
    ("shots", "spans"),
    [
        ([], None),
        ([(0, 29)], None),
        ([(1, 30)], None),
        ([(0, 10), (11, 30)], None),  # a shot between was left out, or failed
        ([(0, 10)], [[0.2, 0.6]]),
    ],
)
def test_a_frame_that_no_one_has_looked_at_is_never_written(run, tmp_path, shots, spans):
    examined(run, *shots)
    with pytest.raises(Rejected) as rejected:
        anonymized_files(run, QUICK, RED, video(spans))
    assert rejected.value.code == "not_covered"
    assert not (tmp_path / "anonymized").exists()


def test_of_listed_spans_each_is_a_file_and_the_rest_is_not_written(run):
    examined(run, (0, 5), (10, 20), covered=[12])
    rows = anonymized_files(run, QUICK, RED, video([[0.4, 0.8], [0, 0.2]]))
    assert [(row.anonymized_id, row.file) for row in rows] == [
        ("v-a0", "anonymized/v/v_0.mp4"),
        ("v-a1", "anonymized/v/v_1.mp4"),
    ]
    assert written(run, rows[0].file) == [(n, False) for n in range(5)]
    assert written(run, rows[1].file) == [(n, n == 12) for n in range(10, 20)]


def test_the_report_says_what_was_covered_in_each_frame(run, tmp_path):
    examined(run, (0, 30), covered=[12])
    (row,) = anonymized_files(run, QUICK, RED, video())
    with (tmp_path / row.report).open(newline="") as file:
        (line,) = csv.DictReader(file)
    assert line == {
        "frame": "12", "time": "0.480000", "x1": "100.00", "y1": "80.00", "x2": "180.00", "y2": "160.00",
        "kind": "face", "track": "0", "found": "1", "score": "0.900",
    }  # fmt: skip


def test_sound_and_report_may_be_left_out(run):
    examined(run, (0, 30))
    (row,) = anonymized_files(run, QUICK.model_copy(update={"audio": False, "report": False}), RED, video())
    assert (row.audio, row.report) == (False, None)


def test_the_same_covers_give_the_same_bytes(run):
    examined(run, (0, 30), covered=[1, 2])
    first, second = (anonymized_files(run, QUICK, PaintSettings(), video())[0].sha256 for _ in range(2))
    assert first == second


def test_a_part_is_covered_too(run):
    examined(run, (5, 15), covered=[7])
    shot = Shot("v-s0", "v", None, "{}", "media/v.mp4", 5, 15, 0.2, 0.6, *videos.SIZE)
    (row,) = write_part(run, PartSettings(cuts="exact"), shot, covering(RED))
    assert written(run, row.file) == [(n, n == 7) for n in range(5, 15)]


def test_a_part_of_a_shot_that_was_not_examined_is_not_written(run, tmp_path):
    examined(run)
    shot = Shot("v-s0", "v", None, "{}", "media/v.mp4", 5, 15, 0.2, 0.6, *videos.SIZE)
    with pytest.raises(Rejected) as rejected:
        write_part(run, PartSettings(cuts="exact"), shot, covering(RED))
    assert rejected.value.code == "not_covered"
    assert not (tmp_path / "parts").exists()


def test_parts_that_are_copied_cannot_be_covered():
    with pytest.raises(ValueError, match="exact"):
        write_parts(PartSettings(), covering(RED))
    stage = write_parts(PartSettings(cuts="exact"), covering(RED))
    assert stage.inputs == ("shots", "covers")
    assert stage.settings["paint"] == RED
    assert write_parts(PartSettings()).inputs == ("shots",)
