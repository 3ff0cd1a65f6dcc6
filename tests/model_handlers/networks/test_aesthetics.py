"""The aesthetic predictor against open_clip's encoder with a linear head on its vectors of unit length."""

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="needs the environment of the frameworks, .venv-frameworks")

from open_clip.transform import PreprocessCfg, image_transform_v2  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

from model_handlers.errors import ModelError  # noqa: E402
from model_handlers.networks import aesthetics  # noqa: E402
from tests.model_handlers.networks.answers import ask, entry_of  # noqa: E402
from tests.model_handlers.networks.odd_pictures import pictures  # noqa: E402
from tests.model_handlers.networks.small_clip import original, shrink  # noqa: E402

pytestmark = pytest.mark.frameworks


@pytest.fixture
def theirs(monkeypatch):
    shrink(monkeypatch, "ViT-L-14", {"layers": 2, "width": 256}, {"vocab_size": 50, "layers": 1})
    return original("ViT-L-14", True)


def head():
    """As LAION saves it: a layer of its own, in a file of its own."""
    made = torch.nn.Linear(768, 1)
    with torch.no_grad():
        made.weight.mul_(90)
        made.bias.fill_(5)
    return made


def test_it_is_a_line_through_clip(tmp_path, theirs):
    line = head()
    weights = theirs.state_dict() | {f"head.{name}": tensor for name, tensor in line.state_dict().items()}
    save_file(weights, tmp_path / "w.safetensors")
    prepare = image_transform_v2(PreprocessCfg(**theirs.visual.preprocess_cfg), is_train=False)
    images = list(pictures().values())
    with torch.inference_mode():
        vectors = theirs.encode_image(torch.stack([prepare(Image.fromarray(image)) for image in images]))
        expected = line(vectors / vectors.norm(dim=-1, keepdim=True))[:, 0].numpy()
    about = {"task": "quality", "network": "aesthetics", "codec": "image_quality", "options": {"normalization": "clip"}}
    found = np.array(ask(entry_of(tmp_path / "w.safetensors", **about), [(image,) for image in images]))
    assert np.abs(found - expected).max() < 0.02
    assert np.ptp(found) > 1


def test_clip_alone_says_that_the_head_is_missing(tmp_path, theirs):
    torch.save(theirs.state_dict(), tmp_path / "w.pt")
    with pytest.raises(ModelError, match=r"missing are head\.bias, head\.weight$"):
        aesthetics.network(tmp_path / "w.pt")
