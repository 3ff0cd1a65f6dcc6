"""Models from Python."""

import os

import cv2
import pytest

import manyfaces
from tests import photographs


def test_all_models_of_the_catalogue_are_there():
    known = manyfaces.models.catalogue()
    assert known["centerface"].task == "face"


@pytest.mark.integration
def test_a_model_is_called_with_an_image():
    assert os.path.isfile(manyfaces.models.fetch("centerface"))
    pixels = cv2.cvtColor(cv2.imread(str(photographs.path("obama-1"))), cv2.COLOR_BGR2RGB)
    found = manyfaces.models.load("centerface")(pixels)
    assert found.scores[0] > 0.5
    assert found.landmarks.shape[1:] == (5, 2)


@pytest.mark.parametrize("name", ["centreface", ""])
def test_a_model_that_is_not_there_is_a_sentence(name):
    with pytest.raises(manyfaces.ModelError, match=f"there is no model '{name}'"):
        manyfaces.models.load(name)
