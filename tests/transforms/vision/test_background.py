import numpy as np
import pytest

from transforms.vision.background import background_hash, hash_distance

MIDDLE = np.array([128, 128, 384, 384], float)


def crop(background, face=0):
    """A square of a background with a flat face in its middle."""
    made = np.broadcast_to(np.asarray(background, np.uint8), (512, 512))[..., None].repeat(3, axis=2).copy()
    made[128:384, 128:384] = face
    return made


LEFT_LIGHT = np.where(np.arange(512) < 256, 200, 50)


def test_a_flat_background_has_no_bits():
    assert background_hash(crop(77), MIDDLE) == "0" * 16


def test_face_alone():
    assert background_hash(crop(LEFT_LIGHT), np.array([-5, -5, 600, 600], float)) == "0" * 16


def test_by_hand():
    """The left half is lighter than the mean; the four by four cells in the middle are face."""
    rows = ["f0f0", "c0c0", "c0c0", "f0f0"]
    assert background_hash(crop(LEFT_LIGHT), MIDDLE) == "".join(rows)


@pytest.mark.parametrize("face", [0, 130, 255])
def test_the_face_does_not_matter(face):
    assert background_hash(crop(LEFT_LIGHT, face), MIDDLE) == background_hash(crop(LEFT_LIGHT), MIDDLE)


def test_what_a_cell_shows_beside_the_face_counts():
    """A face that covers three quarters of the outer cells leaves their background as it is."""
    wide = np.array([16, 16, 496, 496], float)
    picture = crop(LEFT_LIGHT)
    picture[16:496, 16:496] = 255
    assert background_hash(picture, wide) == "f0" + "80" * 6 + "f0"


def test_brightness_and_noise_change_little():
    random = np.random.default_rng(0)
    first = crop(random.integers(0, 200, (8, 8)).repeat(64, 0).repeat(64, 1))
    again = np.clip(first.astype(int) + 20 + random.integers(-8, 9, first.shape), 0, 255).astype(np.uint8)
    other = crop(random.integers(0, 200, (8, 8)).repeat(64, 0).repeat(64, 1))
    one, same, different = (background_hash(picture, MIDDLE) for picture in (first, again, other))
    assert hash_distance(one, same) <= 2
    assert hash_distance(one, different) >= 12


@pytest.mark.parametrize(
    ("one", "other", "bits"),
    [("0" * 16, "0" * 16, 0), ("0" * 16, "f" * 16, 64), ("00000000000000ff", "00000000000000f0", 4)],
)
def test_distance(one, other, bits):
    assert hash_distance(one, other) == hash_distance(other, one) == bits
