"""Crops for networks that tell by the look: whole, stretched, normalized."""

import numpy as np
import pytest
import skimage.data
from PIL import Image

from model_handlers.codecs.appearance import codec, decode
from model_handlers.framing import NORMALIZATIONS


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (301, 2), (224, 224), (97, 203), (512, 512)])
@pytest.mark.parametrize(("height", "width"), [(224, 224), (256, 128)])
def test_a_crop_is_stretched_whole(shape, height, width):
    crop = skimage.data.astronaut()[: shape[0], : shape[1]]
    planes, context = codec(height, width).encode(crop)
    assert context is None
    assert (planes.shape, planes.dtype, planes.flags.c_contiguous) == ((3, height, width), np.float32, True)
    stretched = np.asarray(Image.fromarray(crop).resize((width, height), Image.Resampling.BILINEAR)) / 255
    mean, deviation = NORMALIZATIONS["imagenet"]
    np.testing.assert_allclose(planes.transpose(1, 2, 0), (stretched - mean) / deviation, atol=1e-5)


def test_without_normalization_it_is_0_to_1():
    planes, _ = codec(8, 8, None).encode(np.full((5, 9, 3), (0, 51, 255), np.uint8))
    np.testing.assert_allclose(planes[:, 3, 3], [0, 0.2, 1], rtol=1e-6)


@pytest.mark.parametrize("shape", [(4,), (4, 1, 1), (1, 4)])
def test_the_vector_is_flat_and_as_long_as_the_model_gives_it(shape):
    given = np.array([3, 0, -4, 0.5]).reshape(shape)
    found = decode((given,), None)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, [3, 0, -4, 0.5])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"height": 0}, "its height and width are from 1 to 2048 pixels, not 0 and 224"),
        ({"width": 4000}, "its height and width are from 1 to 2048"),
        ({"normalization": "vgg"}, "its normalization is one of imagenet, clip, not 'vgg'"),
    ],
)
def test_options_that_cannot_be(options, words):
    with pytest.raises(ValueError, match=words):
        codec(**options)
