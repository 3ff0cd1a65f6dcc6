"""SFace against OpenCV's FaceRecognizerSF on a file with its input and output."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from onnx import TensorProto, helper
from PIL import Image

from model_handlers.codecs import sface
from model_handlers.frameworks.handler import NetworkHandler
from model_handlers.frameworks.loading import Loading
from model_handlers.geometry import ARCFACE, ARCFACE_SIDE
from model_handlers.interface import Request
from tests.image_files import PHOTO, png, saved
from tests.onnx_files import save
from transforms.images.pixels import open_image

# the eyes, the nose and the corners of the mouth in scikit-image's photograph of an astronaut
LANDMARKS = np.array([(205, 110), (244, 112), (229, 136), (209, 153), (241, 154)], np.float32)


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    """(1,3,112,112) -> (1,128): as in SFace's file, the mean is removed inside; a random convolution and matrix."""
    random = np.random.default_rng(1)
    return save(
        tmp_path_factory.mktemp("sface") / "sface.onnx",
        [
            helper.make_node("Sub", ["data", "mean"], ["centred"]),
            helper.make_node("Mul", ["centred", "scale"], ["scaled"]),
            helper.make_node("Conv", ["scaled", "kernel"], ["map"], strides=[8, 8]),
            helper.make_node("Flatten", ["map"], ["flat"]),
            helper.make_node("MatMul", ["flat", "weights"], ["fc1"]),
        ],
        {
            "mean": np.array([127.5], np.float32),
            "scale": np.array([1 / 128], np.float32),
            "kernel": random.normal(size=(16, 3, 8, 8)).astype(np.float32) / 8,
            "weights": random.normal(size=(16 * 14 * 14, 128)).astype(np.float32) / 56,
        },
        [helper.make_tensor_value_info("data", TensorProto.FLOAT, (1, 3, 112, 112))],
        [helper.make_tensor_value_info("fc1", TensorProto.FLOAT, (1, 128))],
    )


def row(landmarks: np.ndarray) -> np.ndarray:
    """A face as FaceDetectorYN gives it: box, landmarks, score."""
    return np.concatenate([[0, 0, 1, 1], landmarks.ravel(), [1]]).astype(np.float32)[None]


def opencv(path: Path, image: np.ndarray, landmarks: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The face that FaceRecognizerSF cuts out, RGB, and its vector."""
    recognizer = cv2.FaceRecognizerSF.create(str(path), "")
    face = recognizer.alignCrop(np.ascontiguousarray(image[..., ::-1]), row(landmarks))
    return face[..., ::-1], recognizer.feature(face)[0]


def vectors(path: Path, images, landmarks) -> list[np.ndarray]:
    runs = NetworkHandler(Loading("onnx", path, "sface"), batch_size=4)
    requests = [Request((sface.encode(*given, None)[0],), None) for given in zip(images, landmarks, strict=True)]
    return [sface.decode(a.outputs[0], None) for a in runs.run_inference(requests, runs.load_model())]


def cosine(one: np.ndarray, other: np.ndarray) -> float:
    return float(one @ other / np.linalg.norm(one) / np.linalg.norm(other))


def turned(degrees: float, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """The photograph and its landmarks, turned about the face and scaled."""
    matrix = cv2.getRotationMatrix2D((225, 132), degrees, scale)
    matrix[:, 2] += (75, 118)
    return cv2.warpAffine(PHOTO, matrix, (601, 507)), LANDMARKS @ matrix[:, :2].T.astype(np.float32) + matrix[:, 2]


CASES = {
    "as it is": lambda: (PHOTO, LANDMARKS),
    "at the edge, odd": lambda: (np.ascontiguousarray(PHOTO[97:210, 190:299]), LANDMARKS - (190, 97)),
    "grey": lambda: (open_image(saved(Image.fromarray(PHOTO).convert("L"), "png")), LANDMARKS),
    "16 bits": lambda: (open_image(png(PHOTO.astype(np.uint16) * 257, depth=16)), LANDMARKS),
    "CMYK": lambda: (open_image(saved(Image.fromarray(PHOTO).convert("CMYK"), "jpeg", quality=95)), LANDMARKS),
    "turned": lambda: turned(28, 1.3),
    "upside down": lambda: turned(171, 0.9),
}


@pytest.mark.parametrize("name", CASES)
def test_it_gives_what_opencv_gives(file, name):
    image, landmarks = CASES[name]()
    face, wanted = opencv(file, image, landmarks)
    given, _ = sface.encode(image, landmarks, None)
    assert given.dtype == np.float32
    assert face.std() > 30
    np.testing.assert_allclose(given.transpose(1, 2, 0), face, atol=1)  # the matrices differ in their last digits
    (vector,) = vectors(file, [image], [landmarks])
    assert vector.shape == (128,)
    assert cosine(vector, wanted) > 0.9999


def test_a_large_face_is_averaged_where_opencv_skips_pixels(file):
    image, landmarks = cv2.resize(PHOTO, None, fx=5, fy=5, interpolation=cv2.INTER_CUBIC), LANDMARKS * 5
    face, wanted = opencv(file, image, landmarks)
    given, _ = sface.encode(image, landmarks, None)
    assert 0 < np.abs(given.transpose(1, 2, 0) - face).mean() < 3
    assert cosine(vectors(file, [image], [landmarks])[0], wanted) > 0.99


def test_a_face_gives_the_same_in_any_batch(file):
    images, landmarks = zip(*(case() for case in CASES.values()), strict=True)
    alone = [vectors(file, [image], [points])[0].tobytes() for image, points in zip(images, landmarks, strict=True)]
    assert [vector.tobytes() for vector in vectors(file, images, landmarks)] == alone
    assert len(set(alone)) > 4


def test_a_face_in_its_place_stays_as_it_is():
    face = np.random.default_rng(0).integers(0, 256, (ARCFACE_SIDE, ARCFACE_SIDE, 3), dtype=np.uint8)
    given, context = sface.encode(face, ARCFACE.astype(np.float32), None)
    assert context is None
    np.testing.assert_array_equal(given, face.transpose(2, 0, 1))
