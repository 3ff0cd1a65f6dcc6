"""YOLO-pose: what ultralytics' own `predict` finds with the same file, on pictures of all kinds."""

import os
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp
from types import MethodType

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="needs the environment of the frameworks, .venv-frameworks")

from safetensors.torch import save_file  # noqa: E402

from model_handlers.codecs.yolo_pose import codec  # noqa: E402
from model_handlers.errors import ModelError  # noqa: E402
from model_handlers.frameworks.handler import NetworkHandler  # noqa: E402
from model_handlers.frameworks.loading import Loading  # noqa: E402
from model_handlers.interface import Request  # noqa: E402
from model_handlers.networks.yolo import network  # noqa: E402
from tests.image_files import PHOTO, saved  # noqa: E402
from tests.model_handlers.networks.yolo_weights import SCORE, SIDE, weights  # noqa: E402
from transforms.images.pixels import open_image  # noqa: E402

pytestmark = pytest.mark.frameworks
GREY = np.asarray(Image.fromarray(PHOTO).convert("L"))
PICTURES = {
    "odd": saved(PHOTO[3:334, 17:426], "PNG"),
    "portrait": saved(PHOTO[:, 100:301], "PNG"),
    "a line": saved(PHOTO[60:67], "PNG"),
    "small": saved(PHOTO[20:116, 180:261], "PNG"),
    "grey": saved(GREY[:301], "PNG"),
    "16 bits": saved(Image.fromarray(GREY[:, :333].astype(np.uint16) * 257), "PNG"),
    "CMYK": saved(Image.fromarray(PHOTO[:400]).convert("CMYK"), "JPEG", quality=95),
}


@pytest.fixture(scope="module", autouse=True)
def ultralytics():
    """Its settings go elsewhere, it installs nothing and asks nobody."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("YOLO_CONFIG_DIR", mkdtemp())
        patch.setenv("YOLO_OFFLINE", "true")
        patch.setenv("YOLO_AUTOINSTALL", "false")
        yield pytest.importorskip("ultralytics")


@lru_cache
def own(path: Path):
    """Ultralytics' model of a file."""
    from ultralytics import YOLO

    return YOLO(path, task="pose")


def predicted(path: Path, images, **options) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    found = own(path).predict(
        [np.ascontiguousarray(image[..., ::-1]) for image in images],
        conf=SCORE, iou=0.7, imgsz=SIDE, verbose=False, device="cpu", **options,
    )  # fmt: skip
    return [(one.boxes.xyxy.numpy(), one.boxes.conf.numpy(), one.keypoints.data.numpy()) for one in found]


def handled(path: Path, images, version=8, batch_size=1, framework="torch", **options):
    """The same through handler and codec."""
    network_options = (("scale", "n"), ("version", version)) if framework == "torch" else ()
    place = "yolo" if framework == "torch" else None
    runs = NetworkHandler(Loading(framework, path, "pose", place, network_options), batch_size=batch_size)
    made = codec(SIDE, **options)
    encoded = [made.encode(image) for image in images]
    answers = runs.run_inference([Request((one,), context) for one, context in encoded], runs.load_model())
    decoded = [made.decode(answer.outputs[0], answer.carry) for answer in answers]
    above = [one.scores > SCORE for one in decoded]
    return [(one.boxes[n], one.scores[n], one.keypoints[n]) for one, n in zip(decoded, above, strict=True)]


def assert_same(found, wanted) -> None:
    assert len(found) == len(wanted)
    assert sum(len(scores) for _, scores, _ in wanted) >= 10 * len(wanted)
    for ours, theirs in zip(found, wanted, strict=True):
        np.testing.assert_allclose(ours[1], theirs[1], atol=1e-5)
        np.testing.assert_allclose(ours[0], theirs[0], atol=0.01)
        np.testing.assert_allclose(ours[2], theirs[2], atol=0.01)


@pytest.mark.parametrize("version", [8, 11])
@pytest.mark.parametrize("rect", [True, False])
def test_it_finds_what_ultralytics_finds(version, rect):
    images = [open_image(data) for data in PICTURES.values()][:: 1 if rect else 3]
    wanted = [one for image in images for one in predicted(weights(version), [image], rect=rect)]
    assert_same(handled(weights(version), images, version, rect=rect), wanted)


@pytest.mark.parametrize("batch_size", [2, 3])
def test_batches(batch_size):
    """Pictures of one shape in rectangles, of several shapes in squares, as ultralytics does."""
    alike = [PHOTO[:300], PHOTO[100:400], PHOTO[:300, ::-1]]
    assert_same(handled(weights(8), alike, batch_size=batch_size), predicted(weights(8), alike))
    mixed = [open_image(PICTURES[name]) for name in ("odd", "grey", "portrait")]
    found = handled(weights(8), mixed, batch_size=batch_size, rect=False)
    assert_same(found, predicted(weights(8), mixed))
    for ours, image in zip(found, mixed, strict=True):
        (alone,) = handled(weights(8), [image], batch_size=batch_size, rect=False)
        assert [one.tobytes() for one in ours] == [one.tobytes() for one in alone]


