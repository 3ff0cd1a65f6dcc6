"""The arithmetic of the codecs, on outputs made by hand."""

import numpy as np
import pytest

from model_handlers.codecs import centerface, dlib_resnet, facemesh, movenet, nanodet
from model_handlers.geometry import transform


def image(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


def face_maps(side: int) -> list[np.ndarray]:
    cells = side // 4
    return [np.zeros((channels, cells, cells), np.float32) for channels in (1, 2, 2, 10)]


def test_centerface_finds_nothing():
    found = centerface.decode(tuple(face_maps(64)), centerface.encode(image(64, 64), 64)[1])
    assert found.boxes.shape == (0, 4)
    assert found.scores.shape == (0,)
    assert found.landmarks is not None
    assert found.landmarks.shape == (0, 5, 2)


def test_centerface_decodes():
    heat, scale, offset, marks = face_maps(64)
    heat[0, 6, 4] = 0.8  # row 6, column 4
    scale[:, 6, 4] = np.log((5, 3))  # height and width in cells
    offset[:, 6, 4] = (0.25, -0.5)  # y, x in cells
    marks[:, 6, 4] = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)  # y, x in shares of the box
    heat[0, 0, 0] = 0.09  # below the floor
    _, context = centerface.encode(image(128, 64), 64)  # halved
    found = centerface.decode((heat, scale, offset, marks), context)
    centre_x, centre_y = (4 - 0.5 + 0.5) * 4, (6 + 0.25 + 0.5) * 4
    corner = np.array([centre_x - 6, centre_y - 10])
    np.testing.assert_allclose(found.boxes, [np.concatenate([corner, np.add(corner, (12, 20))]) * 2], rtol=1e-5)
    np.testing.assert_allclose(found.scores, [0.8])
    assert found.landmarks is not None
    np.testing.assert_allclose(found.landmarks[0, 0], np.add(corner, (0.2 * 12, 0.1 * 20)) * 2, rtol=1e-5)
    np.testing.assert_allclose(found.landmarks[0, 4], np.add(corner, (1.0 * 12, 0.9 * 20)) * 2, rtol=1e-5)


def test_centerface_sorts_and_suppresses():
    maps = face_maps(64)
    for row, column, score in ((4, 4, 0.5), (4, 5, 0.9), (12, 12, 0.7)):
        maps[0][0, row, column] = score
        maps[1][:, row, column] = np.log(4)
    found = centerface.decode(tuple(maps), centerface.encode(image(64, 64), 64)[1])
    np.testing.assert_allclose(found.scores, [0.9, 0.7])


def test_centerface_input():
    encoded, _ = centerface.encode(image(64, 32), 64)
    assert encoded.dtype == np.float32
    assert encoded.flags.c_contiguous
    np.testing.assert_array_equal(encoded[:, :, :32], image(64, 32).transpose(2, 0, 1))
    assert not encoded[:, :, 32:].any()


@pytest.mark.parametrize("side", [0, 31, 100])
def test_centerface_side(side):
    with pytest.raises(ValueError, match="multiple of 32"):
        centerface.codec(side)


def test_nanodet_finds_nothing():
    outputs = (np.zeros((3549, 80), np.float32), np.zeros((3549, 44), np.float32))
    assert nanodet.decode(outputs, nanodet.encode(image(50, 50))[1]).boxes.shape == (0, 4)


