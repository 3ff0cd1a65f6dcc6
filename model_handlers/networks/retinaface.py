"""RetinaFace on a ResNet-50: faces with five landmarks, from three maps of features of 256 channels.

J. Deng et al., RetinaFace: Single-stage Dense Face Localisation in the Wild, 2019, as biubug6/Pytorch_Retinaface (2019)
trained it. The modules are called as the weights are: by that repository, and by the package retinaface-pytorch 0.0.8.
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from torchvision.models import resnet50

from model_handlers.codecs.retinaface import MEAN_BGR
from model_handlers.errors import ModelError
from model_handlers.networks.normalize import Normalize
from model_handlers.networks.weights import fill, read_weights, without_prefix

NORMALIZED = ("bgr", "imagenet")  # how the weights want their pixels
CHANNELS = 256
SEEN = {"layer2": 512, "layer3": 1024, "layer4": 2048}  # the stages of ResNet-50 that are seen, and their channels
ANCHORS = 2  # of each cell of a map
_STAGES = ("conv1", "bn1", "relu", "maxpool", "layer1", *SEEN)


def network(path: Path, normalization: str = "bgr") -> nn.Module:
    """RetinaFace with the weights of the file, whose names may begin with `module.`.

    `normalization` says what the weights want of RGB uint8 pixels: `bgr`, BGR minus (104, 117, 123), as
    Pytorch_Retinaface's Resnet50_Final.pth; `imagenet`, as the weights of retinaface-pytorch.
    """
    if normalization not in NORMALIZED:
        raise ModelError(f"{path}: normalization must be {' or '.join(NORMALIZED)}, not {normalization!r}")
    return fill(RetinaFace(normalization), without_prefix(read_weights(path), "module."), path)


class RetinaFace(nn.Module):
    """The anchors of the maps of strides 8, 16 and 32, map by map, row by row: how each has to move, and what it is."""

    def __init__(self, normalization: str) -> None:
        super().__init__()
        whole = resnet50(weights=None)
        self._is_bgr = normalization == "bgr"
        self.normalize = Normalize("imagenet")
        self.register_buffer("mean", torch.tensor(MEAN_BGR)[:, None, None], persistent=False)
        self.body = nn.ModuleDict({name: getattr(whole, name) for name in _STAGES})
        self.fpn = _Pyramid()
        self.ssh1, self.ssh2, self.ssh3 = _Context(), _Context(), _Context()
        self.BboxHead, self.ClassHead, self.LandmarkHead = (
            nn.ModuleList(_Head(length) for _ in SEEN) for length in (4, 2, 10)
        )

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Of every anchor: shifts (N,A,4), probabilities (N,A,2) of no face and of a face, landmarks (N,A,10).

        `pixels` are RGB uint8 (N,H,W,3), or float planes (N,3,H,W) that are normalized already. Shifts and landmarks
        are in the units that `model_handlers.codecs.retinaface` turns into pixels.
        """
        given = self._normalized(pixels.permute(0, 3, 1, 2)) if pixels.dtype == torch.uint8 else pixels
        seen = []
        for name, stage in self.body.items():
            given = stage(given)
            if name in SEEN:
                seen.append(given)
        contexts = (self.ssh1, self.ssh2, self.ssh3)
        maps = [context(level) for context, level in zip(contexts, self.fpn(seen), strict=True)]
        shifts, logits, landmarks = (
            torch.cat([head(level) for head, level in zip(heads, maps, strict=True)], dim=1)
            for heads in (self.BboxHead, self.ClassHead, self.LandmarkHead)
        )
        return shifts, logits.float().softmax(2), landmarks

    def _normalized(self, planes: Tensor) -> Tensor:
        return planes.flip(1) - self.mean if self._is_bgr else self.normalize(planes / 255)


class _Pyramid(nn.Module):
    """The maps of three stages brought to one width, each coarser one added to the finer one before it."""

    def __init__(self) -> None:
        super().__init__()
        self.output1, self.output2, self.output3 = (
            _convolution(before, CHANNELS, nn.ReLU(inplace=True), kernel=1) for before in SEEN.values()
        )
        self.merge1, self.merge2 = (_convolution(CHANNELS, CHANNELS, nn.ReLU(inplace=True)) for _ in range(2))

    def forward(self, seen: list[Tensor]) -> list[Tensor]:
        fine, middle, coarse = self.output1(seen[0]), self.output2(seen[1]), self.output3(seen[2])
        middle = self.merge2(middle + functional.interpolate(coarse, middle.shape[2:], mode="nearest"))
        fine = self.merge1(fine + functional.interpolate(middle, fine.shape[2:], mode="nearest"))
        return [fine, middle, coarse]


class _Context(nn.Module):
    """What one, two and three convolutions see round each cell, side by side (M. Najibi et al., SSH, 2017)."""

    def __init__(self) -> None:
        super().__init__()
        half, quarter = CHANNELS // 2, CHANNELS // 4
        self.conv3X3 = _convolution(CHANNELS, half)
        self.conv5X5_1 = _convolution(CHANNELS, quarter, nn.ReLU(inplace=True))
        self.conv5X5_2 = _convolution(quarter, quarter)
        self.conv7X7_2 = _convolution(quarter, quarter, nn.ReLU(inplace=True))
        self.conv7x7_3 = _convolution(quarter, quarter)

    def forward(self, level: Tensor) -> Tensor:
        once = self.conv5X5_1(level)
        parts = [self.conv3X3(level), self.conv5X5_2(once), self.conv7x7_3(self.conv7X7_2(once))]
        return torch.cat(parts, dim=1).relu()


class _Head(nn.Module):
    """`length` numbers for each anchor of each cell, (N,A,length)."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self._length = length
        self.conv1x1 = nn.Conv2d(CHANNELS, ANCHORS * length, 1)

    def forward(self, level: Tensor) -> Tensor:
        return self.conv1x1(level).permute(0, 2, 3, 1).reshape(len(level), -1, self._length)


def _convolution(before: int, after: int, *behind: nn.Module, kernel: int = 3) -> nn.Module:
    convolution = nn.Conv2d(before, after, kernel, padding=kernel // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(after), *behind)
