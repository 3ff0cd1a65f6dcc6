"""CLIP-IQA+: is an image nearer to a good photo or to a bad one, by CLIP's ResNet-50 and prompts that were learnt
(J. Wang et al., Exploring CLIP for Assessing the Look and Feel of Images, AAAI 2023).

The file holds CLIP's weights, both encoders under OpenAI's names, and the prompts as `ctx` (2,16,512).
"""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from model_handlers.networks.clip_image import built, clip_weights
from model_handlers.networks.normalize import Normalize
from model_handlers.networks.weights import fill

_LEARNT = 16  # words of a prompt that were learnt: half before the text, half behind it
_TEXTS = ("Good photo..", "Bad photo..")
_OWN_WORDS = 3  # of the text between the halves; the second full stop stands behind
_ARCHIVE = ("input_resolution", "context_length", "vocab_size")


def network(path: Path) -> nn.Module:
    """(N,3,224,224) RGB 0 to 1 -> (N,1), 0 to 1: how likely the good photo is. ModelError for a file that does not fit.

    The prompts are encoded once, here. The image's encoder is used without its positions, as the paper does, and so
    takes images of any size.
    """
    clip = built(path, "RN50", True).eval()
    clip.register_buffer("ctx", torch.zeros(len(_TEXTS), _LEARNT, clip.token_embedding.embedding_dim))
    fill(clip, clip_weights(path), path, unused=_ARCHIVE)
    with torch.no_grad():
        clip.visual.attnpool.positional_embedding.zero_()
        return _Judge(clip.visual, _prompts(clip), clip.logit_scale.exp())


def _prompts(clip: Any) -> Tensor:
    """The learnt prompts as CLIP encodes them, (2,1024) of unit length: good, bad."""
    import open_clip

    tokens = open_clip.get_tokenizer("RN50")([" ".join(["X"] * _LEARNT) + " " + text for text in _TEXTS])
    words = clip.token_embedding(tokens)
    behind, half = 1 + _LEARNT, _LEARNT // 2
    placed = torch.cat(
        [
            words[:, :1],
            clip.ctx[:, :half],
            words[:, behind : behind + _OWN_WORDS],
            clip.ctx[:, half:],
            words[:, behind + _OWN_WORDS :],
        ],
        dim=1,
    )
    seen = clip.ln_final(clip.transformer(placed + clip.positional_embedding, attn_mask=clip.attn_mask))
    last = tokens.argmax(dim=1)  # the end of a text has the highest number of all
    return nn.functional.normalize(seen[torch.arange(len(seen)), last] @ clip.text_projection, dim=-1)


class _Judge(nn.Module):
    def __init__(self, visual: Any, prompts: Tensor, scale: Tensor) -> None:
        super().__init__()
        self.visual = visual
        self.register_buffer("prompts", prompts * scale)
        self.normalize = Normalize("clip")

    def forward(self, images: Tensor) -> Tensor:
        seen = nn.functional.normalize(self.visual(self.normalize(images)), dim=-1)
        return (seen @ self.prompts.T).softmax(dim=-1)[:, :1]
