"""Random weights for RetinaFace that find faces."""

import pytest
import torch
from retinaface.network import RetinaFace


def package_network(planes: torch.Tensor) -> torch.nn.Module:
    """The network of the package retinaface-pytorch. Its blocks change what passes through them as little as those of
    trained networks do, and its class heads find some faces in the picture, planes (1,3,H,W).
    """
    torch.manual_seed(5)
    with pytest.warns(UserWarning, match="pretrained"):
        made = RetinaFace("Resnet50", False, 256, {"layer2": 1, "layer3": 2, "layer4": 3}, 256)
    for name, module in made.named_modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = 1.0  # the statistics of one batch, which keep deep networks from exploding
            module.weight.data *= 0.2 if name.endswith("bn3") else 1
    with torch.no_grad():
        made.train()(planes)
        for head in made.ClassHead:
            head.conv1x1.weight *= 6
            head.conv1x1.bias += torch.tensor([0, -8.5, 0, -8.5])
    return made.eval()
