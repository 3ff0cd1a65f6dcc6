"""Composed films: cuts, other looks in every scene, and faces where the truth says that they are."""

from random import Random

import numpy as np
import pytest

from benchmarks.films.composing import (
    COLOURS,
    HEIGHTS,
    POSES,
    RATE,
    SIZE,
    Part,
    Shot,
    dressed,
    frames,
    paint,
    placed,
    script,
)  # fmt: skip
from benchmarks.films.people import LOOKS, Look, cut_out, dye, enough, turned

RED = np.array([255, 0, 0])


def person(colour: tuple[int, int, int] = (255, 0, 0)) -> Look:
    """A grey picture with a face of one colour, cut out as of a photograph."""
    photograph = np.full((400, 400, 3), 120, np.uint8)
    photograph[100:200, 160:240] = colour
    return cut_out(photograph, np.array([160, 100, 240, 200], np.float32))


def cast() -> dict[str, list[Look]]:
    colours = {"ann": (255, 0, 0), "bob": (0, 255, 0), "cleo": (0, 0, 255), "dan": (255, 255, 0)}
    return {who: enough([person(colour)], n) for n, (who, colour) in enumerate(colours.items())}


def background() -> np.ndarray:
    return np.full((SIZE[1], SIZE[0] + 100, 3), 60, np.uint8)


def test_no_shots_are_no_frames():
    assert list(frames([])) == []


def test_who_is_cut_out_keeps_the_face_and_loses_the_corners():
    look = person()
    x1, y1, x2, y2 = look.face.astype(int)
    assert (look.pixels[y1:y2, x1:x2] == RED).all()
    assert look.opaque[y1:y2, x1:x2].min() > 0.9
    assert look.opaque[0, 0] < 0.01
    assert look.below == pytest.approx(1.6, abs=0.01)


def test_a_photograph_that_ends_under_the_chin_goes_on_with_its_last_line():
    photograph = np.zeros((210, 400, 3), np.uint8)
    photograph[-1] = RED
    look = cut_out(photograph, np.array([160, 100, 240, 200], np.float32))
    assert look.below == pytest.approx(1.6, abs=0.01)
    assert (look.pixels[int(look.face[3]) + 20 :] == RED).all()


def test_dyed_clothes_leave_the_face_as_it_is():
    look = person()
    dyed = dye(look, np.array([0, 0, 255]))
    chin = int(look.face[3])
    assert (dyed.pixels[:chin] == look.pixels[:chin]).all()
    assert (dyed.pixels[chin + 40 :, :, 2] > dyed.pixels[chin + 40 :, :, 0]).all()


def test_a_turned_look_has_its_face_where_it_says():
    look = turned(person(), np.random.default_rng(0))
    x1, y1, x2, y2 = look.face
    middle = look.pixels[round((y1 + y2) / 2), round((x1 + x2) / 2)].astype(int)
    assert middle[0] > middle[1] + 50


def test_everyone_has_enough_looks():
    assert [len(looks) for looks in cast().values()] == [LOOKS] * 4
    assert len(enough([person()] * 5, 0)) == 5


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_the_true_centre_is_on_the_face(share):
    part = Part("ann", person(), 0.4, HEIGHTS[1], (0.03, 0.08, 4.0))
    shot = Shot(background(), (part,), 3, left=False)
    frame, ((who, centre),) = list(frames([shot]))[round(share * 2)]
    x, y = np.rint(centre).astype(int)
    assert who == "ann"
    assert frame.shape == (SIZE[1], SIZE[0], 3)
    assert frame[y, x].tolist() == RED.tolist()


def test_the_lower_edge_of_a_cut_out_is_below_the_frame():
    part = Part("ann", person(), 0.5, HEIGHTS[2], (0.0, 0.0, 0.0))
    matrix = placed(part, 0.5)
    bottom = matrix @ [0, len(part.look.pixels), 1]
    assert bottom[1] > SIZE[1]


def test_nothing_is_painted_outside_of_the_canvas():
    canvas = background()[:, : SIZE[0]].copy()
    paint(canvas, person(), np.array([[1.0, 0, 5000], [0, 1, 0]]))
    assert (canvas == 60).all()


@pytest.mark.parametrize("clothes", range(len(COLOURS)))
def test_clothes_of_a_colour_are_the_same_in_every_look(clothes):
    looks = dressed(enough([person()], 0), clothes, Random(0))
    assert len(looks) == POSES
    below = [look.pixels[int(look.face[3]) + 60 :].mean(axis=(0, 1)) for look in looks]
    hues = [colour / colour.sum() for colour in below]  # one may be lit more than another
    assert np.ptp(hues, axis=0).max() < 0.03


def test_own_clothes_are_seen_in_one_look():
    looks = enough([person()], 0)
    (look,) = dressed(looks, len(COLOURS), Random(0))
    assert any(look is one for one in looks)


def test_a_script_is_long_enough_and_shows_one_to_three_people():
    shots = script(cast(), [background()], 60, seed=1)
    assert 60 * RATE <= sum(shot.frames for shot in shots) < 120 * RATE
    assert {len(shot.parts) for shot in shots} == {1, 2, 3}


def test_the_same_seed_makes_the_same_film():
    one, two = ([shot.frames for shot in script(cast(), [background()], 30, seed)] for seed in (3, 3))
    assert one == two
    assert one != [shot.frames for shot in script(cast(), [background()], 30, 4)]
