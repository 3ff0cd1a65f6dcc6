from dataclasses import replace

import numpy as np
import pytest

from model_handlers.interface import Detections
from transforms.tables.reasons import Rejected
from transforms.tables.video_rows import Shot
from transforms.vision.span_settings import SpanSettings
from transforms.vision.spans_stage import Sample, samples_of, span_rows, with_largest_face

SETTINGS = SpanSettings()
SHOT = Shot("v-s3", "v", "news", "{}", "media/v.mp4", 100, 180, 4.0, 7.2, 200, 100)
BOX = np.array([80, 20, 120, 80], np.float32)
POINTS = np.tile(BOX[:2], (5, 1))
NOTHING = Detections(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros((0, 5, 2), np.float32))


def detections(*faces: tuple[float, float, float]) -> Detections:
    """Faces of these widths, heights and scores."""
    boxes = np.array([(10, 10, 10 + width, 10 + height) for width, height, _ in faces], np.float32)
    return Detections(boxes, np.array([score for *_, score in faces], np.float32), np.zeros((len(faces), 5, 2)))


def seen(shot: Shot = SHOT, **changes) -> list[Sample]:
    """Every sample of the shot with a face in place."""
    vector = np.eye(4)[0]
    whole = samples_of(SETTINGS, shot)
    return [replace(one, box=BOX, score=0.9, landmarks=POINTS, vector=vector, **changes) for one in whole]


def spans(samples, settings=SETTINGS):
    return [(span.first_frame, span.end_frame) for span in span_rows(settings, SHOT, samples)]


def test_samples_are_every_second_frame_of_the_shot():
    assert [sample.number for sample in samples_of(SETTINGS, replace(SHOT, end_frame=105))] == [100, 102, 104]
    assert [sample.place for sample in samples_of(SETTINGS, replace(SHOT, end_frame=105))] == [0, 1, 2]


@pytest.mark.parametrize(
    ("found", "height"),
    [
        (NOTHING, None),
        (detections((40, 60, 0.4)), None),
        (detections((40, 60, 0.6)), 60),
        (detections((30, 30, 0.9), (40, 60, 0.6)), 60),  # the largest, not the surest
        (detections((40, 60, 0.6), (90, 90, 0.4)), 60),  # of those that are sure enough
        (detections((20, 60, 0.6)), None),  # a tenth of the width is not more than a tenth
        (detections((21, 11, 0.6)), 11),
    ],
)
def test_the_largest_face_counts_if_it_is_large_enough(found, height):
    sample = Sample("media/v.mp4", 100, 0, pixels=np.zeros((100, 200, 3), np.uint8))
    box = with_largest_face(SETTINGS, sample, [found]).box
    assert (None if box is None else box[3] - box[1]) == height


@pytest.mark.parametrize(
    ("failing", "expected"),
    [
        ([], [(100, 179)]),
        ([20], [(100, 179)]),  # a frame that fails alone costs nothing
        ([20, 21], [(100, 179)]),
        ([18, 19, 20], [(100, 135), (142, 179)]),
    ],
)
def test_frames_that_fail_are_missing(failing, expected):
    samples = [Rejected("broken_frame") if i in failing else one for i, one in enumerate(seen())]
    assert spans(samples) == expected


def test_too_many_frames_that_fail_are_a_failed_shot():
    samples = [Rejected("out_of_memory", "no room") if i % 8 == 1 else one for i, one in enumerate(seen())]
    with pytest.raises(Rejected) as why:
        spans(samples)
    assert (why.value.code, why.value.detail) == ("out_of_memory", "5 of 40 frames; the first: no room")
    assert spans(samples, SpanSettings(max_failed_share=0.2)) == [(100, 179)]


@pytest.mark.parametrize(
    ("samples", "code"), [(samples_of(SETTINGS, SHOT), "no_face"), (seen()[:16], "no_span"), (seen()[::5], "no_span")]
)
def test_shots_without_a_span_say_why(samples, code):
    with pytest.raises(Rejected) as why:
        spans(samples)
    assert why.value.code == code


def test_a_row_has_what_was_seen():
    (row,) = span_rows(SETTINGS, SHOT, seen())
    assert (row.span_id, row.shot_id, row.video_id, row.label) == ("v-s3-100", "v-s3", "v", "news")
    assert row.numbers == list(range(100, 180, 2))
    assert row.boxes.shape == (40, 4)
    assert row.landmarks.shape == (40, 5, 2)
    assert row.scores.tolist() == pytest.approx([0.9] * 40)
    assert row.face_consistency == 0


@pytest.mark.parametrize(("vectors", "expected"), [([], None), ([0], None), ([0, 1], 1), ([0] * 5 + [1], 0)])
def test_consistency_is_of_the_first_five_embeddings(vectors, expected):
    samples = [replace(one, vector=None) for one in seen()]
    for i, axis in enumerate(vectors):
        samples[2 * i] = replace(samples[2 * i], vector=np.eye(4)[axis])
    (row,) = span_rows(SpanSettings(max_distance=2), SHOT, samples)
    assert row.face_consistency == expected
