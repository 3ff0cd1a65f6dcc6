import cv2
import numpy as np
import pytest

from tests.videos import pan, photograph
from transforms.filtering import statistics
from transforms.filtering.statistics import bars, brightness, flat_share, median, movement, sharpness, text_overlay

SIZE = (426, 240)
BLACK = np.zeros((240, 426, 3), np.uint8)
WHITE = np.full((240, 426, 3), 255, np.uint8)


def covering(name: str, size: tuple[int, int] = SIZE) -> np.ndarray:
    """The photograph, filling a frame of the size."""
    image, (width, height) = photograph(name), size
    scale = max(width / image.shape[1], height / image.shape[0])
    large = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    top, left = (large.shape[0] - height) // 2, (large.shape[1] - width) // 2
    return np.ascontiguousarray(large[top : top + height, left : left + width])


def barred(image: np.ndarray, rows: int = 0, columns: int = 0) -> np.ndarray:
    image = image.copy()
    image[:rows] = image[image.shape[0] - rows :] = 0
    image[:, :columns] = image[:, image.shape[1] - columns :] = 0
    return image


def blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(image, (0, 0), sigma)


def times(image: np.ndarray, factor: float) -> np.ndarray:
    return (image * factor).astype(np.uint8)


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    return covering("astronaut-1")


@pytest.mark.parametrize(("image", "expected"), [(BLACK, 0), (WHITE, 255), (BLACK + np.uint8(30), 30)])
def test_brightness_of_one_grey(image, expected):
    assert brightness(image) == pytest.approx(expected, abs=1)


def test_brightness_is_that_of_the_bright_tenth_of_what_is_no_bar(astronaut):
    whole = brightness(astronaut)
    assert brightness(barred(astronaut, rows=60)) == pytest.approx(whole, rel=0.1)
    assert brightness(times(astronaut, 0.1)) == pytest.approx(whole / 10, rel=0.1)
    lamp = BLACK + np.uint8(20)
    lamp[:, :50] = 200  # more than a tenth of the frame
    assert brightness(lamp) == 200


@pytest.mark.parametrize("image", [BLACK, WHITE, BLACK[:1, :1], BLACK[:4]])
def test_nothing_is_sharp_where_nothing_is_to_be_seen(image):
    assert sharpness(image) == 0


def test_blur_takes_sharpness_away_and_darkness_does_not(astronaut):
    whole = sharpness(astronaut)
    assert [sharpness(blurred(astronaut, sigma)) < limit for sigma, limit in ((3, 40), (6, 10))] == [True, True]
    assert sharpness(times(astronaut, 0.3)) == pytest.approx(whole, rel=0.1)
    assert (
        sharpness(barred(blurred(astronaut, 3), rows=30, columns=40)) < 40
    )  # the edge of a bar is none of the picture
    assert whole > 1000


def test_one_person_in_focus_makes_a_frame_sharp(astronaut):
    frame = blurred(astronaut, 4)
    frame[60:220, 130:260] = astronaut[60:220, 130:260]
    assert sharpness(frame) > 1000


