"""LAION's first aesthetic predictor: CLIP's embedding of unit length, and a linear head (R. Beaumont, C. Schuhmann,
LAION-AI/aesthetic-predictor, 2022).

The file holds the weights of both: CLIP's under CLIP's names, the head's as `head.weight` (1,D) and `head.bias` (1,).
"""

from pathlib import Path
from typing import Any

from torch import Tensor, nn

from model_handlers.networks.clip_image import TEXT, clip_weights, encoder
from model_handlers.networks.weights import fill


def network(path: Path, model: str = "ViT-L-14", quickgelu: bool = True) -> nn.Module:
    """(N,3,side,side), normalized as CLIP's images are -> (N,1), about 1 to 10, higher is better.

    ModelError for a file that does not fit; the options are those of the network clip_image.
    """
    return fill(_Aesthetics(encoder(path, model, quickgelu)["visual"]), clip_weights(path), path, unused=TEXT)


class _Aesthetics(nn.Module):
    def __init__(self, visual: Any) -> None:
        super().__init__()
        self.visual, self.head = visual, nn.Linear(visual.output_dim, 1)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(nn.functional.normalize(self.visual(images), dim=-1))
