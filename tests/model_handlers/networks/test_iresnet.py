"""IResNet in ArcFace's and AdaFace's names, beside its steps written out over the weights of a file."""

from dataclasses import dataclass

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the environment of the frameworks, .venv-frameworks")

from safetensors.torch import save_file  # noqa: E402
from torch.nn import functional  # noqa: E402

from model_handlers.errors import ModelError  # noqa: E402
from model_handlers.frameworks.handler import NetworkHandler  # noqa: E402
from model_handlers.frameworks.loading import Loading  # noqa: E402
from model_handlers.interface import Request  # noqa: E402
from model_handlers.models import catalogue  # noqa: E402
from model_handlers.models.trial import try_model  # noqa: E402
from model_handlers.networks.iresnet import iresnet, network  # noqa: E402
from tests.model_handlers.networks.entries import with_file  # noqa: E402

pytestmark = pytest.mark.frameworks

COUNTS = {18: (2, 2, 2, 2), 50: (3, 4, 14, 3), 100: (3, 13, 30, 3)}
WIDTHS = (64, 128, 256, 512)


@dataclass(frozen=True)
class Naming:
    """What one of the two calls its layers: before the blocks, in a block, and behind them."""

    stem: tuple[str, str, str]
    block: str
    inner: tuple[str, ...]
    shortcut: str
    tail: tuple[str, str, str]


ARCFACE = Naming(
    ("conv1", "bn1", "prelu"),
    "layer{stage}.{place}",
    ("bn1", "conv1", "bn2", "prelu", "conv2", "bn3"),
    "downsample",
    ("bn2", "fc", "features"),
)
ADAFACE = Naming(
    ("input_layer.0", "input_layer.1", "input_layer.2"),
    "body.{number}",
    tuple(f"res_layer.{number}" for number in range(6)),
    "shortcut_layer",
    ("output_layer.0", "output_layer.3", "output_layer.4"),
)
NAMINGS = {"arcface": ARCFACE, "adaface": ADAFACE}


def blocks(naming: Naming, depth: int):
    """Of each block its name, stride, and channels before and behind it."""
    number, before = 0, 64
    for stage, (count, after) in enumerate(zip(COUNTS[depth], WIDTHS, strict=True), 1):
        for place in range(count):
            yield naming.block.format(stage=stage, place=place, number=number), 2 if place == 0 else 1, before, after
            number, before = number + 1, after


def shapes(naming: Naming, depth: int) -> dict[str, tuple[int, ...]]:
    """The tensors of a file."""
    (conv, norm, slope), (last, dense, features) = naming.stem, naming.tail
    found = {f"{conv}.weight": (64, 3, 3, 3), f"{slope}.weight": (64,), **normalization(norm, 64)}
    for name, stride, before, after in blocks(naming, depth):
        bn1, conv1, bn2, prelu, conv2, bn3 = (f"{name}.{part}" for part in naming.inner)
        found |= {f"{conv1}.weight": (after, before, 3, 3), f"{conv2}.weight": (after, after, 3, 3)}
        found |= {f"{prelu}.weight": (after,)}
        found |= normalization(bn1, before) | normalization(bn2, after) | normalization(bn3, after)
        if before != after or (stride == 2 and naming is ARCFACE):
            found[f"{name}.{naming.shortcut}.0.weight"] = (after, before, 1, 1)
            found |= normalization(f"{name}.{naming.shortcut}.1", after)
    found |= normalization(last, 512) | {f"{dense}.weight": (512, 512 * 49), f"{dense}.bias": (512,)}
    found |= normalization(features, 512)
    unlearnt = (f"{features}.weight", f"{features}.bias") if naming is ADAFACE else ()
    return {name: shape for name, shape in found.items() if name not in unlearnt}


def normalization(name: str, width: int) -> dict[str, tuple[int, ...]]:
    parts = dict.fromkeys(("weight", "bias", "running_mean", "running_var"), (width,))
    return {f"{name}.{part}": shape for part, shape in parts.items()} | {f"{name}.num_batches_tracked": ()}


