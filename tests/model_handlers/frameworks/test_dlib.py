"""dlib behind the handler: its own vectors, and those of the same weights in ONNX."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

dlib = pytest.importorskip("dlib", reason="needs the environment of the frameworks, .venv-frameworks")

from model_handlers.codecs import dlib_resnet  # noqa: E402
from model_handlers.errors import ModelError  # noqa: E402
from model_handlers.frameworks.devices import DeviceMissing  # noqa: E402
from model_handlers.frameworks.handler import NetworkHandler  # noqa: E402
from model_handlers.frameworks.loading import Loading  # noqa: E402
from model_handlers.frameworks.network import Feed  # noqa: E402
from model_handlers.interface import Request  # noqa: E402
from model_handlers.models import catalogue, store  # noqa: E402
from model_handlers.models.catalogue import Entry  # noqa: E402
from model_handlers.models.loaded import load_model  # noqa: E402
from model_handlers.models.trial import try_model  # noqa: E402
from tests import videos  # noqa: E402

pytestmark = [pytest.mark.frameworks, pytest.mark.integration]

PEOPLE = ("astronaut-1", "obama-1", "hill-1", "biden-1")


@pytest.fixture(scope="module")
def weights():
    return store.ensure(catalogue.load().get("dlib-resnet-original"))


@pytest.fixture(scope="module")
def faces():
    """Photographs and the five landmarks of their best face."""
    find = load_model(catalogue.load().get("centerface"))
    return [(image, find(image).landmarks[0]) for image in map(videos.photograph, PEOPLE)]


@pytest.fixture(scope="module")
def chips(faces):
    return [dlib_resnet.encode(*face, None, pixels=True)[0] for face in faces]


def handler(path, batch_size=1, **changes) -> NetworkHandler:
    return NetworkHandler(Loading("dlib", path, "dlib", **changes), batch_size=batch_size)


def vectors(runs: NetworkHandler, chips) -> list[np.ndarray]:
    found = runs.run_inference([Request((one,), None) for one in chips], runs.load_model())
    return [answer.outputs[0][0] for answer in found]


def test_it_gives_what_dlib_gives(weights, chips):
    network = dlib.face_recognition_model_v1(str(weights))
    wanted = np.array([network.compute_face_descriptor(chip) for chip in chips], np.float32)
    np.testing.assert_array_equal(vectors(handler(weights), chips), wanted)
    np.testing.assert_array_equal(vectors(handler(weights, 3), chips), wanted)
    np.testing.assert_array_equal(vectors(handler(weights, 3), chips[::-1]), wanted[::-1])


def test_the_same_face_has_the_vector_of_the_onnx_file(faces):
    original, onnx = (load_model(catalogue.load().get(name)) for name in ("dlib-resnet-original", "dlib-resnet"))
    ours = np.array([original(*face, None) for face in faces])
    theirs = np.array([onnx(*face, None) for face in faces])
    lengths = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    assert ((ours * theirs).sum(axis=1) / lengths).min() > 0.9999
    assert np.linalg.norm(ours - theirs, axis=1).max() < 1e-3
    apart = np.linalg.norm(ours[:, None] - ours[None], axis=2)[np.triu_indices(len(PEOPLE), 1)]
    assert apart.min() > 0.55  # all are different people


def test_several_threads_at_once(weights, chips):
    runs = handler(weights)
    alone = np.array(vectors(runs, chips[:2]))
    with ThreadPoolExecutor(3) as threads:
        for found in threads.map(lambda _: vectors(runs, chips[:2]), range(3)):
            np.testing.assert_array_equal(found, alone)


def test_what_it_takes(weights):
    assert handler(weights).load_model().feeds() == (Feed("chips", "uint8", (None, 150, 150, 3)),)
    try_model(catalogue.load().get("dlib-resnet-original"))


@pytest.mark.parametrize("device", ["cuda", "cuda:3"])
def test_a_gpu_that_dlib_cannot_use(weights, device):
    if dlib.DLIB_USE_CUDA:
        pytest.skip("this dlib can use CUDA")
    with pytest.raises(DeviceMissing, match=rf"^dlib: the configuration asks for {device}, but dlib was built without"):
        handler(weights, device=device).load_model()


def entry(path, **changes) -> Entry:
    sources = [{"uri": str(path), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}]
    about = {"name": "mine", "framework": "dlib", "task": "embedding", "codec": "dlib_resnet", "dimension": 128}
    return Entry.model_validate(about | {"licence": "MIT", "commercial": True, "sources": sources} | changes)


@pytest.mark.parametrize("content", [b"", b"no network", 100_000])
def test_a_damaged_file(weights, tmp_path, content):
    path = tmp_path / "damaged.dat"
    path.write_bytes(weights.read_bytes()[:content] if isinstance(content, int) else content)
    with pytest.raises(ModelError, match=r"^model 'mine': its file cannot be loaded: .*; correct its sources\.$") as e:
        try_model(entry(path, options={"pixels": True}))
    assert "\n" not in str(e.value)


def test_planes_are_not_for_dlib(weights):
    with pytest.raises(ModelError, match=r"^model 'mine': codec 'dlib_resnet' makes an input of float32 .* uint8"):
        try_model(entry(weights))
