"""CLIP's image encoder, built by open_clip.

A. Radford et al., Learning Transferable Visual Models From Natural Language Supervision, 2021.

Of a file of both encoders the text's is left out; OpenAI's names and open_clip's are the same for what is left.
"""

from pathlib import Path
from typing import Any

from torch import nn

from model_handlers.errors import ModelError
from model_handlers.networks.weights import Weights, fill, read_weights, without_prefix

MODELS = ("ViT-B-32", "ViT-B-16", "ViT-L-14", "ViT-L-14-336")
# names in a file that belong to the text's encoder, to both encoders' scale, or to OpenAI's archive
TEXT = (
    "transformer.", "token_embedding.", "positional_embedding", "ln_final.", "text_projection", "text.",
    "attn_mask", "logit_scale", "logit_bias", "input_resolution", "context_length", "vocab_size",
)  # fmt: skip
_NO_TEXT = {"context_length": 1, "vocab_size": 1, "width": 64, "heads": 1, "layers": 1}


def network(path: Path, model: str = "ViT-B-32", quickgelu: bool = True) -> nn.Module:
    """(N,3,side,side), normalized as CLIP's images are -> (N,D): the projected embedding, not of unit length.

    OpenAI's weights, and a few others, want `quickgelu`, x * sigmoid(1.702 x); most of open_clip's do not. ModelError
    for a model that is none of MODELS, or a file that does not fit.
    """
    return fill(encoder(path, model, quickgelu), clip_weights(path), path, unused=TEXT).visual


def encoder(path: Path, model: str, quickgelu: bool) -> Any:
    """A module with the encoder as `visual`, by whose name a file's weights begin; its own weights are random.

    `path` is for the message when open_clip is not there.
    """
    if model not in MODELS:
        raise ModelError(f"{path}: the network clip_image has no model {model!r}; there are: {', '.join(MODELS)}")
    whole = built(path, model, quickgelu, text_cfg=_NO_TEXT)
    return nn.ModuleDict({"visual": whole.visual})


def built(path: Path, model: str, quickgelu: bool, **changes: Any) -> Any:
    """Both encoders as open_clip builds them, with random weights; `changes` are of its configuration."""
    try:
        import open_clip
    except ModuleNotFoundError as error:
        raise ModelError(f"the network of {path} needs open_clip: install manyfaces[clip]") from error
    return open_clip.CLIP(**open_clip.get_model_config(model) | {"quick_gelu": quickgelu} | changes)


def clip_weights(path: Path) -> Weights:
    """The file's weights by the names that they have in one process; `module.` is what training in several adds."""
    return without_prefix(read_weights(path), "module.")
