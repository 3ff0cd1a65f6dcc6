"""ViT with keypoint relative position encoding (M. Kim et al., KeyPoint Relative Position Encoding, CVPR 2024).

A plain vision transformer on 14 x 14 patches of a face; where the five landmarks lie says, for every block, head and
query patch, how much more or less it attends to patches near and far. Sizes and names are those of CVLface's files.
"""

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from model_handlers.errors import ModelError
from model_handlers.networks.weights import fill, read_weights, without_prefix

PATCH, GRID = 8, 14  # pixels a patch, patches a side: images of 112 pixels
TOKENS = GRID * GRID
WIDTH = 512  # of a token, and of the result
LANDMARKS = 5
_LEVELS = (0, 1, 2, 2, 3)  # how far 0, 1, 2, 3, and 4 or more patches are (the paper's iRPE buckets of ratio 1.9)
_SIGNED = 2 * max(_LEVELS) + 1  # levels of an axis, to both sides
BUCKETS = _SIGNED**2
_ALIGNED = 8  # attention kernels of GPUs copy a bias whose rows are no multiple of this many numbers long


@dataclass(frozen=True, slots=True)
class Size:
    """Blocks, heads a block, and the width of the hidden layer of its perceptron in widths of a token."""

    depth: int
    heads: int
    ratio: int


SIZES = {"base": Size(24, 16, 3), "small": Size(12, 8, 5)}


def network(path: Path, size: str = "base") -> nn.Module:
    """The network with the file's weights; their names may begin with `net.` or `model.net.`, as in CVLface's files.

    It takes images (N,3,112,112) RGB from -1 to 1 and keypoints (N,5,2), x and y from 0 to 1, and gives (N,512), not of
    unit length. ModelError for a size that there is not, or a file that does not fit.
    """
    if size not in SIZES:
        raise ModelError(f"network vit_kprpe has the sizes {', '.join(SIZES)}, not {size!r}: correct network_options.")
    return fill(VitKprpe(SIZES[size]), without_prefix(read_weights(path), "model.net.", "net."), path)


class VitKprpe(nn.Module):
    """The transformer; no class token, all 196 tokens go into the result."""

    def __init__(self, size: Size) -> None:
        super().__init__()
        self.heads = size.heads
        self.patch_embed = _named(proj=nn.Conv2d(3, WIDTH, PATCH, PATCH))
        self.pos_embed = nn.Parameter(torch.zeros(1, TOKENS, WIDTH))
        self.keypoint_linear = nn.Linear(2 * LANDMARKS, BUCKETS * size.heads * size.depth)
        self.blocks = nn.ModuleList(_Block(size) for _ in range(size.depth))
        self.norm = nn.LayerNorm(WIDTH)
        self.feature = nn.Sequential(
            nn.Linear(TOKENS * WIDTH, WIDTH, bias=False),
            nn.BatchNorm1d(WIDTH, eps=2e-5),
            nn.Linear(WIDTH, WIDTH, bias=False),
            nn.BatchNorm1d(WIDTH, eps=2e-5),
        )
        self.register_buffer("_buckets", _buckets(), persistent=False)
        self.register_buffer("_centres", _centres(), persistent=False)

    def forward(self, images: Any, keypoints: Any) -> Any:
        """Images (N,3,112,112) and keypoints (N,5,2) to (N,512)."""
        tokens = self.patch_embed(images).flatten(2).transpose(1, 2) + self.pos_embed
        away = (self._centres - keypoints[:, None]).flatten(2)
        for number, block in enumerate(self.blocks):
            tokens = block(tokens, self._bias(away, number))
        return self.feature(self.norm(tokens).flatten(1))

    def _bias(self, away: Any, number: int) -> Any:
        """What a block adds to its attention (N,heads,196,196), by the ways (N,196,10) of patches from the keypoints.

        One block at a time: for 64 images all of them would be 3.8 GB, and the table that they are looked up in 0.9 GB.
        """
        rows = slice(number * self.heads * BUCKETS, (number + 1) * self.heads * BUCKETS)
        table = functional.linear(away, self.keypoint_linear.weight[rows], self.keypoint_linear.bias[rows])
        table = table.unflatten(2, (self.heads, BUCKETS)).transpose(1, 2)
        return table.gather(3, self._buckets.expand(*table.shape[:2], -1, -1))[..., :TOKENS]


class _Block(nn.Module):
    def __init__(self, size: Size) -> None:
        super().__init__()
        hidden = WIDTH * size.ratio
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.attn = _Attention(size.heads)
        self.mlp = _named(fc1=nn.Linear(WIDTH, hidden), act=nn.ReLU6(), fc2=nn.Linear(hidden, WIDTH))

    def forward(self, tokens: Any, bias: Any) -> Any:
        tokens = tokens + self.attn(self.norm1(tokens), bias)
        return tokens + self.mlp(self.norm2(tokens))


class _Attention(nn.Module):
    def __init__(self, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.proj = nn.Linear(WIDTH, WIDTH)

    def forward(self, tokens: Any, bias: Any) -> Any:
        query, key, value = self.qkv(tokens).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        seen = functional.scaled_dot_product_attention(query, key, value, attn_mask=bias)
        return self.proj(seen.transpose(1, 2).flatten(2))


def _buckets() -> Any:
    """Of each query patch (rows, 196) the bucket of each key patch (columns, 196 and some of no meaning), int64."""
    places = torch.arange(GRID)
    away = places[:, None] - places
    levels = torch.tensor(_LEVELS)[away.abs().clamp(max=len(_LEVELS) - 1)] * away.sign() + max(_LEVELS)
    both = levels[:, None, :, None] * _SIGNED + levels[None, :, None, :]  # query's row and column, key's row and column
    return functional.pad(both.reshape(TOKENS, TOKENS), (0, -TOKENS % _ALIGNED))


def _centres() -> Any:
    """The centres of the patches (196,1,2), x and y from 0 to 1, row by row."""
    places = (torch.arange(GRID) + 0.5) / GRID
    rows, columns = torch.meshgrid(places, places, indexing="ij")
    return torch.stack([columns, rows], dim=-1).reshape(TOKENS, 1, 2)


def _named(**layers: nn.Module) -> nn.Sequential:
    return nn.Sequential(OrderedDict(layers))
