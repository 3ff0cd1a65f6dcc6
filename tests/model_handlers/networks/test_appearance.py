"""Vectors of how things look: torchvision's own layers on the same weights, and what real weights say of clothes."""

import re

import numpy as np
import onnxruntime
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="needs the environment of the frameworks, .venv-frameworks")

from torchvision import models, transforms  # noqa: E402

from model_handlers.errors import ModelError  # noqa: E402
from model_handlers.networks import resnet18_clothing  # noqa: E402
from model_handlers.weights.convert import mobilenetv2  # noqa: E402
from tests.model_handlers.networks.answers import ask, entry_of  # noqa: E402
from tests.model_handlers.networks.odd_pictures import pictures  # noqa: E402

pytestmark = pytest.mark.frameworks
PREPARE = transforms.Compose(
    [
        transforms.Resize((224, 224)),
        transforms.ToTensor(),
        transforms.Normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225]),
    ]
)


def seeded(made):
    """With statistics as after training, so that signals neither die nor explode."""
    torch.manual_seed(3)
    for module in made.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.uniform_(module.bias, -0.5, 0.5)
    with torch.no_grad():
        made.train()(torch.randn(4, 3, 64, 64))
    return made.eval()


def clothing(whole, planes):
    """The reference's: the maps of layer2, and their means."""
    maps = whole.maxpool(whole.relu(whole.bn1(whole.conv1(planes))))
    return whole.layer2(whole.layer1(maps)).mean(dim=(2, 3))


def test_torchvision_says_the_same(tmp_path):
    whole = seeded(models.resnet18(weights=None))
    torch.save(whole.state_dict(), tmp_path / "w.pth")
    images = list(pictures().values())
    with torch.inference_mode():
        expected = clothing(whole, torch.stack([PREPARE(Image.fromarray(image)) for image in images])).numpy()
    about = {"task": "appearance", "network": "resnet18_clothing", "codec": "appearance", "dimension": 128}
    found = np.array(ask(entry_of(tmp_path / "w.pth", **about), [(image,) for image in images]))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-4, rtol=1e-4)
    assert found.std(axis=0).mean() > 0.01  # pictures differ


def test_files_without_counters_of_batches(tmp_path):
    """Torchvision's own files of ResNets have none."""
    whole = models.resnet18(weights=None)
    weights = {name: tensor for name, tensor in whole.state_dict().items() if "num_batches" not in name}
    torch.save(weights, tmp_path / "w.pth")
    assert resnet18_clothing.network(tmp_path / "w.pth").conv1.weight.equal(whole.conv1.weight)


def test_another_network_is_a_sentence(tmp_path):
    torch.save(models.mobilenet_v2(weights=None).state_dict(), tmp_path / "w.pth")
    with pytest.raises(ModelError, match=r"missing are bn1\.bias, .*; unknown are classifier\.1\.bias"):
        resnet18_clothing.network(tmp_path / "w.pth")


# torchvision's layers of a block -> those of the flat list that the ports before it have
_FLAT = {"0.0": "0", "0.1": "1", "1.0": "3", "1.1": "4", "2": "6", "3": "7"}
_FLAT_FIRST = {"0.0": "0", "0.1": "1", "1": "3", "2": "4"}
_LAYER = re.compile(r"features\.(\d+)\.conv\.(\d(?:\.\d)?)\.(\w+)")


def flat_name(name):
    layer = _LAYER.fullmatch(name)
    if layer is None:
        return name
    block, place, what = layer.groups()
    return f"features.{block}.conv.{(_FLAT_FIRST if block == '1' else _FLAT)[place]}.{what}"


@pytest.mark.parametrize("size", [(224, 224), (97, 64)])
def test_mobilenetv2_is_converted_as_torchvision_has_it(tmp_path, size):
    whole = seeded(models.mobilenet_v2(weights=None))
    torch.save({flat_name(name): tensor for name, tensor in whole.state_dict().items()}, tmp_path / "w.pt")
    session = onnxruntime.InferenceSession(mobilenetv2.convert([tmp_path / "w.pt"]))
    planes = torch.randn(2, 3, *size)
    with torch.inference_mode():
        expected = whole.features(planes).mean(3).mean(2).numpy()
    (found,) = session.run(None, {"input": planes.numpy()})
    np.testing.assert_allclose(found, expected, atol=1e-4, rtol=1e-4)
    assert found.std() > 0.01
