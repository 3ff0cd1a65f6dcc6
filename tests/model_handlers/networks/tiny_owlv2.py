"""OWLv2 in small, with generated weights that tell patches apart."""

import torch
import transformers

SIDE = 160
TINY = {
    "text_config": {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2},
    "vision_config": {
        "hidden_size": 48, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 2,
        "image_size": SIDE, "patch_size": 16,
    },
    "projection_dim": 32,
}  # fmt: skip


def made():
    torch.manual_seed(4)
    found = transformers.Owlv2ForObjectDetection(transformers.Owlv2Config(**TINY)).eval()
    with torch.no_grad():  # as they are made, all patches would say nearly the same
        for name, weight in found.named_parameters():
            if weight.ndim > 1:
                weight.normal_(0, 0.05 if "position" in name or "shift" in name else 0.25)
        found.class_head.logit_scale.bias.fill_(4)
    return found
