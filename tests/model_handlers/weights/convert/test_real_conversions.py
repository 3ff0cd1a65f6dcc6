"""The catalogue's conversions of the real weights against the frameworks that the weights come from.

The golden numbers were made once: those of the TensorFlow.js models by TensorFlow.js 4.22 (CPU backend), dlib's by
dlib 20.0 (`compute_face_descriptor`), TransNetV2's by its PyTorch port on torch 2.15, MobileFaceNet's by LiteRT 2.3 of
the undamaged file, on the inputs below. TensorFlow.js's agree to 1e-6 (mesh: 1e-4 pixels; lightning: 2.5e-4, as the
file rounds 1/48 to half precision), dlib's to 3e-7, TransNetV2's to 2e-7, MobileFaceNet's to 2e-5 of a length of 43;
the tolerances leave room for OpenCV's resizing.
"""

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
import skimage.data

from model_handlers.models import catalogue, store

pytestmark = pytest.mark.integration
PHOTO = skimage.data.astronaut()  # 512 x 512, RGB; the face is at about (225, 118)
FACE = PHOTO[60:210, 150:300]


@pytest.fixture(scope="module")
def sessions() -> dict[str, onnxruntime.InferenceSession]:
    return {}


def run(sessions: dict[str, onnxruntime.InferenceSession], name: str, *example: np.ndarray) -> list[np.ndarray]:
    """The outputs for one example; a batch of it and another must give the same."""
    if name not in sessions:
        entry = catalogue.load().get(name)
        sessions[name] = onnxruntime.InferenceSession(store.ensure(entry), providers=["CPUExecutionProvider"])
    session = sessions[name]
    names = [one.name for one in session.get_inputs()]
    single = session.run(None, {key: part[None] for key, part in zip(names, example, strict=True)})
    batch = session.run(None, {key: np.stack([part[::-1], part]) for key, part in zip(names, example, strict=True)})
    for one, two in zip(single, batch, strict=True):
        assert two.shape == (2, *one.shape[1:])
        np.testing.assert_allclose(two[1], one[0], atol=1e-4)
    return [output[0] for output in single]


def resized(image: np.ndarray, side: int) -> np.ndarray:
    return cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize(
    ("name", "side", "golden"),
    [
        (
            "movenet-thunder",
            256,
            [[0.24012, 0.43696, 0.57497], [0.19975, 0.48176, 0.61283], [0.19815, 0.39872, 0.84647]],
        ),
        (
            "movenet-lightning",
            192,
            [[0.23551, 0.43249, 0.56672], [0.19638, 0.48069, 0.71698], [0.19223, 0.39768, 0.7109]],
        ),
    ],
)
def test_movenet(sessions: dict, name: str, side: int, golden: list[list[float]]) -> None:
    (keypoints,) = run(sessions, name, resized(PHOTO, side).astype(np.int32))
    assert keypoints.shape == (1, 17, 3)
    np.testing.assert_allclose(keypoints[0, :3], golden, atol=3e-3)


def test_facemesh(sessions: dict) -> None:
    mesh, score = run(sessions, "facemesh", (cv2.resize(FACE, (192, 192)) / 255).astype(np.float32))
    assert mesh.shape == (1404,)
    assert score[0] == pytest.approx(1, abs=1e-4)
    golden = [93.88765, 102.28759, -12.24204, 94.0764, 91.37332, -29.71569, 94.04964, 94.45994, -15.41622]
    np.testing.assert_allclose(mesh[:9], golden, atol=0.1)


def test_emotion(sessions: dict) -> None:
    grey = cv2.cvtColor(cv2.resize(FACE, (64, 64)), cv2.COLOR_RGB2GRAY)
    (scores,) = run(sessions, "emotion", ((grey / 255 - 0.5) * 2).astype(np.float32)[..., None])
    np.testing.assert_allclose(scores, [1e-5, 0, 5e-5, 0.99959, 0, 2e-5, 3.3e-4], atol=1e-3)


def test_nanodet(sessions: dict) -> None:
    mean, deviation = [103.53, 116.28, 123.675], [57.375, 57.12, 58.395]

    def planes(side: int) -> np.ndarray:
        image = ((resized(PHOTO, side)[..., ::-1] - mean) / deviation).astype(np.float32)
        return np.ascontiguousarray(image.transpose(2, 0, 1))

    scores, distances = run(sessions, "nanodet", planes(416), planes(288))
    assert (scores.shape, distances.shape) == ((5250, 80), (5250, 44))
    # strides 8, 16, 32 at 416 px; then at 288, by ONNX Runtime of the graph whose resizing was edited to scales
    starts = [0, 2704, 3380, 3549, 4845, 5169, 5250]
    golden_scores = [
        *[(0.22885, 29239), (0.32674, 47336), (0.73434, 5520)],
        *[(0.23174, 81674), (0.33359, 21256), (0.74635, 3040)],
    ]
    for golden, first, last in zip(golden_scores, starts, starts[1:], strict=False):
        part = scores[first:last]
        assert part.max() == pytest.approx(golden[0], abs=5e-3)
        assert part.argmax() == golden[1]
    reach = [9.81177, 6.69326, 6.84402, 9.77106, 7.39016, 7.34008]
    for golden, first, last in zip(reach, starts, starts[1:], strict=False):
        assert distances[first:last].max() == pytest.approx(golden, abs=0.05)