@pytest.mark.parametrize(
    ("row", "column", "stride", "first"),
    [(0, 0, 8, 0), (3, 20, 8, 0), (5, 9, 16, 52 * 52), (12, 11, 32, 52 * 52 + 26 * 26)],
)
def test_nanodet_decodes(row, column, stride, first):
    scores, distances = np.zeros((3549, 80), np.float32), np.zeros((3549, 4, 11), np.float32)
    point = first + row * (416 // stride) + column
    scores[point, 0] = 0.9
    scores[point + 1, 17] = 0.99  # a horse
    for side, reach in enumerate((1, 2, 3, 4)):  # in strides: left, top, right, bottom
        distances[point, side] = -1e4
        distances[point, side, reach] = 0
    _, context = nanodet.encode(image(416, 416))
    found = nanodet.decode((scores, distances.reshape(-1, 44)), context)
    x, y = (column + 0.5) * stride, (row + 0.5) * stride
    box = np.clip([x - stride, y - 2 * stride, x + 3 * stride, y + 4 * stride], 0, 416)
    np.testing.assert_allclose(found.boxes, [box], rtol=1e-5)
    np.testing.assert_allclose(found.scores, [0.9])
    assert found.landmarks is None


def test_nanodet_distance_is_an_expectation():
    scores, distances = np.zeros((3549, 80), np.float32), np.zeros((3549, 44), np.float32)
    point = 26 * 52 + 26
    scores[point, 0] = 0.9  # equal logits: the mean of 0 to 10 strides
    found = nanodet.decode((scores, distances), nanodet.encode(image(416, 416))[1])
    np.testing.assert_allclose(found.boxes, [[26.5 * 8 - 40, 26.5 * 8 - 40, 26.5 * 8 + 40, 26.5 * 8 + 40]])


@pytest.mark.parametrize(("height", "width"), [(425, 640), (640, 480), (99, 901), (20, 20)])
@pytest.mark.parametrize("view", [0, 1])
def test_nanodet_takes_every_size_back(height, width, view):
    """A person in the middle of the picture is there in each of the network's canvases."""
    sides = (416, 288)
    made = nanodet.codec(list(sides))
    given, context = made.encode(image(height, width))
    assert [part.shape for part in given] == [(3, 416, 416), (3, 288, 288)]
    scores, distances = np.zeros((3549 + 1701, 80), np.float32), np.full((3549 + 1701, 4, 11), -1e4, np.float32)
    cells = sides[view] // 8
    scores[view * 3549 + (cells // 2) * cells + cells // 2, 0] = 0.9  # its centre is 4 pixels right and below
    distances[:, :, 2] = 0
    found = made.decode((scores, distances.reshape(-1, 44)), context)
    scale = max(height, width) / sides[view]
    centre = np.array([width, height]) / 2 + 4 * scale
    box = np.clip([*(centre - 16 * scale), *(centre + 16 * scale)], 0, [width, height, width, height])
    np.testing.assert_allclose(found.boxes, [box], atol=scale)  # the canvas's margin is a whole number


def test_nanodet_finds_a_person_of_both_sizes_once():
    made = nanodet.codec([416, 288])
    scores, distances = np.zeros((5250, 80), np.float32), np.full((5250, 4, 11), -1e4, np.float32)
    scores[25 * 52 + 26, 0], scores[3549 + 18 * 36 + 18, 0] = 0.7, 0.8
    distances[:3549, :, 6] = 0  # 48 pixels to each side, and 46 of the image
    distances[3549:, :, 4] = 0
    found = made.decode((scores, distances.reshape(-1, 44)), made.encode(image(416, 416))[1])
    np.testing.assert_allclose(found.boxes, np.array([[116, 116, 180, 180]]) * 416 / 288, rtol=1e-5)
    np.testing.assert_allclose(found.scores, [0.8])


@pytest.mark.parametrize("sides", [[], [0], [300], [416, 100]])
def test_nanodet_of_impossible_sides(sides):
    with pytest.raises(ValueError, match="multiples of 32"):
        nanodet.codec(sides)


def test_nanodet_lies_in_the_middle_of_black():
    encoded, _ = nanodet.encode(np.full((104, 208, 3), 200, np.uint8))
    black = (0 - nanodet.MEAN_BGR) / nanodet.STD_BGR
    np.testing.assert_allclose(encoded[:, :104], np.broadcast_to(black[:, None, None], (3, 104, 416)), atol=1e-6)
    np.testing.assert_array_equal(encoded, encoded[:, ::-1])


def test_nanodet_input():
    picture = image(416, 416)
    encoded, _ = nanodet.encode(picture)
    assert encoded.dtype == np.float32
    assert encoded.flags.c_contiguous
    for plane, channel, mean, std in ((0, 2, 103.53, 57.375), (1, 1, 116.28, 57.12), (2, 0, 123.675, 58.395)):
        np.testing.assert_allclose(encoded[plane], (picture[..., channel] - mean) / std, atol=1e-5)


@pytest.mark.parametrize("side", [192, 256])
@pytest.mark.parametrize("box", [(10, 20, 50, 120), (0, 0, 300, 40), (-20, -20, 5, 5)])
def test_movenet_takes_points_back(side, box):
    encode, decode = movenet.codec(side).encode, movenet.codec(side).decode
    encoded, context = encode(image(200, 300), np.array(box, np.float32))
    assert encoded.shape == (side, side, 3)
    assert encoded.dtype == np.int32
    output = np.zeros((1, 17, 3), np.float32)
    output[0, :, :2] = 0.5
    output[0, 1] = (0.0, 1.0, 0.7)  # y, x, score: the top right corner
    points = decode((output,), context)
    centre, half = (
        np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2]),
        0.625 * max(box[2] - box[0], box[3] - box[1]),
    )
    np.testing.assert_allclose(points[0], [*centre, 0], atol=1e-3)
    np.testing.assert_allclose(points[1], [centre[0] + half, centre[1] - half, 0.7], atol=1e-3)


def test_movenet_of_a_box_without_extent():
    assert movenet.codec(192).encode(image(20, 20), np.array([5.0, 5, 5, 5]))[0].shape == (192, 192, 3)


def test_facemesh_takes_points_back():
    landmarks = facemesh.TEMPLATE * 0.7 + (30, 40)
    encoded, context = facemesh.encode(image(300, 300), landmarks)
    assert encoded.shape == (192, 192, 3)
    assert encoded.dtype == np.float32
    assert 0.9 < encoded.max() <= 1
    mesh, score = facemesh.decode((np.tile([96.0, 10.0, 20.0], 468).astype(np.float32), np.array([0.8])), context)
    assert mesh.shape == (468, 3)
    np.testing.assert_allclose(mesh[5], (96 * 0.7 + 30, 10 * 0.7 + 40, 20 * 0.7), rtol=1e-4)
    assert score == pytest.approx(0.8)


def test_facemesh_refuses_landmarks_without_extent():
    with pytest.raises(ValueError, match="different finite points"):
        facemesh.encode(image(30, 30), np.ones((5, 2)))


@pytest.mark.parametrize("with_mesh", [True, False])
def test_dlib_levels_the_face(with_mesh):
    """A white dot on the outer corner of an eye comes out where dlib's mean face has it."""
    places = (dlib_resnet.MESH_PLACES if with_mesh else dlib_resnet.LANDMARK_PLACES) + 0.25
    angle = 0.4
    turn = 60 * np.array([(np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))])
    points = places @ turn.T + (70, 50)
    picture = np.zeros((200, 200, 3), np.uint8)
    x, y = points[0].astype(int)
    picture[y - 2 : y + 3, x - 2 : x + 3] = 255
    mesh = np.zeros((468, 3))
    mesh[list(dlib_resnet.MESH_POINTS), :2] = points
    encoded, context = dlib_resnet.encode(picture, points, mesh if with_mesh else None)
    assert encoded.shape == (3, 150, 150)
    assert encoded.dtype == np.float32
    assert context is None
    np.testing.assert_allclose(encoded[:, 0, 0], -dlib_resnet.MEAN_RGB / 256)
    bright = np.argwhere(encoded[0] > 0.2).mean(axis=0)[::-1] + 0.5
    np.testing.assert_allclose(bright, places[0] / 1.5 * 150, atol=2)


