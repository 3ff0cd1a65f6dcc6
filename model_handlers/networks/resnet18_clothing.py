"""What clothes look like: the first half of an ImageNet ResNet-18 (K. He et al., Deep Residual Learning, 2015).

The weights are torchvision's; what its network has behind `layer2` (the paper's conv3_x) may be in the file.
"""

from pathlib import Path

from torch import nn
from torchvision.models import resnet18

from model_handlers.networks.weights import fill, read_weights

_KEPT = ("conv1", "bn1", "relu", "maxpool", "layer1", "layer2")


def network(path: Path) -> nn.Module:
    """(N,3,H,W), normalized as ImageNet's images are -> (N,128): means of layer2's maps, 28 x 28 for 224 pixels."""
    whole = resnet18(weights=None)
    half = nn.Sequential()
    for name in _KEPT:
        half.add_module(name, getattr(whole, name))
    half.add_module("pool", nn.AdaptiveAvgPool2d(1))
    half.add_module("flat", nn.Flatten())
    return fill(half, read_weights(path), path, unused=("layer3.", "layer4.", "fc."))
