"""Stage clothes: what is cut out of the frame, described by colours or by the model, and which faces have none."""

from dataclasses import replace
from fractions import Fraction
from functools import lru_cache

import numpy as np
import pytest

from model_handlers.models import catalogue
from model_handlers.models.roles import KnownModels
from tests import videos
from tests.transforms.vision.test_vision_stages import run
from tests.video_rows import face
from transforms.flow.items import Item
from transforms.persons import clothes_stage
from transforms.persons.clothes_settings import ClothesSettings
from transforms.persons.clothes_stage import DescribeClothes, describe_clothes
from transforms.persons.clothing import colours
from transforms.tables.reasons import Rejected
from transforms.videos.frame_cache import frame_pixels

SIZE = WIDTH, HEIGHT = 320, 240
COLOURS = ClothesSettings(model=None)
FACE, LOW, EDGE = (100, 20, 160, 100), (100, 120, 160, 215), (0, 20, 60, 100)


@lru_cache
def known() -> KnownModels:
    return KnownModels(catalogue.load())


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> str:
    """A run whose only video is a photograph."""
    made = tmp_path_factory.mktemp("run")
    videos.write(made / "v.mp4", videos.scenes(["obama-1"], [3], SIZE))
    return str(made)


def faces(*boxes):
    return [replace(face("v", 1, n), media="v.mp4", box=np.array(box, np.float32)) for n, box in enumerate(boxes)]


def described(folder, settings, *boxes):
    models = known().of(clothing=settings.model)
    items = [Item("c", (n,), Fraction(1, len(boxes) + 1), row) for n, row in enumerate(faces(*boxes))]
    items.append(Item("c", (len(boxes),), Fraction(1, len(boxes) + 1), None))
    (outcomes,) = run(items, DescribeClothes(folder, settings, models))
    assert sum(outcome.share for outcome in outcomes) == 1
    return outcomes[:-1]


def test_colours_are_those_of_the_clothes_in_the_frame(folder):
    pixels = frame_pixels(folder, "v.mp4", 1)
    outcomes = described(folder, COLOURS, FACE, EDGE, LOW)
    for outcome, (box, part) in zip(outcomes[:2], [
        ((40, 116, 220, 180), pixels[116:180, 40:220]),
        ((-60, 116, 120, 180), pixels[116:180, :120]),  # what is black because it is outside is no colour
    ], strict=True):  # fmt: skip
        (row,) = outcome.rows
        np.testing.assert_allclose(row.clothes_box, box)
        np.testing.assert_allclose(row.vector.astype(np.float32), colours(part), atol=1e-3)
        assert (row.face_id, row.video_id, row.descriptor) == (outcome.verdict.item_id, "v", "colours")
        assert row.vector.dtype == np.float16
    assert (outcomes[2].verdict.reason, outcomes[2].verdict.state) == ("no_clothes", "dropped")
    assert outcomes[2].verdict.detail == "0.08 of their height is in the frame, less than 0.25"


def test_the_least_share_can_be_said(folder):
    (kept,) = described(folder, ClothesSettings(model=None, min_visible=0.05), LOW)
    (row,) = kept.rows
    np.testing.assert_allclose(row.clothes_box, (40, 234, 220, 240))


@pytest.mark.parametrize("box", [(1e7, 20, 2e7, 100), (-2e7, 20, 3e7, 100)])
def test_boxes_of_any_size_cost_no_more_than_three_frames(folder, box):
    dressed = clothes_stage._cut_out(folder, ClothesSettings(), *faces(box))
    assert dressed.pixels.size <= 3 * WIDTH * HEIGHT * 3


@pytest.mark.parametrize("box", [(100, -3e8, 160, 100), (50, 20, 50, 100), (100, 20, 160, 20)])
def test_boxes_under_which_nothing_is(folder, box):
    with pytest.raises(Rejected, match="no_clothes"):
        clothes_stage._cut_out(folder, COLOURS, *faces(box))


@pytest.mark.integration
def test_the_model_sees_what_is_outside_as_black_and_the_stage_says_how_long_its_vectors_are(folder):
    settings = ClothesSettings()
    stage = describe_clothes(settings, known())
    inside, edge, low = described(folder, settings, FACE, EDGE, LOW)
    for outcome in (inside, edge):
        (row,) = outcome.rows
        assert row.descriptor == "mobilenetv2-appearance"
        assert len(row.vector) == stage.schema.field("vector").type.list_size
        assert np.isfinite(row.vector).all()
        assert row.vector.any()
    assert low.verdict.reason == "no_clothes"
    dressed = clothes_stage._cut_out(folder, settings, faces(EDGE)[0])
    assert dressed.pixels.shape == (64, 180, 3)
    assert (dressed.pixels[:, :60] == 0).all()
    assert describe_clothes(COLOURS, known()).schema.field("vector").type.list_size == 128


@pytest.mark.parametrize("value", [0, 1e6, np.nan, np.inf, 1e-9])
def test_a_vector_that_is_none_when_it_is_stored_ends_its_face(value):
    dressed = clothes_stage._Dressed(face("v"), np.zeros(4, np.float32), np.zeros((1, 1, 3), np.uint8))
    with pytest.raises(Rejected) as why:
        clothes_stage._of_model("m", dressed, [np.full(3, value, np.float32)])
    assert why.value.code == "model_error"