def test_dlib_itself_takes_the_same_face_as_pixels():
    picture, points = image(200, 200), dlib_resnet.LANDMARK_PLACES * 100 + 50
    planes, _ = dlib_resnet.codec().encode(picture, points, None)
    chip, context = dlib_resnet.codec(pixels=True).encode(picture, points, None)
    assert (chip.shape, chip.dtype, chip.flags.c_contiguous, context) == ((150, 150, 3), np.uint8, True, None)
    np.testing.assert_array_equal((chip.transpose(2, 0, 1) - dlib_resnet.MEAN_RGB[:, None, None]) / 256, planes)
    assert chip.std() > 20


def test_templates_agree():
    """The eyes' centres of both dlib templates, and the landmarks of the mesh's template seen level."""
    left, right = dlib_resnet.MESH_PLACES[2:4].mean(axis=0), dlib_resnet.MESH_PLACES[:2].mean(axis=0)
    np.testing.assert_allclose(dlib_resnet.LANDMARK_PLACES[:2], [left, right], atol=1e-3)
    flipped = facemesh.TEMPLATE[[1, 0, 2, 4, 3]] * (-1, 1) + (192, 0)
    np.testing.assert_allclose(flipped, facemesh.TEMPLATE)
    assert transform(np.eye(2, 3), facemesh.TEMPLATE).dtype == np.float32
