"""HyperIQA: a network that makes, out of what an image shows, the small network that judges it (S. Su et al., Blindly
Assess Image Quality in the Wild Guided by a Self-Adaptive Hyper Network, CVPR 2020).

Names of weights as in pyiqa's file (C. Chen, pyiqa, 2022): a ResNet-50 as `base_model`; `lda_modules` make of its four
stages the 224 numbers that are judged; `conv1`, `fc_w_modules` and `fc_b_modules` make the judge's five layers.
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from torchvision.models import resnet50

from model_handlers.networks.normalize import Normalize
from model_handlers.networks.weights import fill, read_weights

SIDE = 224
_STAGES = ((256, 16, 64), (512, 32, 16), (1024, 64, 4))  # channels of a stage, reduced to, and the cells of 7 px in it
_JUDGED = 16  # numbers out of each of those; the last stage gives the rest
_WIDTHS = (112, 56, 28, 14, 1)  # of the judge's layers
_CELLS = 49  # of the last stage: its maps of 7 x 7 become the columns of weights
_HYPER = 112  # channels of what the judge is made of


def network(path: Path) -> nn.Module:
    """(N,3,224,224) RGB 0 to 1 -> (N,1), about 0 to 1, higher is better; ModelError for a file that does not fit.

    pyiqa's metric averages 25 crops of 224 pixels, laid evenly over an image. One of 224 x 224 is first stretched to
    225, and all its crops are then the same one, at the top left: that one is judged here, once. Nothing is random.
    """
    return fill(_HyperNet(), read_weights(path), path)


class _HyperNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        whole = resnet50(weights=None)
        self.base_model = nn.Sequential()
        for name in ("conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3", "layer4"):
            self.base_model.add_module(name, getattr(whole, name))
        self.lda_modules = nn.ModuleList(
            [
                *(_local(channels, reduced, cells) for channels, reduced, cells in _STAGES),
                nn.Sequential(nn.AvgPool2d(7), nn.Flatten(), nn.Linear(2048, SIDE - len(_STAGES) * _JUDGED)),
            ]
        )
        self.conv1 = nn.Sequential(
            nn.Conv2d(2048, 1024, 1),
            nn.ReLU(),
            nn.Conv2d(1024, 512, 1),
            nn.ReLU(),
            nn.Conv2d(512, _HYPER, 1),
            nn.ReLU(),
        )
        inputs = (SIDE, *_WIDTHS)
        self.fc_w_modules = nn.ModuleList(
            [
                *(nn.Conv2d(_HYPER, inputs[n] * _WIDTHS[n] // _CELLS, 3, padding=1) for n in range(4)),
                _pooled(_WIDTHS[3]),
            ]
        )
        self.fc_b_modules = nn.ModuleList([_pooled(width) for width in _WIDTHS])
        self.normalize = Normalize("imagenet")

    def forward(self, images: Tensor) -> Tensor:
        crops = nn.functional.interpolate(images, scale_factor=(SIDE + 1) / SIDE, mode="bilinear")[..., :SIDE, :SIDE]
        maps, stages = self.normalize(crops), []
        for name, layer in self.base_model.named_children():
            maps = layer(maps)
            if name.startswith("layer"):
                stages.append(maps)
        judged = torch.cat([module(stage) for module, stage in zip(self.lda_modules, stages, strict=True)], dim=1)
        hyper = self.conv1(maps)
        judged = judged[:, None]
        for number, width in enumerate(_WIDTHS):
            weights = self.fc_w_modules[number](hyper).reshape(len(images), width, -1)
            judged = torch.bmm(judged, weights.transpose(1, 2)) + self.fc_b_modules[number](hyper)[:, None]
            if width > 1:
                judged = judged.sigmoid()
        return judged[:, 0]


def _local(channels: int, reduced: int, cells: int) -> nn.Module:
    """What a stage's maps show, cell by cell of 7 x 7."""
    return nn.Sequential(
        nn.Conv2d(channels, reduced, 1, bias=False), nn.AvgPool2d(7), nn.Flatten(), nn.Linear(reduced * cells, _JUDGED)
    )


def _pooled(width: int) -> nn.Module:
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(_HYPER, width))
