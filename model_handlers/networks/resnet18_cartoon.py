"""An ImageNet ResNet-18 with two outputs, for a cartoon and for none (K. He et al., Deep Residual Learning, 2015).

The weights have torchvision's names, those of its last layer, `fc`, two rows.
"""

from pathlib import Path

from torch import nn
from torchvision.models import resnet18

from model_handlers.networks.weights import fill, read_weights


def network(path: Path) -> nn.Module:
    """(N,3,H,W), normalized as ImageNet's images are -> (N,2) logits; ModelError for a file that does not fit."""
    return fill(resnet18(weights=None, num_classes=2), read_weights(path), path)
