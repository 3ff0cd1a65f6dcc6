"""MTCNN with its real weights against facenet-pytorch's own cascade, on photographs."""

import io

import numpy as np
import pytest
import skimage.data
from PIL import Image

torch = pytest.importorskip("torch", reason="needs the environment of the frameworks, .venv-frameworks")
facenet = pytest.importorskip("facenet_pytorch", reason="needs facenet-pytorch, to compare with")

from model_handlers.errors import ModelError  # noqa: E402
from model_handlers.frameworks.handler import NetworkHandler  # noqa: E402
from model_handlers.interface import Detections, Request  # noqa: E402
from model_handlers.models import catalogue, store  # noqa: E402
from model_handlers.models.handlers import Placement, loading  # noqa: E402
from model_handlers.models.loaded import LoadedModel, load_model  # noqa: E402
from model_handlers.networks.mtcnn import MOST_FACES, network  # noqa: E402
from tests import photographs  # noqa: E402
from transforms.images.pixels import open_image  # noqa: E402

pytestmark = pytest.mark.frameworks
ASTRONAUT = skimage.data.astronaut()[:300, 100:400]
ENTRY = catalogue.load().get("mtcnn")


def photograph(name: str, longer: int) -> np.ndarray:
    """A photograph at another size; the friends are six, the party five."""
    image = Image.fromarray(open_image(photographs.path(name).read_bytes()))
    image.thumbnail((longer, longer))
    return np.asarray(image)


@pytest.fixture(scope="module")
def package():
    return facenet.MTCNN(select_largest=False)


@pytest.fixture(scope="module")
def model() -> LoadedModel:
    return load_model(ENTRY.model_copy(update={"options": {"side": None}}))


def assert_same(found: Detections, package, image: np.ndarray) -> int:
    """How many faces the package finds, all of which must have been found; its boxes are not clipped to the image."""
    boxes, scores, landmarks = package.detect(image, landmarks=True)
    if boxes is None:
        assert len(found.boxes) == len(found.scores) == len(found.landmarks) == 0
        return 0
    order = np.argsort(-scores.astype(float), kind="stable")
    right = np.clip(boxes[order].astype(float), 0, image.shape[1::-1] * 2)
    np.testing.assert_allclose(found.scores, scores[order].astype(float), atol=1e-5)
    np.testing.assert_allclose(found.boxes, right, atol=0.01)
    np.testing.assert_allclose(found.landmarks, landmarks[order].astype(float), atol=0.01)
    return len(order)


@pytest.mark.parametrize(
    ("image", "faces"),
    [
        (np.zeros((64, 48, 3), np.uint8), 0),
        (np.random.default_rng(0).integers(0, 256, (61, 97, 3), dtype=np.uint8), 0),
        (ASTRONAUT, 1),
        (ASTRONAUT[:257, 20:283], 1),
        (ASTRONAUT[60:, 60:200], 1),  # the face is cut off by the border
    ],
)
def test_it_finds_what_the_package_finds(package, model, image, faces):
    assert assert_same(model(image), package, image) == faces


@pytest.mark.parametrize(("name", "longer", "faces"), [("friends-1", 640, 6), ("party-1", 701, 5)])
def test_photographs_of_many(package, model, name, longer, faces):
    image = photograph(name, longer)
    assert assert_same(model(image), package, image) >= faces


@pytest.mark.parametrize("size", [(3, 5), (19, 200)])
def test_images_that_are_too_small(model, size):
    """The package fails on these."""
    found = model(np.full((*size, 3), 128, np.uint8))
    assert found.boxes.shape == (0, 4)
    assert found.landmarks.shape == (0, 5, 2)


def test_the_catalogues_square(package):
    image = photograph("party-1", 500)
    found = load_model(ENTRY)(image)
    larger = Image.fromarray(image).resize((640, 640 * len(image) // 500))
    boxes, _, landmarks = package.detect(larger, landmarks=True)
    nearest = np.abs(boxes.astype(float)[:, None] / 1.28 - found.boxes[None]).max(2)
    assert nearest.shape[0] >= 5
    assert nearest.min(1).max() < 4  # scaled in another way
    assert np.abs(landmarks.astype(float) / 1.28 - found.landmarks[nearest.argmin(1)]).max() < 4


def test_a_result_does_not_depend_on_the_batch():
    runs = NetworkHandler(loading(ENTRY, Placement(), 1), batch_size=3)
    loaded = runs.load_model()
    friends = photograph("friends-1", 640)
    images = [ASTRONAUT[:240], friends[:240, :300], friends[110:350, 180:480], np.zeros_like(ASTRONAUT[:240])]

    def run(*some):
        answers = runs.run_inference([Request((image,), None) for image in some], loaded)
        return [b"".join(part.tobytes() for part in answer.outputs[0]) for answer in answers]

    alone = [run(image)[0] for image in images]
    assert len(set(alone)) == 4
    assert run(*images) == alone
    assert run(*images[::-1]) == alone[::-1]


def grey() -> Image.Image:
    return Image.fromarray(ASTRONAUT).convert("L")


def sixteen_bits() -> Image.Image:
    return Image.fromarray(np.asarray(grey()).astype(np.uint16) * 257)


def cmyk() -> Image.Image:
    return Image.fromarray(ASTRONAUT).convert("CMYK")


@pytest.mark.parametrize(("make", "kind"), [(grey, "PNG"), (sixteen_bits, "PNG"), (cmyk, "TIFF")])
def test_pictures_of_other_kinds(package, model, make, kind):
    file = io.BytesIO()
    make().save(file, kind)
    image = open_image(file.getvalue())
    assert assert_same(model(image), package, image) == 1


def test_other_options():
    """Of faces of at least 100 pixels the pyramid has fewer levels; with low thresholds there are more than fit."""
    file, pixels = store.ensure(ENTRY), torch.from_numpy(ASTRONAUT[None].copy())
    with torch.inference_mode():
        large = network(file, smallest=100, factor=0.5)(pixels)
        many = network(file, thresholds=(0.1, 0.0, 0.0))(pixels)
    boxes, _, _ = facenet.MTCNN(min_face_size=100, factor=0.5).detect(ASTRONAUT, landmarks=True)
    assert int((large[1] > 0).sum()) == len(boxes) == 1
    np.testing.assert_allclose(large[0][0, :1].numpy(), boxes.astype(float), atol=0.01)
    assert bool((many[1] > 0).all())
    assert bool((many[1].diff() <= 0).all())
    assert many[2].shape == (1, MOST_FACES, 5, 2)


@pytest.mark.parametrize("options", [{"smallest": 11}, {"factor": 1}, {"thresholds": (0.6, 0.7)}])
def test_options_that_are_refused(tmp_path, options):
    with pytest.raises(ModelError, match="network_options of mtcnn must be: smallest at least 12 pixels"):
        network(tmp_path / "w.safetensors", **options)
