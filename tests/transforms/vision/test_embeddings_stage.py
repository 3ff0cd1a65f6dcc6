import numpy as np
import pytest

from model_handlers.models import catalogue
from transforms.tables.reasons import Rejected
from transforms.vision.embeddings_stage import Crop, embedding_rows


@pytest.mark.parametrize(
    ("vector", "words"),
    [
        (np.ones(512, np.float32), "model 'dlib-resnet': its dimension in the catalogue is 128, .* vectors of 512"),
        (np.ones((1, 128), np.float32), r"vectors of shape \(1, 128\)"),
        (np.zeros(128, np.float32), "norm is 0"),
        (np.full(128, np.nan, np.float32), "norm is nan"),
    ],
)
def test_a_vector_that_is_none_is_told_with_the_model(vector, words):
    with pytest.raises(Rejected, match=words) as why:
        embedding_rows(catalogue.load().get("dlib-resnet"), Crop(None, None), [vector])
    assert why.value.code == "model_error"
