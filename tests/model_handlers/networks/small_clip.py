"""Open_clip's own architectures with fewer layers, for tests that compare with open_clip itself."""

from typing import Any

import torch


def shrink(monkeypatch: Any, name: str, vision: dict[str, Any], text: dict[str, Any]) -> None:
    """Change open_clip's configuration of an architecture for as long as the test runs."""
    from open_clip import factory

    whole = factory._MODEL_CONFIGS[name]
    small = {"vision_cfg": whole["vision_cfg"] | vision, "text_cfg": whole["text_cfg"] | text}
    monkeypatch.setitem(factory._MODEL_CONFIGS, name, whole | small)


def original(name: str, quickgelu: bool) -> Any:
    """Open_clip's module with seeded weights that tell pictures apart: patches weigh more than where they lie."""
    import open_clip

    torch.manual_seed(5)
    made = open_clip.create_model(name, force_quick_gelu=quickgelu).eval()
    with torch.no_grad():
        made.visual.conv1.weight.mul_(30)
        for name, parameter in made.visual.named_parameters():
            if name.endswith(("in_proj_weight", "c_fc.weight", "c_proj.weight")):
                parameter.mul_(3)
    return made
