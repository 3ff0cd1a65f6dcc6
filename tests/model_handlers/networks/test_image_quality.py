"""HyperIQA and CLIP-IQA+ against pyiqa's own metrics with the same generated weights."""

import sys
import types

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the environment of the frameworks, .venv-frameworks")

import packaging.version  # noqa: E402

from model_handlers.errors import ModelError  # noqa: E402
from model_handlers.framing import middle_square, to_planes  # noqa: E402
from model_handlers.networks import clipiqa_plus  # noqa: E402
from tests.model_handlers.networks.answers import ask, entry_of  # noqa: E402
from tests.model_handlers.networks.odd_pictures import pictures  # noqa: E402
from tests.model_handlers.networks.small_clip import shrink  # noqa: E402

pytestmark = pytest.mark.frameworks
ABOUT = {"task": "quality", "codec": "image_quality"}
VOCABULARY = 49408  # as many words as the tokenizer knows


def squares(images):
    return torch.stack([torch.from_numpy(to_planes(middle_square(image, 224), None)) for image in images])


def hyperiqa(monkeypatch):
    """pyiqa's module, which would fetch its ResNet from a hub, with seeded weights that tell pictures apart."""
    import timm
    from pyiqa.archs import hypernet_arch

    build = timm.create_model
    monkeypatch.setattr(timm, "create_model", lambda name, **how: build(name, **(how | {"pretrained": False})))
    torch.manual_seed(1)
    made = hypernet_arch.HyperNet(pretrained=False)
    with torch.no_grad():
        for module in (*made.lda_modules, made.conv1):
            for parameter in module.parameters():
                parameter.mul_(4 if parameter.ndim > 1 else 1)
        for parameter in made.fc_w_modules.parameters():
            parameter.mul_(3)
    return made.eval()


def test_hyperiqa(tmp_path, monkeypatch):
    theirs = hyperiqa(monkeypatch)
    assert theirs.num_crop == 25
    theirs.num_crop = 1  # at 224 pixels all are the same, as the next test says
    torch.save({"params": theirs.state_dict()}, tmp_path / "w.pth")
    images = list(pictures().values())[::2]  # a ResNet-50 takes its time
    with torch.inference_mode():
        expected = theirs(squares(images)).flatten().numpy()
    found = np.array(ask(entry_of(tmp_path / "w.pth", network="hyperiqa", **ABOUT), [(image,) for image in images]))
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert np.ptp(found) > 0.05


def test_all_of_pyiqas_crops_of_224_pixels_are_one():
    from pyiqa.archs.arch_util import uniform_crop

    crops = uniform_crop([torch.rand(1, 3, 224, 224)], 224, 25)
    assert len(crops) == 25
    assert (crops == crops[0]).all()


@pytest.fixture
def clip(monkeypatch):
    """CLIP's ResNet with half its layers, seeded so that it tells pictures apart."""
    import open_clip

    shrink(monkeypatch, "RN50", {"layers": [1, 1, 1, 1]}, {"layers": 2})
    torch.manual_seed(2)
    made = open_clip.create_model("RN50", force_quick_gelu=True)
    with torch.no_grad():
        for name, parameter in made.visual.attnpool.named_parameters():
            if name.endswith("weight"):
                parameter.mul_(4)
        for module in made.visual.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = 1.0
                torch.nn.init.uniform_(module.weight, 0.5, 1.5)
        made.visual.train()(torch.randn(4, 3, 224, 224))
        made.logit_scale.fill_(4.6)
    return made.eval()


def test_clipiqa_plus(tmp_path, monkeypatch, clip):
    # OpenAI's package, which pyiqa imports for its tokenizer, asks setuptools for no more than this
    monkeypatch.setitem(sys.modules, "pkg_resources", types.SimpleNamespace(packaging=packaging))
    from pyiqa.archs import clip_model, clipiqa_arch

    weights = {name: tensor.half().float() for name, tensor in clip.state_dict().items()}  # as pyiqa rounds them
    monkeypatch.setattr(clipiqa_arch, "load", lambda *_: clip_model.build_model(dict(weights)).float())
    theirs = clipiqa_arch.CLIPIQA("clipiqa+", pretrained=False)
    ctx = theirs.prompt_learner.ctx.detach() + torch.randn(2, 16, 512, generator=torch.manual_seed(4))
    theirs.prompt_learner.ctx.data = ctx
    torch.save(weights | {"ctx": ctx}, tmp_path / "w.pth")
    images = list(pictures().values())
    with torch.inference_mode():
        expected = theirs.eval()(squares(images)).flatten().numpy()
    found = np.array(ask(entry_of(tmp_path / "w.pth", network="clipiqa_plus", **ABOUT), [(i,) for i in images]))
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert np.ptp(found) > 0.05


def test_clip_without_prompts_says_what_is_missing(tmp_path, clip):
    torch.save(clip.state_dict(), tmp_path / "w.pth")
    with pytest.raises(ModelError, match=r"missing are ctx$"):
        clipiqa_plus.network(tmp_path / "w.pth")
