"""RetinaFace against the package retinaface-pytorch, on weights that are generated: same numbers, same faces."""

import hashlib
import io

import numpy as np
import pytest
import skimage.data
from PIL import Image

torch = pytest.importorskip("torch", reason="needs the environment of the frameworks, .venv-frameworks")
retinaface = pytest.importorskip("retinaface", reason="needs retinaface-pytorch, to compare with")

from retinaface.box_utils import decode, decode_landm  # noqa: E402
from retinaface.prior_box import priorbox  # noqa: E402
from safetensors.torch import save_file  # noqa: E402
from torchvision.ops import nms  # noqa: E402

from model_handlers.codecs.retinaface import FLOOR, MAX_OVERLAP, MEAN_BGR, codec  # noqa: E402
from model_handlers.errors import ModelError  # noqa: E402
from model_handlers.frameworks.handler import NetworkHandler  # noqa: E402
from model_handlers.frameworks.loading import Loading  # noqa: E402
from model_handlers.framing import NORMALIZATIONS  # noqa: E402
from model_handlers.interface import Detections, Request  # noqa: E402
from model_handlers.models.catalogue import Entry  # noqa: E402
from model_handlers.models.loaded import load_model  # noqa: E402
from model_handlers.networks.retinaface import network  # noqa: E402
from tests.model_handlers.networks.retinaface_weights import package_network  # noqa: E402
from transforms.images.pixels import open_image  # noqa: E402

pytestmark = pytest.mark.frameworks
PHOTO = skimage.data.astronaut()[20:212, 140:300]


def imagenet(image: np.ndarray) -> "torch.Tensor":
    mean, deviation = NORMALIZATIONS["imagenet"]
    return torch.from_numpy(((image / 255 - mean) / deviation).transpose(2, 0, 1)[None].astype(np.float32))


def bgr(image: np.ndarray) -> "torch.Tensor":
    planes = image[..., ::-1].astype(np.float32) - np.array(MEAN_BGR, np.float32)
    return torch.from_numpy(planes.transpose(2, 0, 1)[None].copy())


PLANES = {"imagenet": imagenet, "bgr": bgr}


@pytest.fixture(scope="module")
def package():
    return package_network(imagenet(PHOTO))


@pytest.fixture(scope="module")
def files(package, tmp_path_factory):
    folder = tmp_path_factory.mktemp("retinaface")
    weights = package.state_dict()
    torch.save(weights, folder / "package.pth")
    # DataParallel, in which Pytorch_Retinaface trained, has a name of its own before all others
    save_file(
        {f"module.{name}": tensor.contiguous() for name, tensor in weights.items()}, folder / "module.safetensors"
    )
    return folder


@pytest.fixture(scope="module")
def model(files):
    path = files / "module.safetensors"
    entry = Entry(
        name="generated",
        task="face",
        framework="torch",
        network="retinaface",
        network_options={"normalization": "imagenet"},
        codec="retinaface",
        options={"side": None},
        sources=[{"uri": str(path), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}],
        licence="none",
        commercial=True,
    )
    return load_model(entry)