@pytest.mark.parametrize("version", [8, 11])
def test_onnx(version):
    exported = Path(own(weights(version)).export(format="onnx", imgsz=SIDE, simplify=False, verbose=False))
    images = [open_image(data) for data in PICTURES.values()]
    found = handled(exported, images, framework="onnx", rect=False, planes=True)
    assert_same(found, [one for image in images for one in predicted(exported, [image])])
    of_torch = handled(weights(version), images, version, rect=False)
    assert_same(found, of_torch)


def test_checkpoints_of_a_training(tmp_path):
    """With the moving average under `ema`, settings, paths and NumPy's numbers, and a bound method in the head."""
    checkpoint = torch.load(weights(8), weights_only=False)
    model = checkpoint["model"]
    model.model[-1].forward = MethodType(type(model.model[-1]).forward, model.model[-1])
    more = {"best_fitness": np.float64(0.3), "train_args": {"project": tmp_path}, "epoch": 3, "optimizer": None}
    torch.save(more | {"model": None, "ema": model}, tmp_path / "w.pt")
    assert_same(handled(tmp_path / "w.pt", [PHOTO]), handled(weights(8), [PHOTO]))


@pytest.mark.parametrize("version", [8, 11])
def test_weights_alone(tmp_path, version):
    state = torch.load(weights(version), weights_only=False)["model"].float().state_dict()
    torch.save(state, tmp_path / "w.pt")
    save_file({name: tensor.contiguous() for name, tensor in state.items()}, tmp_path / "w.safetensors")
    wanted = predicted(weights(version), [PHOTO])
    for name in ("w.pt", "w.safetensors"):
        assert_same(handled(tmp_path / name, [PHOTO], version), wanted)


def test_the_description_in_the_file_is_not_used(tmp_path):
    """Ultralytics evaluates its `activation` as Python."""
    checkpoint = torch.load(weights(8), weights_only=False)
    checkpoint["model"].yaml["activation"] = f"__import__('os').mkdir({str(tmp_path / 'ran')!r})"
    torch.save(checkpoint, tmp_path / "w.pt")
    network(tmp_path / "w.pt")
    assert not (tmp_path / "ran").exists()


class Runs:
    def __reduce__(self):
        return os.system, ("exit 1",)


def test_a_hostile_checkpoint(tmp_path):
    checkpoint = torch.load(weights(8), weights_only=False)
    checkpoint["model"].names = Runs()
    torch.save(checkpoint, tmp_path / "w.pt")
    with pytest.raises(ModelError, match=r"holds more than a network, it names \w+\.system; nothing of it was run$"):
        network(tmp_path / "w.pt")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"version": 11},
            "has not the weights of this network: missing are .* it was read as YOLO version 11, scale n",
        ),
        ({"scale": "s"}, "of another shape are .* it was read as YOLO version 8, scale s: see network_options$"),
        ({"version": 5}, "is of version 8 or 11 and of scale n, s, m, l, x, not 5 and 'n'"),
        ({"scale": "nano"}, "not 8 and 'nano'; correct network_options$"),
    ],
)
def test_what_does_not_fit_is_told(options, words):
    with pytest.raises(ModelError, match=words):
        network(weights(8), **options)


def test_without_ultralytics(monkeypatch):
    path = weights(8)
    monkeypatch.setitem(sys.modules, "ultralytics.nn.tasks", None)
    with pytest.raises(ModelError, match=r"needs the package ultralytics: install manyfaces\[ultralytics\]$"):
        network(path)


WATCHED = """
import os, sys
import torch, cv2
import model_handlers.networks.yolo as yolo

def watch(event, given):
    writes = event == "open" and (given[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) and not given[0] == os.devnull)
    if event.startswith(("socket.", "subprocess.", "os.system", "os.exec", "os.posix_spawn")) or writes:
        if not str(given[0]).startswith(os.environ["TMPDIR"]):
            print(event, given)

before = dict(os.environ)
sys.addaudithook(watch)
yolo.build(8, "n")
assert dict(os.environ) == before
print(os.listdir(os.environ["TMPDIR"]), os.listdir(os.environ["HOME"]))
"""


def test_importing_ultralytics_leaves_nothing_behind_and_calls_nobody(tmp_path):
    for name in ("home", "temporary"):
        (tmp_path / name).mkdir()
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("YOLO_", "XDG_", "OMP_"))}
    places = {"HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path / "temporary"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", WATCHED], env=clean | places, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[] []\n", done.stdout