@pytest.mark.parametrize("height", [144, 360, 720, 1080])
def test_sharpness_is_that_of_one_height(height):
    frame = covering("street-1", (height * 16 // 9, height))
    assert sharpness(frame) > 400
    assert sharpness(blurred(frame, height / 80)) < 40  # three pixels of 240


def moved(frames) -> float:
    return movement([statistics.thumbnail(frame) for frame in frames])


def test_stills_do_not_move(astronaut):
    noise = np.random.default_rng(1)
    grainy = [np.clip(astronaut + noise.normal(0, 8, astronaut.shape), 0, 255).astype(np.uint8) for _ in range(12)]
    assert moved([astronaut]) == 0
    assert moved([astronaut] * 5) == 0
    assert moved(grainy) < 3
    assert moved([WHITE, *[astronaut] * 12]) == 0  # the last frame of another shot


def test_a_pan_and_a_talking_head_move(astronaut):
    assert moved(pan(photograph("hill-1"), 12, SIZE, shift=(0.02, 0))) > 10
    talking = []
    for up in (0, 4, 1, 5, 2, 0):
        frame = astronaut.copy()
        frame[20:90, 190:250] = astronaut[20 + up : 90 + up, 190:250]
        talking.append(frame)
    assert moved(talking) > 10


def share(*frames) -> float:
    return bars([statistics.screen(frame) for frame in frames])


@pytest.mark.parametrize(
    ("rows", "columns", "expected"), [(0, 0, 0), (31, 0, 62 / 240), (0, 53, 106 / 426), (24, 43, 1 - 0.8 * (340 / 426))]
)
def test_bars_are_measured(astronaut, rows, columns, expected):
    assert share(barred(astronaut, rows, columns)) == pytest.approx(expected, abs=0.03)


def night() -> np.ndarray:
    """A street under a black sky, with a black ground."""
    lit = np.clip(np.minimum(np.arange(240) - 70, 170 - np.arange(240)) / 60, 0, 1)[:, None, None]
    return times(covering("street-1"), lit)


def spotlight() -> np.ndarray:
    y, x = np.mgrid[:240, :426]
    return times(covering("obama-1"), np.exp(-(((x - 213) / 45) ** 2) - ((y - 120) / 60) ** 2)[..., None])


def gloom() -> np.ndarray:
    return times(covering("obama-1"), 0.07)


@pytest.mark.parametrize("scene", [lambda: BLACK, lambda: WHITE, night, spotlight, gloom])
def test_dark_scenes_have_no_bars(scene):
    assert share(scene()) == 0


def test_bars_are_black_in_all_frames_and_on_both_sides(astronaut):
    assert share(barred(astronaut, 31), astronaut) == 0
    assert share(barred(astronaut, 31), BLACK, barred(astronaut, 31)) > 0.2
    above = astronaut.copy()
    above[:40] = 0
    assert share(above) == 0


def lettering(frames, text: str = "SUBSCRIBE NOW", scale: float = 1.0):
    for frame in frames:
        written = frame.copy()
        cv2.putText(written, text, (40, 215), cv2.FONT_HERSHEY_SIMPLEX, scale, (255, 255, 255), 2, cv2.LINE_AA)
        yield written


def written(frames) -> float:
    return text_overlay([statistics.page(frame) for frame in frames])


def panned(name: str) -> list[np.ndarray]:
    return list(pan(covering(name), 12, SIZE, shift=(0.2, 0.1)))


@pytest.mark.parametrize("name", ["astronaut-1", "street-1", "party-1", "friends-1", "pitch-1"])
def test_lettering_over_a_moving_picture_is_found(name):
    assert written(panned(name)) < 0.005
    assert written(lettering(panned(name))) > 0.02
    assert written(barred(frame, columns=53) for frame in panned(name)) < 0.005


def test_over_a_still_no_lettering_is_found(astronaut):
    assert written([BLACK]) == 0
    assert written([astronaut] * 5) == 0
    assert written(lettering([astronaut] * 5)) == 0
    flickering = [times(astronaut, 0.7 + 0.05 * (i % 7)) for i in range(14)]
    assert written(lettering(flickering)) == 0


def drawing() -> np.ndarray:
    frame = np.full((240, 426, 3), (120, 190, 240), np.uint8)
    frame[160:] = (110, 180, 70)
    cv2.circle(frame, (200, 100), 40, (250, 200, 170), -1, cv2.LINE_AA)
    cv2.circle(frame, (200, 100), 40, (0, 0, 0), 3, cv2.LINE_AA)
    return frame


@pytest.mark.parametrize(
    ("frame", "least", "most"),
    [
        (BLACK, 0, 0),
        (WHITE, 1, 1),
        (drawing(), 0.8, 1),
        (barred(drawing(), 40), 0.8, 1),
    ],
)
def test_drawings_are_flat(frame, least, most):
    assert least <= flat_share(frame) <= most


@pytest.mark.parametrize("name", ["astronaut-1", "street-1", "party-1", "hill-1"])
def test_photographs_are_not_flat(name):
    assert flat_share(covering(name)) < 0.1
    assert flat_share(blurred(covering(name), 6)) < 0.2


def test_one_flash_does_not_change_the_median():
    assert median([np.array(3.0)] * 4 + [np.array(200.0)]) == 3
