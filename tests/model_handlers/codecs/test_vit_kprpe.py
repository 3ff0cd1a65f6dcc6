"""What the codec of ViT with KP-RPE cuts out of a face's crop, and where it says the landmarks lie."""

import numpy as np
import pytest
from PIL import Image

from model_handlers.codecs.vit_kprpe import codec, encode
from model_handlers.geometry import ARCFACE, similarity, transform, warp
from tests.image_files import GREY, PHOTO, SMALL, png, saved
from transforms.images.pixels import open_image
from transforms.vision.alignment import alignment

# eyes, nose and corners of the mouth in scikit-image's astronaut, about
LANDMARKS = np.array([(203, 104), (245, 101), (226, 127), (206, 149), (244, 147)], dtype=np.float32)


def aligned(side: int, context: float = 160 / 112) -> tuple[np.ndarray, np.ndarray]:
    """The crop of the stage of faces, and the landmarks in it."""
    matrix = alignment(LANDMARKS, side, context)
    return warp(PHOTO, matrix, side), transform(matrix, LANDMARKS)


def levels(planes: np.ndarray) -> np.ndarray:
    """Planes (3,112,112) as an image (112,112,3), 0 to 255."""
    return planes.transpose(1, 2, 0) * 127.5 + 127.5


@pytest.mark.parametrize("side", [160, 220, 320, 640])
def test_of_an_aligned_crop_it_is_the_middle_antialiased(side):
    crop, landmarks = aligned(side)
    (planes, keypoints), context = encode(crop, landmarks, None)
    edge = side * 24 // 160
    middle = Image.fromarray(crop[edge : side - edge, edge : side - edge])
    wanted = np.asarray(middle.resize((112, 112), Image.Resampling.BILINEAR))
    assert (planes.shape, planes.dtype, keypoints.shape, keypoints.dtype) == (
        (3, 112, 112), np.float32, (5, 2), np.float32,
    )  # fmt: skip
    assert planes.flags.c_contiguous
    assert context is None
    np.testing.assert_allclose(levels(planes), wanted, atol=1e-3)
    np.testing.assert_allclose(keypoints, (landmarks / side - 0.15) / 0.7, atol=1e-5)


@pytest.mark.parametrize("side", [7, 16, 77, 111, 113, 187, 251, 319])
def test_crops_of_odd_sides(side):
    crop, landmarks = aligned(side)
    (planes, keypoints), _ = encode(crop, landmarks, None)
    edge = side * 24 / 160
    box = (edge, edge, side - edge, side - edge)
    wanted = np.asarray(Image.fromarray(crop).resize((112, 112), Image.Resampling.BILINEAR, box=box))
    assert abs(levels(planes) - wanted).mean() < 2, "half a pixel of the crop at most"
    np.testing.assert_allclose(keypoints, (landmarks / side - 0.15) / 0.7, atol=1e-4)


@pytest.mark.parametrize("context", [1, 1.2, 2, 4])
def test_the_context_of_the_crop_does_not_matter(context):
    wanted, places = encode(*aligned(320), None)[0]
    planes, keypoints = encode(*aligned(round(224 * context), context), None)[0]
    assert abs(planes - wanted)[:, 2:-2, 2:-2].mean() < 0.02
    np.testing.assert_allclose(keypoints, places, atol=1e-4)


@pytest.mark.parametrize("angle", [0, 30, -45])
def test_a_face_that_was_only_cut_out_is_levelled(angle):
    turn = np.array([(np.cos(np.radians(angle)), -np.sin(np.radians(angle))), np.zeros(2)])
    turn[1] = -turn[0, 1], turn[0, 0]
    matrix = np.column_stack([2 * turn, np.array([256, 256]) - 2 * turn @ LANDMARKS.mean(axis=0)])
    crop = warp(PHOTO, matrix, 512)
    planes, keypoints = encode(crop, transform(matrix, LANDMARKS), None)[0]
    wanted, places = encode(*aligned(320), None)[0]
    assert abs(planes - wanted).mean() < 0.04
    np.testing.assert_allclose(keypoints, places, atol=1e-4)


def test_landmarks_of_no_shape():
    crop = np.zeros((64, 64, 3), np.uint8)
    with pytest.raises(ValueError, match="different finite points"):
        encode(crop, np.ones((5, 2)), None)
    crossed = ARCFACE[[1, 0, 2, 4, 3]]  # right and left mistaken: hardly a similarity, and no huge picture
    assert encode(crop, crossed, None)[0][0].shape == (3, 112, 112)


@pytest.mark.parametrize(
    "file",
    [
        saved(SMALL, "PNG"),
        saved(GREY, "PNG"),
        png(GREY.astype(int) * 257, kind=0, depth=16),
        saved(Image.fromarray(SMALL).convert("CMYK"), "TIFF"),
    ],
    ids=["rgb", "grey", "16 bit", "cmyk"],
)
def test_pictures_of_all_kinds(file):
    image = open_image(file)
    landmarks = transform(similarity(ARCFACE, ARCFACE * 0.7), ARCFACE)
    planes, _ = encode(image, landmarks, None)[0]
    reference, _ = encode(SMALL, landmarks, None)[0]
    assert abs(planes.mean(axis=0) - reference.mean(axis=0)).mean() < 0.15
    assert -1 <= planes.min() < planes.max() <= 1


def test_the_length_of_the_vector_stays():
    vector = codec().decode((np.full(512, 3, dtype=np.float32),), None)
    assert np.linalg.norm(vector) == pytest.approx(3 * np.sqrt(512))
    assert codec().half
