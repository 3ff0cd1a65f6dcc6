"""ViT with KP-RPE beside what the reference implementation gives, and beside the formulas written out."""

import numpy as np
import pytest
import skimage.data

torch = pytest.importorskip("torch", reason="needs the environment of the frameworks, .venv-frameworks")

from PIL import Image  # noqa: E402
from safetensors.torch import save_file  # noqa: E402
from torch.nn import functional  # noqa: E402
from torchvision.transforms import v2  # noqa: E402

from model_handlers.codecs.vit_kprpe import encode  # noqa: E402
from model_handlers.errors import ModelError  # noqa: E402
from model_handlers.frameworks.handler import NetworkHandler  # noqa: E402
from model_handlers.frameworks.loading import Loading  # noqa: E402
from model_handlers.geometry import ARCFACE, transform  # noqa: E402
from model_handlers.interface import Request  # noqa: E402
from model_handlers.models import catalogue  # noqa: E402
from model_handlers.models.trial import try_model  # noqa: E402
from model_handlers.networks.vit_kprpe import SIZES, VitKprpe, network  # noqa: E402
from tests.model_handlers.networks import kprpe_weights  # noqa: E402
from tests.model_handlers.networks.entries import with_file  # noqa: E402

pytestmark = pytest.mark.frameworks

EXPECTED = np.load(kprpe_weights.EXPECTED)["y"]
FACES = kprpe_weights.faces()
SMALL = kprpe_weights.shapes(12, 8, 5)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A checkpoint of the base size as safetensors, every name with `model.net.` before it."""
    path = tmp_path_factory.mktemp("kprpe") / "model.safetensors"
    weights = kprpe_weights.made(kprpe_weights.shapes(24, 16, 3))
    save_file({f"model.net.{name}": torch.from_numpy(np.asarray(one)) for name, one in weights.items()}, path)
    held = handler(path).load_model()  # while somebody holds it, a process does not load it again
    yield path
    del held
    path.unlink()  # half a gigabyte


def handler(path, batch_size=1, **options) -> NetworkHandler:
    return NetworkHandler(Loading("torch", path, "kprpe", "vit_kprpe", tuple(options.items())), batch_size=batch_size)


def answers(path, batch_size, examples, **options) -> np.ndarray:
    runs = handler(path, batch_size, **options)
    found = runs.run_inference([Request((one,), None) for one in examples], runs.load_model())
    assert [answer.error for answer in found] == [None] * len(examples)
    return np.array([answer.outputs[0][0] for answer in found]).reshape(-1, 512)


def cosines(left, right) -> np.ndarray:
    return (left * right).sum(1) / np.linalg.norm(left, axis=1) / np.linalg.norm(right, axis=1)


@pytest.mark.parametrize("batch_size", [1, 4])
def test_it_gives_what_the_reference_gives_whatever_is_in_the_batch(base, batch_size):
    together = answers(base, batch_size, FACES)
    np.testing.assert_allclose(together, EXPECTED, atol=1e-4)
    assert np.ptp(EXPECTED, axis=0).min() > 1e-4, "the faces differ, and so must their vectors"
    alone = answers(base, batch_size, FACES[2:])
    assert alone.tobytes() == together[2:].tobytes()


def test_landmarks_matter_and_bf16_is_enough(base):
    (image, landmarks), (_, others) = FACES[:2]
    module = network(base).eval()
    given = [torch.from_numpy(np.stack(one)) for one in ((image, image), (landmarks, others))]
    with torch.inference_mode():
        full = module(*given).numpy()
        with torch.autocast("cpu", torch.bfloat16):
            half = module(*given).float().numpy()
    assert abs(full[0] - full[1]).max() > 0.01
    assert cosines(full, half).min() > 0.9998
    np.testing.assert_allclose(np.linalg.norm(half, axis=1), np.linalg.norm(full, axis=1), rtol=2e-3)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A checkpoint of the small size as torch saves it, every name with `net.` before it, and its tensors."""
    torch.manual_seed(5)
    weights = VitKprpe(SIZES["small"]).state_dict()
    for name, one in weights.items():
        if name.endswith(("running_mean", "running_var")) or name.startswith(("pos_embed", "keypoint_linear")):
            one.uniform_(0.1, 1)
    path = tmp_path_factory.mktemp("kprpe") / "model.pt"
    torch.save({f"net.{name}": one for name, one in weights.items()}, path)
    yield path, weights
    path.unlink()


def test_the_small_size_follows_the_formulas(small):
    path, weights = small
    found = answers(path, 1, FACES[:1], size="small")
    wanted = by_formula(weights, *(torch.from_numpy(one) for one in FACES[0]), depth=12, heads=8)
    np.testing.assert_allclose(found[0], wanted.numpy(), atol=1e-4)


