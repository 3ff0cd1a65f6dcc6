from dataclasses import replace

import numpy as np
import pytest

from model_handlers.errors import ModelError
from model_handlers.interface import Objects
from model_handlers.models import catalogue
from model_handlers.models.roles import KnownModels
from transforms.tables.reasons import Rejected
from transforms.tables.video_rows import Shot
from transforms.tracking.object_settings import ObjectSettings
from transforms.tracking.objects_stage import Sample, find_objects, objects_row, with_features, with_objects

SETTINGS = ObjectSettings()
SHOT = Shot("v-s3", "v", "news", "{}", "media/v.mp4", 100, 180, 4.0, 7.2, 200, 100)
SAMPLE = Sample("media/v.mp4", 100, 4.0)
KNOWN = KnownModels(catalogue.load())


def objects(*found: tuple[float, int, float], **more) -> Objects:
    """Objects at these left edges, of these classes and scores; 20 pixels wide."""
    boxes = np.array([(x, 10, x + 20, 30) for x, *_ in found], np.float32).reshape(-1, 4)
    classes = np.array([one for _, one, _ in found], np.int64)
    return Objects(boxes, np.array([score for *_, score in found], np.float32), classes, **more)


def looked(found: Objects, settings=SETTINGS, wanted=None):
    return with_objects(settings, wanted, SAMPLE, [found]).found


def test_a_frame_without_objects():
    found = looked(objects(probabilities=np.zeros((0, 80), np.float32)))
    assert found.boxes.shape == (0, 4)
    assert found.class_counts.tolist() == []
    assert found.probabilities.dtype == np.float32


@pytest.mark.parametrize(
    ("settings", "wanted", "lefts"),
    [
        ({}, None, [0, 40, 80]),
        ({"min_score": 0.5}, None, [0, 40]),
        ({"max_objects": 1}, None, [0]),
        ({}, [2], [40]),
        ({"max_overlap": 0.5}, None, [0, 40, 80]),
    ],
)
def test_which_objects_of_a_frame_are_kept(settings, wanted, lefts):
    # the second lies on the first and is of another class; the last is below any score
    found = objects((0, 1, 0.9), (1, 5, 0.8), (40, 2, 0.7), (80, 1, 0.3), (120, 1, 0.05))
    wanted = None if wanted is None else np.array(wanted)
    assert looked(found, ObjectSettings(**settings), wanted).boxes[:, 0].tolist() == lefts


def test_probabilities_below_the_floor_are_left_out_but_not_that_of_the_class_itself():
    table = np.array([[0.005, 0.009, 0.2], [0.004, 0.001, 0.003]], np.float32)
    found = looked(objects((0, 1, 0.9), (40, 2, 0.5), probabilities=table))
    assert found.class_counts.tolist() == [2, 1]
    assert found.classes.tolist() == [1, 2, 2]
    assert found.probabilities == pytest.approx([0.009, 0.2, 0.003])


def test_where_the_model_tells_no_probabilities_the_class_has_the_score():
    found = looked(objects((0, 7, 0.9)))
    assert (found.classes.tolist(), found.class_counts.tolist()) == ([7], [1])
    assert found.probabilities == pytest.approx([0.9])


def test_features_are_of_unit_length_and_zero_stays_zero():
    found = looked(objects((0, 1, 0.9), (40, 1, 0.8), features=np.array([[3, 4], [0, 0]], np.float32)))
    assert found.features.dtype == np.float16
    assert found.features == pytest.approx(np.array([[0.6, 0.8], [0, 0]]), abs=1e-3)


def test_the_vectors_of_an_appearance_model_replace_the_detectors():
    sample = with_objects(SETTINGS, None, SAMPLE, [objects((0, 1, 0.9), features=np.ones((1, 2), np.float32))])
    assert with_features(0.3, sample, [np.array([0, 2, 0], np.float32)]).found.features.tolist() == [[0, 1, 0]]
    nothing = with_objects(SETTINGS, None, SAMPLE, [objects()])
    assert with_features(0.3, nothing, []).found.features is None


