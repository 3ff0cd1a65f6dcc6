"""An ImageNet MobileNetV2 without its classifier (M. Sandler et al., MobileNetV2, 2018).

The weights are torchvision's, or have the names of the ports before it, in which a block is one flat list of layers.
"""

import re
from pathlib import Path

from torch import nn
from torchvision.models import mobilenet_v2

from model_handlers.networks.weights import Weights, fill, read_weights, renamed

# a block's flat layers -> torchvision's: expansion, depthwise convolution, projection, each with its normalization
_BLOCK = {"0": "0.0", "1": "0.1", "3": "1.0", "4": "1.1", "6": "2", "7": "3"}
_FIRST_BLOCK = {"0": "0.0", "1": "0.1", "3": "1", "4": "2"}  # it expands nothing
_FLAT = re.compile(r"features\.(\d+)\.conv\.(\d+)\.(weight|bias|running_mean|running_var|num_batches_tracked)")


def network(path: Path) -> nn.Module:
    """(N,3,H,W), normalized as ImageNet's images are -> (N,1280): means of the last maps, before the classifier."""
    whole = mobilenet_v2(weights=None)
    headless = nn.Sequential()
    headless.add_module("features", whole.features)
    headless.add_module("pool", nn.AdaptiveAvgPool2d(1))
    headless.add_module("flat", nn.Flatten())
    return fill(headless, _named_alike(read_weights(path)), path, unused=("classifier.",))


def _named_alike(weights: Weights) -> Weights:
    is_torchvision = "features.1.conv.0.0.weight" in weights
    return weights if is_torchvision else renamed(weights, _torchvision_name)


def _torchvision_name(name: str) -> str:
    flat = _FLAT.fullmatch(name)
    if flat is None:
        return name
    block, layer, what = flat.groups()
    layers = _FIRST_BLOCK if block == "1" else _BLOCK
    return f"features.{block}.conv.{layers.get(layer, layer)}.{what}"