def made(naming: Naming, depth: int) -> dict:
    """Weights that keep the numbers in bounds, for every file of these names the same."""
    random = torch.Generator().manual_seed(3)
    found = {}
    for name, shape in shapes(naming, depth).items():
        drawn = torch.randn(shape, generator=random)
        if name.endswith("num_batches_tracked"):
            drawn = torch.tensor(7)
        elif len(shape) > 1:
            drawn /= np.prod(shape[1:]) ** 0.5
        elif name.endswith(("running_var", "weight")):
            drawn = 0.5 + 0.1 * drawn.abs()
        else:
            drawn = 0.1 * drawn
        found[name] = drawn
    return found


def by_steps(weights: dict, images, naming: Naming, depth: int):
    """The vectors (N,512)."""

    def norm(x, name):
        mean, variance, weight, bias = (
            weights.get(f"{name}.{part}") for part in ("running_mean", "running_var", "weight", "bias")
        )
        return functional.batch_norm(x, mean, variance, weight, bias, eps=1e-5)

    def conv(x, name, stride=1):
        kernel = weights[f"{name}.weight"]
        return functional.conv2d(x, kernel, stride=stride, padding=kernel.shape[-1] // 2)

    def slope(x, name):
        return torch.where(x > 0, x, x * weights[f"{name}.weight"][:, None, None])

    x = slope(norm(conv(images, naming.stem[0]), naming.stem[1]), naming.stem[2])
    for name, stride, *_ in blocks(naming, depth):
        bn1, conv1, bn2, prelu, conv2, bn3 = (f"{name}.{part}" for part in naming.inner)
        inner = norm(conv(slope(norm(conv(norm(x, bn1), conv1), bn2), prelu), conv2, stride), bn3)
        short = f"{name}.{naming.shortcut}"
        has_one = f"{short}.0.weight" in weights
        x = inner + (norm(conv(x, f"{short}.0", stride), f"{short}.1") if has_one else x[:, :, ::stride, ::stride])
    last, dense, features = naming.tail
    flat = norm(x, last).flatten(1)
    return norm(flat @ weights[f"{dense}.weight"].T + weights[f"{dense}.bias"], features)


def save(path, weights, prefix="", block=None, **more):
    named = {prefix + name: one for name, one in weights.items()} | more
    if path.suffix == ".safetensors":
        save_file(named, path)
    else:
        torch.save({block: named, "epoch": 3} if block else named, path)
    return path


IMAGES = [np.random.default_rng(number).uniform(-1, 1, (3, 112, 112)).astype(np.float32) for number in range(3)]


@pytest.mark.parametrize("batch_size", [1, 4])
@pytest.mark.parametrize("name", NAMINGS)
def test_it_is_its_steps_whatever_is_in_the_batch(tmp_path, name, batch_size):
    weights = made(NAMINGS[name], 18)
    loading = Loading("torch", save(tmp_path / "w.pt", weights), "face", "iresnet", (("depth", 18),))
    runs = NetworkHandler(loading, batch_size=batch_size)
    model = runs.load_model()

    def vectors(examples):
        found = runs.run_inference([Request((one,), None) for one in examples], model)
        return np.stack([answer.outputs[0][0] for answer in found])

    together = vectors(IMAGES)
    wanted = by_steps(weights, torch.from_numpy(np.stack(IMAGES)), NAMINGS[name], 18).numpy()
    np.testing.assert_allclose(together, wanted, atol=1e-4 * abs(wanted).max())
    assert np.ptp(together, axis=0).max() > 0.1, "other images, other vectors"
    assert vectors(IMAGES[2:]).tobytes() == together[2:].tobytes()


@pytest.mark.parametrize("depth", [50, 100])
@pytest.mark.parametrize("name", NAMINGS)
def test_names_and_shapes_of_the_deep_ones(tmp_path, name, depth):
    """Of numbers that are all zero, which makes small files."""
    zeros = {one: torch.zeros(()).expand(shape) for one, shape in shapes(NAMINGS[name], depth).items()}
    filled = network(save(tmp_path / "w.pt", zeros), depth=depth)
    assert not filled.get_parameter("layer3.7.conv2.weight").any()
    with torch.device("meta"):
        count = sum(one.numel() for one in iresnet(depth, name == "adaface").parameters())
    assert count == {50: 43_590_848, 100: 65_156_160}[depth] - (5_248 if name == "adaface" else 0)


@pytest.mark.parametrize(
    ("file", "prefix", "block", "more"),
    [
        ("w.pt", "", None, {}),
        ("w.pt", "module.", None, {}),
        ("w.pt", "net.", None, {}),
        ("w.safetensors", "model.net.", None, {}),
        ("w.ckpt", "model.", "state_dict", {"head.kernel": torch.ones(2, 3), "head.t": torch.ones(1)}),
    ],
)
def test_files_of_all_kinds(tmp_path, file, prefix, block, more):
    weights = made(ADAFACE, 18)
    module = network(save(tmp_path / file, weights, prefix, block, **more), depth=18).eval()
    with torch.inference_mode():
        image = torch.from_numpy(IMAGES[0][None])
        wanted = by_steps(weights, image, ADAFACE, 18)
        torch.testing.assert_close(module(image), wanted, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(
    ("naming", "changes", "words"),
    [
        (ARCFACE, {"layer2.1.bn3.bias": None}, r"missing are layer2\.1\.bn3\.bias$"),
        (ADAFACE, {"body.3.res_layer.5.bias": None}, r"missing are layer2\.1\.bn3\.bias$"),
        (ADAFACE, {"body.3.res_layer.5.bias": "body.3.res_layer.9.bias"}, r"unknown are body\.3\.res_layer\.9\.bias$"),
        (ADAFACE, {"output_layer.3.weight": "output_layer.2.weight"}, r"unknown are output_layer\.2\.weight$"),
        (ARCFACE, {"fc.weight": "feature.weight"}, r"missing are fc\.weight; unknown are feature\.weight$"),
    ],
)
def test_names_that_do_not_fit_are_told(tmp_path, naming, changes, words):
    zeros = {one: torch.zeros(()).expand(shape) for one, shape in shapes(naming, 18).items()}
    changed = {changes.get(name, name): one for name, one in zeros.items()}
    changed.pop(None, None)
    with pytest.raises(ModelError, match=rf"w\.pt has not the weights of this network: .*{words}"):
        network(save(tmp_path / "w.pt", changed), depth=18)


@pytest.mark.parametrize("naming", NAMINGS.values())
def test_another_depth_is_told(tmp_path, naming):
    zeros = {one: torch.zeros(()).expand(shape) for one, shape in shapes(naming, 18).items()}
    path = save(tmp_path / "w.pt", zeros)
    with pytest.raises(ModelError, match="has not the weights of this network: missing are layer"):
        network(path, depth=50)
    with pytest.raises(ModelError, match="has the depths 18, 34, 50, 100, not 99"):
        network(path, depth=99)


def test_bf16_is_enough(tmp_path):
    module = network(save(tmp_path / "w.pt", made(ARCFACE, 18)), depth=18).eval()
    images = torch.from_numpy(np.stack(IMAGES))
    with torch.inference_mode():
        full = module(images)
        with torch.autocast("cpu", torch.bfloat16):
            half = module(images).float()
    assert torch.cosine_similarity(full, half).min() > 0.999


@pytest.mark.parametrize(("entry", "naming"), [("arcface-r50", ARCFACE), ("adaface-r50", ADAFACE)])
def test_network_codec_and_entry_fit(tmp_path, entry, naming):
    zeros = {one: torch.zeros(()).expand(shape) for one, shape in shapes(naming, 50).items()}
    try_model(with_file(catalogue.load().get(entry), save(tmp_path / "w.pt", zeros)))