def wanted(package, image: np.ndarray, planes=imagenet) -> Detections:
    """What the package's own steps make of an image: decoding with its anchors, in shares of the image, and NMS."""
    height, width = (-(-length // 32) * 32 for length in image.shape[:2])
    padded = np.zeros((height, width, 3), np.uint8)
    padded[: image.shape[0], : image.shape[1]] = image
    with torch.inference_mode():
        moves, logits, marks = package(planes(padded))
        priors = priorbox([[16, 32], [64, 128], [256, 512]], [8, 16, 32], False, (height, width))
        boxes = decode(moves[0], priors, [0.1, 0.2]) * torch.tensor([width, height] * 2)
        landmarks = decode_landm(marks[0], priors, [0.1, 0.2]) * torch.tensor([width, height] * 5)
        scores = logits[0].softmax(1)[:, 1]
        valid = torch.where(scores > FLOOR)[0]
        kept = valid[nms(boxes[valid], scores[valid], MAX_OVERLAP)]
    limits = np.array(image.shape[1::-1] * 2)
    return Detections(
        np.clip(boxes[kept].numpy(), 0, limits), scores[kept].numpy(), landmarks[kept].numpy().reshape(-1, 5, 2)
    )


def assert_same(found: Detections, right: Detections) -> None:
    assert len(right.boxes) >= 5
    np.testing.assert_allclose(found.scores, right.scores, atol=1e-3)
    np.testing.assert_allclose(found.boxes, right.boxes, atol=0.02)
    np.testing.assert_allclose(found.landmarks, right.landmarks, atol=0.02)


@pytest.mark.parametrize(("name", "normalization"), [("package.pth", "imagenet"), ("module.safetensors", "bgr")])
def test_the_network_is_the_packages(package, files, name, normalization):
    own = network(files / name, normalization).eval()
    planes = PLANES[normalization](PHOTO[:96, :64])
    with torch.inference_mode():
        moves, logits, marks = package(planes)
        of_planes, of_pixels = own(planes), own(torch.from_numpy(PHOTO[None, :96, :64].copy()))
    for right, one, other in zip((moves, logits.softmax(2), marks), of_planes, of_pixels, strict=True):
        assert torch.equal(one, right)
        # the pixels lie in another order in memory, and are summed in another one
        assert float((other - right).abs().max()) < 1e-3 * float(right.abs().max())
        assert float(right.std()) > 0.03


@pytest.mark.parametrize("size", [(192, 160), (191, 150), (97, 133)])
def test_it_finds_what_the_package_finds(package, model, size):
    image = PHOTO[: size[0], : size[1]]
    assert_same(model(image), wanted(package, image))


def test_a_square_of_another_size(package, files):
    """The letterbox scales, and what is found comes back to the image; the planes of an ONNX file do as well."""
    canvas, _ = codec(side=256).encode(PHOTO[:, :144])  # 192 x 144 becomes 256 x 192
    made = codec(side=256, normalization="imagenet")
    planes, context = made.encode(PHOTO[:, :144])
    runs = NetworkHandler(Loading("torch", files / "package.pth", "generated", "retinaface"))
    (answer,) = runs.run_inference([Request((planes,), None)], runs.load_model())
    found, right = made.decode(answer.outputs[0], context), wanted(package, canvas)
    boxes = np.clip(right.boxes * 0.75, 0, (144, 192) * 2)
    assert_same(found, Detections(boxes, right.scores, right.landmarks * 0.75))


def test_a_result_does_not_depend_on_the_batch(files):
    options = (("normalization", "imagenet"),)
    runs = NetworkHandler(Loading("torch", files / "package.pth", "g", "retinaface", options), batch_size=2)
    loaded, made = runs.load_model(), codec(side=64)
    examples = [made.encode(PHOTO[start : start + 120])[0] for start in (0, 40, 90)]

    def run(*some):
        answers = runs.run_inference([Request((one,), None) for one in some], loaded)
        return [b"".join(part.tobytes() for part in answer.outputs[0]) for answer in answers]

    alone = [run(one)[0] for one in examples]
    assert len(set(alone)) == 3
    assert run(*examples) == alone
    assert run(*examples[::-1]) == alone[::-1]


def grey() -> Image.Image:
    return Image.fromarray(PHOTO).convert("L")


def sixteen_bits() -> Image.Image:
    return Image.fromarray(np.asarray(grey()).astype(np.uint16) * 257)


def cmyk() -> Image.Image:
    return Image.fromarray(PHOTO).convert("CMYK")


@pytest.mark.parametrize(("make", "kind"), [(grey, "PNG"), (sixteen_bits, "PNG"), (cmyk, "TIFF")])
def test_pictures_of_other_kinds(package, model, make, kind):
    file = io.BytesIO()
    make().save(file, kind)
    image = open_image(file.getvalue())
    assert_same(model(image), wanted(package, image))


def test_half_precision_moves_boxes_little(files, monkeypatch):
    """What is surely found in single precision is found in bfloat16, within two pixels.

    Nothing is suppressed: of two boxes that say the same face with nearly the same score, either may stay.
    """
    monkeypatch.setattr("model_handlers.codecs.retinaface.MAX_OVERLAP", 1.0)
    own, made = network(files / "package.pth", "imagenet").eval(), codec(side=None)
    assert made.half
    pixels, context = made.encode(PHOTO)
    results = []
    for half in (False, True):
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=half):
            outputs = own(torch.from_numpy(pixels[None]))
        results.append(made.decode(tuple(one[0].float().numpy() for one in outputs), context))
    right, found = results
    sure = right.scores > 0.5
    assert sure.sum() >= 5
    moved = np.abs(right.boxes[sure, None] - found.boxes[None]).max(2)
    assert moved.min(1).max() < 2
    assert np.abs(right.landmarks[sure] - found.landmarks[moved.argmin(1)]).max() < 2


def test_other_weights_are_told(package, tmp_path):
    weights = {name: tensor for name, tensor in package.state_dict().items() if not name.startswith("ssh3.conv3X3.0")}
    torch.save(weights | {"ssh3.conv3x3.0.weight": torch.zeros(1)}, tmp_path / "w.pth")
    with pytest.raises(ModelError, match=r"missing are ssh3\.conv3X3\.0\.weight; unknown are ssh3\.conv3x3\.0\.weight"):
        network(tmp_path / "w.pth")


def test_another_normalization_is_told(tmp_path):
    with pytest.raises(ModelError, match="normalization must be bgr or imagenet, not 'caffe'"):
        network(tmp_path / "w.pth", normalization="caffe")
