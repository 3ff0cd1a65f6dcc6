"""OWLv2: objects of any vocabulary (M. Minderer et al., Scaling Open-Vocabulary Object Detection, NeurIPS 2023).

The network is that of transformers (Apache-2.0), the weights are one of its files `model.safetensors`. The phrases of
the vocabulary become vectors when the file is loaded: its text encoder reads them, in the tokens of CLIP, whose table
comes with open_clip (MIT).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from model_handlers.errors import ModelError
from model_handlers.networks.best import best
from model_handlers.networks.normalize import Normalize
from model_handlers.networks.weights import fill, read_weights

# What differs from transformers' defaults, which are nearly the base size (config.json of google/owlv2-*-ensemble).
SIZES: dict[str, dict[str, Any]] = {
    "base": {"vision_config": {"image_size": 960}},
    "large": {
        "text_config": {"hidden_size": 768, "intermediate_size": 3072, "num_attention_heads": 12},
        "vision_config": {
            "hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24, "num_attention_heads": 16,
            "image_size": 1008, "patch_size": 14,
        },
        "projection_dim": 768,
    },
}  # fmt: skip
_OLD = ("owlv2.text_model.embeddings.position_ids", "owlv2.vision_model.embeddings.position_ids", "box_bias")


class Owlv2(torch.nn.Module):
    """Pixels (N,side,side,3) to the best regions: boxes in pixels, probabilities, features of unit length, objectness.

    The side is 960 for the base size, 1008 for the large one; half precision gives the boxes in float32 too.
    """

    def __init__(self, detector: torch.nn.Module, phrases: torch.Tensor, regions: int) -> None:
        super().__init__()
        self.detector, self.regions = detector, regions
        self.register_buffer("phrases", phrases)  # (C,D), of unit length
        self.normalize = Normalize("clip")

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """(N,K,4) x1,y1,x2,y2; (N,K,C); (N,K,F); (N,K)."""
        planes = self.normalize(pixels.permute(0, 3, 1, 2).float() / 255)
        grid, _ = self.detector.image_embedder(planes)
        patches = grid.flatten(1, 2)
        logits, features = self.detector.class_predictor(patches, self.phrases.expand(len(patches), -1, -1))
        objectness = self.detector.objectness_predictor(patches).sigmoid()
        centre, size = (self.detector.box_predictor(patches, grid).float() * pixels.shape[1]).split(2, dim=2)
        boxes = torch.cat([centre - size / 2, centre + size / 2], dim=2)
        return best(self.regions, logits.amax(dim=2), boxes, logits.sigmoid(), features, objectness)


def network(
    path: Path,
    vocabulary: Sequence[str],
    prompt: str = "a photo of a {}",
    size: str = "base",
    regions: int = 1000,
) -> Owlv2:
    """The detector for these phrases, each put into the prompt.

    `regions`: how many of an image's patches, the best, are looked at. ModelError where a package, the size or a weight
    is not there, or a phrase does not fit.
    """
    try:
        from open_clip.tokenizer import SimpleTokenizer
        from transformers import Owlv2Config, Owlv2ForObjectDetection
    except ImportError as error:
        raise ModelError(f"OWLv2 needs {error.name}: install manyfaces[owl]") from error
    if size not in SIZES:
        raise ModelError(f"OWLv2 has the sizes {' and '.join(SIZES)}, not {size!r}: correct network_options.size")
    if "{}" not in prompt:
        raise ModelError(f"the prompt {prompt!r} has no place {{}} for a phrase: correct network_options.prompt")
    detector: Any = Owlv2ForObjectDetection(Owlv2Config(**SIZES[size])).eval()
    fill(detector, read_weights(path), path, unused=_OLD)
    length = detector.config.text_config.max_position_embeddings
    tokens = _tokens(SimpleTokenizer(), [prompt.replace("{}", phrase) for phrase in vocabulary], length)
    with torch.inference_mode():
        read = detector.owlv2.text_model(input_ids=tokens).pooler_output
        vectors = torch.nn.functional.normalize(detector.owlv2.text_projection(read), dim=1)
    del detector.owlv2.text_model  # its work is done
    return Owlv2(detector, vectors.clone(), regions)


def _tokens(tokenizer: Any, texts: Sequence[str], length: int) -> torch.Tensor:
    """(C,length): start, the text's tokens, end, and zeros; ModelError for a text that is longer."""
    rows = torch.zeros(len(texts), length, dtype=torch.long)
    for row, text in zip(rows, texts, strict=True):
        tokens = [tokenizer.sot_token_id, *tokenizer.encode(text), tokenizer.eot_token_id]
        if len(tokens) > length:
            raise ModelError(f"the phrase {text!r} of the vocabulary has more than {length} tokens; shorten it")
        row[: len(tokens)] = torch.tensor(tokens)
    return rows