def bucket(query: int, key: int) -> int:
    """Of two patches, counted row by row: the step between them down and across, each in seven levels."""
    levels = {0: 0, 1: 1, 2: 2, 3: 2}
    down, across = (
        int(np.sign(step)) * levels.get(abs(step), 3) for step in (query // 14 - key // 14, query % 14 - key % 14)
    )
    return (down + 3) * 7 + across + 3


def by_formula(w, image, landmarks, depth: int, heads: int):
    """The vector of one image, step by step."""
    patches = functional.conv2d(image[None], w["patch_embed.proj.weight"], w["patch_embed.proj.bias"], stride=8)
    tokens = torch.stack([patches[0, :, row, column] for row in range(14) for column in range(14)])
    tokens = tokens + w["pos_embed"][0]
    centres = torch.tensor([((patch % 14 + 0.5) / 14, (patch // 14 + 0.5) / 14) for patch in range(196)])
    away = torch.cat([centres - one for one in landmarks], dim=1)
    table = away @ w["keypoint_linear.weight"].T + w["keypoint_linear.bias"]
    pairs = torch.tensor([[bucket(query, key) for key in range(196)] for query in range(196)])
    norm = lambda x, name: functional.layer_norm(x, (512,), w[f"{name}.weight"], w[f"{name}.bias"], 1e-5)  # noqa: E731
    for block in range(depth):
        part = lambda name, at=block: w[f"blocks.{at}.{name}"]  # noqa: E731
        sums = norm(tokens, f"blocks.{block}.norm1") @ part("attn.qkv.weight").T
        seen, wide = [], 512 // heads
        for head in range(heads):
            query, key, value = (sums[:, 512 * of + wide * head :][:, :wide] for of in range(3))
            first = (block * heads + head) * 49
            bias = torch.take_along_dim(table[:, first : first + 49], pairs, 1)
            seen.append((query @ key.T / wide**0.5 + bias).softmax(1) @ value)
        tokens = tokens + torch.cat(seen, 1) @ part("attn.proj.weight").T + part("attn.proj.bias")
        inner = norm(tokens, f"blocks.{block}.norm2") @ part("mlp.fc1.weight").T + part("mlp.fc1.bias")
        tokens = tokens + inner.clamp(0, 6) @ part("mlp.fc2.weight").T + part("mlp.fc2.bias")
    vector = norm(tokens, "norm").flatten()
    for place in (0, 2):
        mean, variance, weight, bias = (
            w[f"feature.{place + 1}.{name}"] for name in ("running_mean", "running_var", "weight", "bias")
        )
        vector = (w[f"feature.{place}.weight"] @ vector - mean) / (variance + 2e-5).sqrt() * weight + bias
    return vector


@pytest.mark.parametrize(("size", "sizes"), [("base", (24, 16, 3)), ("small", (12, 8, 5))])
def test_names_and_shapes_are_those_of_the_checkpoints(size, sizes):
    with torch.device("meta"):
        made = VitKprpe(SIZES[size]).state_dict()
    assert {name: tuple(one.shape) for name, one in made.items()} == kprpe_weights.shapes(*sizes)


def empty(path, changes: dict[str, str | None] | None = None):
    """A file of zeros with the names and shapes of the small size, of which some are renamed or left out."""
    names = {name: (changes or {}).get(name, name) for name in SMALL}
    zeros = {new: torch.zeros(()).expand(SMALL[name]) for name, new in names.items() if new is not None}
    torch.save(zeros, path)  # expanded zeros are one number in the file
    return path


def test_names_may_stand_without_a_prefix(tmp_path):
    assert not network(empty(tmp_path / "model.pt"), size="small").pos_embed.any()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"norm.bias": "norm.offset"}, r"missing are norm\.bias; unknown are norm\.offset$"),
        (
            {name: None for name in SMALL if "keypoint" in name},
            r"missing are keypoint_linear\.bias, ",
        ),
    ],
)
def test_names_that_do_not_fit_are_told(tmp_path, changes, words):
    with pytest.raises(ModelError, match=rf"model\.pt has not the weights of this network: {words}"):
        network(empty(tmp_path / "model.pt", changes), size="small")


def test_another_size_is_told(tmp_path):
    path = empty(tmp_path / "model.pt")
    with pytest.raises(
        ModelError, match=r"keypoint_linear\.bias has \(4704,\) instead of \(18816,\)|missing are blocks"
    ):
        network(path)
    with pytest.raises(ModelError, match="has the sizes base, small, not 'huge'"):
        network(path, size="huge")


@pytest.mark.parametrize("side", [160, 240, 320])
def test_the_codec_s_planes_are_torchvision_s(side):
    """The middle of the aligned crop, resized with antialiasing and normalized, as the network was fed in training."""
    photo = skimage.data.astronaut()[:side, 120 : 120 + side]
    landmarks = transform(np.array([[1, 0, 24], [0, 1, 24]]) * (side / 160), ARCFACE)
    (planes, keypoints), _ = encode(photo, landmarks, None)
    steps = [v2.CenterCrop(side * 7 // 10), v2.Resize(112, antialias=True), v2.ToImage()]
    scaled = v2.Compose([*steps, v2.ToDtype(torch.float32, scale=True), v2.Normalize([0.5] * 3, [0.5] * 3)])
    wanted = scaled(Image.fromarray(photo)).numpy()
    np.testing.assert_allclose(planes, wanted, atol=1e-6)
    np.testing.assert_allclose(keypoints, ARCFACE / 112, atol=1e-5)


def test_network_codec_and_entry_fit(tmp_path):
    try_model(with_file(catalogue.load().get("vit-kprpe-small"), empty(tmp_path / "model.pt")))
