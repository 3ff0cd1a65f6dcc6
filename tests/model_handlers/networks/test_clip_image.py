"""CLIP's image encoder against open_clip's own, pictures to vectors."""

import numpy as np
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="needs the environment of the frameworks, .venv-frameworks")

from open_clip.transform import PreprocessCfg, image_transform_v2  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

from model_handlers.errors import ModelError  # noqa: E402
from model_handlers.networks import clip_image  # noqa: E402
from tests.model_handlers.networks.answers import ask, entry_of  # noqa: E402
from tests.model_handlers.networks.odd_pictures import pictures  # noqa: E402
from tests.model_handlers.networks.small_clip import original, shrink  # noqa: E402

pytestmark = pytest.mark.frameworks
SMALL_TEXT = {"vocab_size": 50, "layers": 1}


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    shrink(monkeypatch, "ViT-B-32", {"layers": 2, "width": 256}, SMALL_TEXT)
    shrink(monkeypatch, "ViT-L-14", {"layers": 2, "width": 256}, SMALL_TEXT)


def entry(path, dimension=512, **options):
    about = {"task": "semantics", "network": "clip_image", "codec": "clip_image", "dimension": dimension}
    return entry_of(path, network_options=options, **about)


@pytest.mark.parametrize(
    ("model", "quickgelu", "dimension"), [("ViT-B-32", True, 512), ("ViT-B-32", False, 512), ("ViT-L-14", True, 768)]
)
def test_open_clip_says_the_same(tmp_path, model, quickgelu, dimension):
    theirs = original(model, quickgelu)
    torch.save(theirs.state_dict(), tmp_path / "w.pt")
    prepare = image_transform_v2(PreprocessCfg(**theirs.visual.preprocess_cfg), is_train=False)
    images = list(pictures().values())
    with torch.inference_mode():
        planes = torch.stack([prepare(Image.fromarray(image)) for image in images])
        expected = torch.nn.functional.normalize(theirs.encode_image(planes), dim=-1).numpy()
    found = np.array(ask(entry(tmp_path / "w.pt", dimension, model=model, quickgelu=quickgelu), [(i,) for i in images]))
    assert (found * expected).sum(axis=1).min() > 0.9999
    assert (found @ found.T)[~np.eye(len(found), dtype=bool)].max() < 0.99  # it does tell them apart


def openai(weights):
    """Half precision, with the numbers of OpenAI's archive beside it."""
    sizes = {name: torch.tensor(1) for name in ("input_resolution", "context_length", "vocab_size")}
    return {name: tensor.half() for name, tensor in weights.items()} | sizes


FORMS = {
    "open_clip": dict,
    "openai": openai,
    "of several processes": lambda weights: {f"module.{name}": tensor for name, tensor in weights.items()},
    "text by itself": lambda weights: {n if n.startswith("visual.") else f"text.{n}": t for n, t in weights.items()},
    "image alone": lambda weights: {n: t for n, t in weights.items() if n.startswith("visual.")},
}


@pytest.mark.parametrize(("form", "suffix"), [*((form, "pt") for form in FORMS), ("openai", "safetensors")])
def test_forms_of_files(tmp_path, form, suffix):
    theirs = original("ViT-B-32", True)
    weights, path = FORMS[form](theirs.state_dict()), tmp_path / f"w.{suffix}"
    if suffix == "pt":
        torch.save({"state_dict": weights, "epoch": 3}, path)
    else:
        save_file(weights, path)
    images = torch.rand(2, 3, 224, 224)
    with torch.inference_mode():
        found, expected = clip_image.network(path).eval()(images), theirs.encode_image(images)
    assert torch.allclose(found, expected, atol=0.02 if form == "openai" else 0)
    assert expected.std() > 0.1


def test_what_does_not_fit_is_a_sentence(tmp_path):
    torch.save(original("ViT-B-32", True).state_dict(), tmp_path / "w.pt")
    with pytest.raises(ModelError, match=r"no model 'hf-hub:a/b'; there are: ViT-B-32, "):
        clip_image.network(tmp_path / "w.pt", model="hf-hub:a/b")
    with pytest.raises(ModelError, match=r"w\.pt has not the weights of this network: .*of another shape are"):
        clip_image.network(tmp_path / "w.pt", model="ViT-L-14")
    torch.save({"layer.weight": torch.ones(1)}, tmp_path / "other.pt")
    with pytest.raises(ModelError, match=r"missing are visual\.class_embedding, .*unknown are layer\.weight"):
        clip_image.network(tmp_path / "other.pt")


def test_an_archive_that_holds_a_program_is_not_run(tmp_path):
    torch.jit.script(torch.nn.Linear(2, 2)).save(tmp_path / "openai.pt")
    with pytest.raises(ModelError, match=r"openai\.pt is a TorchScript archive, .* nothing of it was run"):
        clip_image.network(tmp_path / "openai.pt")


def test_without_open_clip_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "open_clip", None)
    with pytest.raises(ModelError, match=r"needs open_clip: install manyfaces\[clip\]$"):
        clip_image.network(tmp_path / "w.pt")
