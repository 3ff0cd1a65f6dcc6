"""IResNet, the residual network of ArcFace and AdaFace (J. Deng et al., CVPR 2019; M. Kim et al., CVPR 2022).

Both are one network but for two things. The first block of AdaFace's halves the picture of its shortcut by taking every
second pixel where ArcFace's has a convolution; its last normalization has no weights. Names are ArcFace's, as in
InsightFace's arcface_torch; those of AdaFace (`input_layer`, `body`, `output_layer`) are renamed.
"""

import re
from collections import OrderedDict
from pathlib import Path
from typing import Any

from torch import nn

from model_handlers.errors import ModelError
from model_handlers.networks.weights import fill, read_weights, renamed, without_prefix

DIMENSION = 512
DEPTHS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 14, 3), 100: (3, 13, 30, 3)}  # blocks a stage
_CHANNELS = (64, 128, 256, 512)  # of each stage
_LEFT = 7  # pixels a side behind the last stage
_PREFIXES = ("module.", "model.net.", "net.", "model.")
_TRAINING = ("head.",)  # what AdaFace's checkpoints have besides the network
_ENDS = {
    "input_layer.0": "conv1",
    "input_layer.1": "bn1",
    "input_layer.2": "prelu",
    "output_layer.0": "bn2",
    "output_layer.3": "fc",
    "output_layer.4": "features",
}
_IN_BLOCK = ("bn1", "conv1", "bn2", "prelu", "conv2", "bn3")  # AdaFace's numbers of them


def network(path: Path, depth: int = 50) -> nn.Module:
    """The network with the file's weights, whose names tell ArcFace's from AdaFace's.

    It takes (N,3,112,112), -1 to 1, and gives (N,512), not of unit length; for AdaFace that length is what its own
    forward pass gives beside the direction. ModelError for a depth that there is not, or a file that does not fit.
    """
    if depth not in DEPTHS:
        known = ", ".join(map(str, DEPTHS))
        raise ModelError(f"network iresnet has the depths {known}, not {depth!r}: correct network_options.")
    trained = read_weights(path)
    weights = without_prefix(renamed(trained, lambda name: None if name.startswith(_TRAINING) else name), *_PREFIXES)
    adaface = any(name.startswith("input_layer.") for name in weights)
    if adaface:
        starts = _starts(DEPTHS[depth])
        weights = renamed(weights, lambda name: _arcface_name(name, starts))
    return fill(iresnet(depth, adaface), weights, path)


def iresnet(depth: int, adaface: bool) -> nn.Module:
    """The network of so many layers, ArcFace's or AdaFace's."""
    widths = (_CHANNELS[0], *_CHANNELS)
    stages = {
        f"layer{number + 1}": nn.Sequential(
            *(
                _Block(widths[number + (place > 0)], widths[number + 1], halves=place == 0, adaface=adaface)
                for place in range(count)
            )
        )
        for number, count in enumerate(DEPTHS[depth])
    }
    first, last = _CHANNELS[0], _CHANNELS[-1]
    return _named(
        conv1=nn.Conv2d(3, first, 3, padding=1, bias=False),
        bn1=nn.BatchNorm2d(first),
        prelu=nn.PReLU(first),
        **stages,
        bn2=nn.BatchNorm2d(last),
        flat=nn.Flatten(),
        fc=nn.Linear(last * _LEFT**2, DIMENSION),
        features=nn.BatchNorm1d(DIMENSION, affine=not adaface),
    )


class _Block(nn.Module):
    def __init__(self, before: int, after: int, halves: bool, adaface: bool) -> None:
        super().__init__()
        stride = 2 if halves else 1
        self.bn1 = nn.BatchNorm2d(before)
        self.conv1 = nn.Conv2d(before, after, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.prelu = nn.PReLU(after)
        self.conv2 = nn.Conv2d(after, after, 3, stride, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(after)
        self.downsample: Any = nn.Identity()
        if halves and adaface and before == after:
            self.downsample = nn.MaxPool2d(1, stride)  # takes every second pixel
        elif halves:
            self.downsample = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))

    def forward(self, x: Any) -> Any:
        inner = self.prelu(self.bn2(self.conv1(self.bn1(x))))
        return self.bn3(self.conv2(inner)) + self.downsample(x)


def _starts(counts: tuple[int, ...]) -> tuple[int, ...]:
    """The number of the first block of each stage, where all blocks are counted on."""
    return tuple(sum(counts[:number]) for number in range(len(counts)))


def _arcface_name(name: str, starts: tuple[int, ...]) -> str:
    """ArcFace's name for AdaFace's; the same where it has none, so that whoever reads of it finds it in the file."""
    start, _, kind = name.rpartition(".")
    if start in _ENDS:
        return f"{_ENDS[start]}.{kind}"
    found = re.fullmatch(r"body\.(\d+)\.(res_layer\.[0-5]|shortcut_layer\.[01])", start)
    if found is None:
        return name
    block = int(found[1])
    stage = sum(block >= first for first in starts)
    part, number = found[2].split(".")
    place = _IN_BLOCK[int(number)] if part == "res_layer" else f"downsample.{number}"
    return f"layer{stage}.{block - starts[stage - 1]}.{place}.{kind}"


def _named(**layers: nn.Module) -> nn.Sequential:
    return nn.Sequential(OrderedDict(layers))