def test_dlib_resnet(sessions: dict) -> None:
    chip = PHOTO[50:200, 150:300].astype(np.float32)
    image = ((chip - np.float32([122.782, 117.001, 104.298])) / 256).transpose(2, 0, 1)
    (embedding,) = run(sessions, "dlib-resnet", np.ascontiguousarray(image))
    golden = [-0.0550075, 0.0653459, 0.0071258, 0.0130634, -0.1721845, -0.0090202, -0.0049795, -0.1672710,
              0.0877205, -0.0936857, 0.1938525, -0.1179020, -0.2912068, -0.0364649, 0.0507999, 0.1505914]  # fmt: skip
    assert embedding.shape == (128,)
    np.testing.assert_allclose(embedding[:16], golden, atol=2e-6)


def levelled(channels: int) -> np.ndarray:
    """(3,112,112): a face as the codec arcface makes it, but not levelled; channels 1 is RGB, -1 BGR."""
    face = PHOTO[60:172, 150:262, ::channels].transpose(2, 0, 1)
    return np.ascontiguousarray((face - np.float32(127.5)) / np.float32(128))


def test_mobilefacenet(sessions: dict) -> None:
    (embedding,) = run(sessions, "mobilefacenet", levelled(1))
    golden = [-0.591573, 0.197755, -0.266426, -0.093492, -0.908044, 2.506691, -1.875767, -5.895359]
    assert embedding.shape == (192,)
    np.testing.assert_allclose(embedding[:8], golden, atol=1e-4)
    assert np.linalg.norm(embedding) == pytest.approx(42.89637, abs=1e-4)


def test_fr_feature_is_the_published_file(sessions: dict) -> None:
    (embedding,) = run(sessions, "fr-feature", levelled(-1))
    (source,) = catalogue.load().get("fr-feature").sources
    original = onnxruntime.InferenceSession(store.fetch_file(source.uri, source.sha256))
    (wanted,) = original.run(None, {"input": levelled(-1)[None]})[0]
    assert embedding.shape == (512,)
    np.testing.assert_allclose(embedding, wanted, atol=1e-6)  # of a length of 2.5


@pytest.mark.parametrize("name", ["facemesh", "fr-feature", "mobilefacenet"])
def test_no_operator_is_left_that_onnx_runtime_is_slow_at(name: str) -> None:
    model = onnx.load(store.ensure(catalogue.load().get(name)))
    operators = {node.op_type for node in model.graph.node}
    assert "Relu" in operators
    assert "PRelu" not in operators


@pytest.mark.parametrize("sides", [(512, 512), (256, 480)])
def test_centerface_takes_any_size(sessions: dict, sides: tuple[int, int]) -> None:
    image = cv2.resize(PHOTO, sides[::-1]).astype(np.float32).transpose(2, 0, 1)
    heat, scale, offset, landmarks = run(sessions, "centerface", np.ascontiguousarray(image))
    height, width = sides[0] // 4, sides[1] // 4
    assert [a.shape for a in (heat, scale, offset, landmarks)] == [(c, height, width) for c in (1, 2, 2, 10)]
    row, column = np.unravel_index(heat[0].argmax(), heat[0].shape)
    assert heat.max() > 0.8
    centre = [
        (column + offset[1, row, column] + 0.5) * 4 / sides[1],
        (row + offset[0, row, column] + 0.5) * 4 / sides[0],
    ]
    np.testing.assert_allclose(centre, [0.44, 0.23], atol=0.02)


def mixed_window() -> np.ndarray:
    """Forty frames of a pan, twenty of noise, forty of another picture that grows darker."""
    small = cv2.resize(PHOTO, (96, 54), interpolation=cv2.INTER_AREA)
    pan = [small[10:37, i : i + 48] for i in range(40)]
    noise = np.random.default_rng(0).integers(0, 256, (20, 27, 48, 3), dtype=np.uint8)
    fade = [(small[27:, :48] * (1 - i / 50)).astype(np.uint8) for i in range(40)]
    return np.concatenate([pan, noise, fade])


def test_transnetv2(sessions: dict) -> None:
    window = mixed_window()
    places = [0, 24, 39, 40, 41, 59, 60, 99]
    (scores,) = run(sessions, "transnetv2", window)
    golden = [0.001068, 0.001209, 0.706372, 0.010421, 0.016022, 0.657084, 0.002276, 0.015228]
    np.testing.assert_allclose(scores[places], golden, atol=1e-4)
    assert scores.sum() == pytest.approx(4.164717, abs=1e-3)
    (scores,) = run(sessions, "transnetv2", window[::-1])
    golden = [0.186622, 0.021931, 0.772946, 0.092368, 0.017431, 0.472853, 0.000479, 0.017815]
    np.testing.assert_allclose(scores[places], golden, atol=1e-4)
