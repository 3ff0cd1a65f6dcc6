"""The network that tells cartoons: torchvision's own ResNet-18 and preprocessing on the same weights."""

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="needs the environment of the frameworks, .venv-frameworks")

from torchvision import models, transforms  # noqa: E402

from model_handlers.errors import ModelError  # noqa: E402
from model_handlers.networks import resnet18_cartoon  # noqa: E402
from tests.model_handlers.networks.answers import ask, entry_of  # noqa: E402
from tests.model_handlers.networks.odd_pictures import pictures  # noqa: E402

pytestmark = pytest.mark.frameworks
PREPARE = transforms.Compose(
    [
        transforms.Resize(256),
        transforms.CenterCrop(224),
        transforms.ToTensor(),
        transforms.Normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225]),
    ]
)
ABOUT = {"task": "cartoon", "network": "resnet18_cartoon", "codec": "cartoon"}


def seeded(outputs: int):
    """A ResNet-18 with statistics as after training, so that signals neither die nor explode."""
    torch.manual_seed(3)
    made = models.resnet18(weights=None, num_classes=outputs)
    for module in made.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.uniform_(module.bias, -0.5, 0.5)
    with torch.no_grad():
        made.train()(torch.randn(4, 3, 64, 64))
    return made.eval()


def test_torchvision_says_the_same(tmp_path):
    theirs = seeded(2)
    torch.save(theirs.state_dict(), tmp_path / "w.pth")
    images = list(pictures().values())
    with torch.inference_mode():
        expected = theirs(torch.stack([PREPARE(Image.fromarray(image)) for image in images]))[:, 0].numpy()
    found = ask(entry_of(tmp_path / "w.pth", **ABOUT), [(image,) for image in images])
    assert all(type(logit) is float for logit in found)
    np.testing.assert_allclose(found, expected, atol=2e-3)  # a few pixels are rounded to the next level
    assert np.std(found) > 0.01  # pictures differ


def test_weights_of_a_thousand_classes_are_a_sentence(tmp_path):
    torch.save(seeded(1000).state_dict(), tmp_path / "w.pth")
    with pytest.raises(ModelError, match=r"of another shape are fc\.bias, fc\.weight"):
        resnet18_cartoon.network(tmp_path / "w.pth")