def test_objects_of_a_low_score_are_not_described():
    sample = with_objects(SETTINGS, None, SAMPLE, [objects((0, 1, 0.9), (40, 1, 0.2), (80, 1, 0.3))])
    found = with_features(0.3, sample, [np.array([0, 2]), np.array([3, 0])]).found.features
    assert found.tolist() == [[0, 1], [1, 0], [0, 0]]  # by falling score


def samples(*frames: Objects) -> list[Sample]:
    return [
        with_objects(SETTINGS, None, replace(SAMPLE, number=100 + place, time=4 + place / 25), [frame])
        for place, frame in enumerate(frames)
    ]


def test_the_row_has_the_frames_without_an_object_too():
    (row,) = objects_row(SETTINGS, SHOT, samples(objects(), objects((0, 1, 0.9), (40, 2, 0.8)), objects()))
    assert row.numbers == [100, 101, 102]
    assert row.times == pytest.approx([4, 4.04, 4.08])
    assert row.counts.tolist() == [0, 2, 0]
    assert row.boxes.shape == (2, 4)
    assert (row.shot_id, row.width, row.objectness, row.features) == ("v-s3", 200, None, None)


def test_features_are_zero_in_frames_of_which_nothing_is_told():
    feature = np.ones((1, 4), np.float32)
    (row,) = objects_row(
        SETTINGS, SHOT, samples(objects(), objects((0, 1, 0.9), features=feature), objects((0, 1, 0.2), (40, 1, 0.2)))
    )
    assert row.features.any(axis=1).tolist() == [True, False, False]


@pytest.mark.parametrize("frames", [[], [objects(), objects()]])
def test_a_shot_without_objects(frames):
    with pytest.raises(Rejected, match="no_object"):
        objects_row(SETTINGS, SHOT, samples(*frames))


def test_frames_that_failed_are_left_out_unless_they_are_too_many():
    good, broken = samples(*[objects((0, 1, 0.9))] * 19), Rejected("broken_frame", "frame 7 does not decode")
    (row,) = objects_row(SETTINGS, SHOT, [*good, broken])
    assert len(row.numbers) == 19
    with pytest.raises(Rejected, match="broken_frame") as caught:
        objects_row(SETTINGS, SHOT, [*good[:8], broken])
    assert caught.value.detail == "1 of 9 frames; the first: frame 7 does not decode"


def test_a_class_that_the_vocabulary_has_not():
    with pytest.raises(ModelError, match=r"objects.classes: the vocabulary has no 'persn'; did you mean 'person'\?"):
        find_objects(ObjectSettings(classes=("persn",)), KNOWN)


@pytest.mark.parametrize(("vocabulary", "count"), [(None, 80), ("coco", 80), ("lvis", 1203)])
def test_the_vocabulary_that_the_configuration_names(vocabulary, count):
    stage = find_objects(ObjectSettings(model="owlv2-base", vocabulary=vocabulary), KNOWN)
    assert len(stage.models["objects"].classes) == count


def test_a_vocabulary_in_a_file(tmp_path):
    path = tmp_path / "mine.txt"
    path.write_text("red car\n\nblue car\n")
    stage = find_objects(ObjectSettings(vocabulary=str(path), classes=("blue car",)), KNOWN)
    assert stage.models["objects"].classes == ("red car", "blue car")
    for text in ("", "a\na\n"):
        path.write_text(text)
        with pytest.raises(ModelError, match=r"the vocabulary .*mine.txt' for the role objects cannot be read"):
            find_objects(ObjectSettings(vocabulary=str(path)), KNOWN)
    with pytest.raises(ModelError, match="cannot be read"):
        find_objects(ObjectSettings(vocabulary=str(tmp_path / "missing.txt")), KNOWN)


def test_shots_are_read_where_there_are_no_filters():
    assert find_objects(SETTINGS, KNOWN).reads == "passed_shots"
    assert find_objects(SETTINGS, KNOWN, "shots").reads == "shots"
