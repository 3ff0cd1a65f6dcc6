from dataclasses import dataclass, field

import numpy as np
import pytest

from transforms.tables.reasons import Rejected
from transforms.vision.filters import FILTERS, check_filters
from transforms.vision.settings import FaceSettings

MIDDLE = np.full((5, 2), 50.0)
NO_FUNCTION = 7


@dataclass
class Seen:
    roll: float = 0.0
    side: int = 100
    crop_landmarks: np.ndarray = field(default_factory=MIDDLE.copy)


def fails(face: Seen) -> str | None:
    return f"side {face.side}" if face.side < 50 else None


OWN = f"{__name__}:fails"


def edge(x: float) -> np.ndarray:
    points = MIDDLE.copy()
    points[0, 0] = x
    return points


@pytest.mark.parametrize(
    ("filters", "face", "detail"),
    [
        ((), Seen(roll=180), None),
        (("upright",), Seen(roll=45), None),
        (("upright",), Seen(roll=-60), "upright: rolled by -60 degrees"),
        (("whole",), Seen(crop_landmarks=edge(100.5)), None),
        (("whole",), Seen(crop_landmarks=edge(103)), "whole: a landmark lies outside of the crop"),
        (("whole",), Seen(crop_landmarks=edge(-3)), "whole: a landmark lies outside of the crop"),
        (("upright", OWN), Seen(side=40), f"{OWN}: side 40"),
        ((OWN, "upright"), Seen(side=40, roll=90), f"{OWN}: side 40"),
    ],
)
def test_the_first_filter_that_leaves_a_face_out_says_why(filters, face, detail):
    if detail is None:
        check_filters(filters, face)
        return
    with pytest.raises(Rejected) as why:
        check_filters(filters, face)
    assert (why.value.code, why.value.detail) == ("filtered", detail)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("uprigt", "there is no filter 'uprigt'; did you mean 'upright'"),
        ("nowhere:x", "there is no module 'nowhere'"),
        (f"{__name__}:NO_FUNCTION", "this is a int and no function"),
    ],
)
def test_filters_that_are_not_there_say_so(name, words):
    with pytest.raises(ValueError, match=words):
        FaceSettings(filters=[name])
    assert FaceSettings(filters=list(FILTERS)).filters == tuple(FILTERS)
