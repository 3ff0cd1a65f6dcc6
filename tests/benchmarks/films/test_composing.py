"""Composed films: cuts, other looks in every scene, and faces where the truth says that they are."""

import numpy as np
import pytest

from benchmarks.films.composing import HEIGHTS, RATE, SIZE, Part, Shot, frames, paint, placed, script
from benchmarks.films.people import LOOKS, Look, cut_out, dye, turned, with_other_clothes

RED = np.array([255, 0, 0])


def person(colour: tuple[int, int, int] = (255, 0, 0)) -> Look:
    """A grey picture with a face of one colour, cut out as of a photograph."""
    photograph = np.full((400, 400, 3), 120, np.uint8)
    photograph[100:200, 160:240] = colour
    return cut_out(photograph, np.array([160, 100, 240, 200], np.float32))


def cast() -> dict[str, list[Look]]:
    colours = {"ann": (255, 0, 0), "bob": (0, 255, 0), "cleo": (0, 0, 255), "dan": (255, 255, 0)}
    return {who: with_other_clothes([person(colour)], n) for n, (who, colour) in enumerate(colours.items())}


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
    assert len(with_other_clothes([person()] * 5, 0)) == 5


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


def test_a_script_is_long_enough_and_changes_looks_between_scenes():
    people = cast()
    shots = script(people, [background()], 60, seed=1)
    assert 60 * RATE <= sum(shot.frames for shot in shots) < 120 * RATE
    assert {len(shot.parts) for shot in shots} == {1, 2, 3}
    worn = [{part.who: part.look.face.tobytes() for part in shot.parts} for shot in shots]
    assert len({(who, look) for scene in worn for who, look in scene.items()}) > len(people)


def test_the_same_seed_makes_the_same_film():
    one, two = ([shot.frames for shot in script(cast(), [background()], 30, seed)] for seed in (3, 3))
    assert one == two
    assert one != [shot.frames for shot in script(cast(), [background()], 30, 4)]
