"""OWLv2 against transformers, with generated weights: the same boxes, classes, probabilities and features."""

import hashlib

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the environment of the frameworks, .venv-frameworks")
transformers = pytest.importorskip("transformers")
pytest.importorskip("open_clip")

from safetensors.torch import save_file  # noqa: E402
from skimage import data  # noqa: E402

from model_handlers.codecs import regions  # noqa: E402
from model_handlers.errors import ModelError  # noqa: E402
from model_handlers.frameworks.loading import Loading, load_network  # noqa: E402
from model_handlers.framing import NORMALIZATIONS  # noqa: E402
from model_handlers.models.catalogue import Entry, load  # noqa: E402
from model_handlers.models.loaded import load_model  # noqa: E402
from model_handlers.models.trial import try_model  # noqa: E402
from model_handlers.networks import owlv2  # noqa: E402
from tests.image_files import GREY, SMALL, saved  # noqa: E402
from tests.model_handlers.networks import tiny_owlv2  # noqa: E402
from tests.model_handlers.networks.alike import check_alike  # noqa: E402
from tests.model_handlers.networks.tiny_owlv2 import SIDE, TINY  # noqa: E402
from transforms.images.pixels import open_image  # noqa: E402

pytestmark = pytest.mark.frameworks

WORDS = ("cat", "dog", "red fire hydrant", "person")
# CLIP's tokens, as its published vocab.json numbers them: start, "a", "photo", "of", "a", the word, end
TOKENS = {"cat": [2368], "dog": [1929], "person": [2533], "red fire hydrant": [736, 1769, 8031, 773]}
PICTURES = [data.astronaut()[:300, :201], data.coffee()[:97, :333], np.ascontiguousarray(data.chelsea()[:160, :160])]


@pytest.fixture(scope="module", autouse=True)
def tiny():
    owlv2.SIZES["tiny"] = TINY
    owlv2.SIZES["other"] = TINY | {"projection_dim": 16}
    yield
    del owlv2.SIZES["tiny"], owlv2.SIZES["other"]


@pytest.fixture(scope="module")
def library():
    return tiny_owlv2.made()


@pytest.fixture(scope="module")
def weights(library, tmp_path_factory):
    path = tmp_path_factory.mktemp("owlv2") / "model.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in library.state_dict().items()}, path)
    return path


def loaded(path, **options):
    options = {"vocabulary": WORDS, "size": "tiny"} | options
    return load_network(Loading("torch", path, "owl", "owlv2", tuple(sorted(options.items()))))


def tokens(words=WORDS) -> "torch.Tensor":
    rows = torch.zeros(len(words), 16, dtype=torch.long)
    for row, word in zip(rows, words, strict=True):
        given = [49406, 320, 1125, 539, 320, *TOKENS[word], 49407]
        row[: len(given)] = torch.tensor(given)
    return rows


def by_library(library, canvas, words=WORDS):
    """Its outputs for the pixels of the canvas."""
    planes = torch.from_numpy(canvas).permute(2, 0, 1)[None] / 255
    mean, deviation = (torch.tensor(one)[:, None, None] for one in NORMALIZATIONS["clip"])
    ids = tokens(words)
    with torch.inference_mode():
        return library(input_ids=ids, pixel_values=(planes - mean) / deviation, attention_mask=(ids > 0).long())


@pytest.mark.parametrize("picture", PICTURES, ids=["tall", "wide", "square"])
def test_it_finds_what_the_library_finds(library, weights, picture):
    made = regions.codec(SIDE, 128, 1.0)  # no suppression: the library has none
    canvas, context = made.encode(picture)
    outputs = by_library(library, canvas)
    sizes = torch.tensor([(SIDE, SIDE)])
    (wanted,) = transformers.Owlv2ImageProcessor().post_process_object_detection(outputs, regions.FLOOR, sizes)
    order = wanted["scores"].argsort(descending=True, stable=True)
    found = made.decode(tuple(one[0] for one in loaded(weights).run(canvas[None])), context)
    assert len(found.scores) == len(order) > 30
    assert len(set(found.classes.tolist())) > 1
    assert np.ptp(found.scores) > 0.2
    np.testing.assert_allclose(found.scores, wanted["scores"][order], atol=1e-5)
    assert found.classes.tolist() == wanted["labels"][order].tolist()
    np.testing.assert_allclose(found.boxes, context.boxes_back(wanted["boxes"][order].numpy()), atol=0.01)
    best = outputs.logits[0].max(dim=1).values.argsort(descending=True, stable=True)[: len(order)]
    np.testing.assert_allclose(found.probabilities, outputs.logits[0, best].sigmoid(), atol=1e-5)
    np.testing.assert_allclose(found.objectness, outputs.objectness_logits[0, best].sigmoid(), atol=1e-5)
    np.testing.assert_allclose(found.features, outputs.class_embeds[0, best], atol=1e-5)


def test_what_overlaps_goes(weights):
    canvas, context = regions.codec(SIDE, 128).encode(PICTURES[0])
    outputs = tuple(one[0] for one in loaded(weights).run(canvas[None]))
    every, kept = (regions.codec(SIDE, 128, most).decode(outputs, context) for most in (1.0, 0.3))
    assert 0 < len(kept.scores) < len(every.scores)


def test_one_at_a_time_or_several(weights):
    made, runs = regions.codec(SIDE, 128), loaded(weights)
    canvases, contexts = zip(*map(made.encode, PICTURES), strict=True)
    together = runs.run(np.stack(canvases))
    for number, (canvas, context) in enumerate(zip(canvases, contexts, strict=True)):
        alone = made.decode(tuple(one[0] for one in runs.run(canvas[None])), context)
        check_alike(alone, made.decode(tuple(one[number] for one in together), context))


def test_the_best_regions_alone(weights):
    canvas, _ = regions.codec(SIDE, 128).encode(PICTURES[0])
    every, some = loaded(weights).run(canvas[None]), loaded(weights, regions=7).run(canvas[None])
    assert every[1].shape == (1, 100, 4)
    for one, other in zip(every, some, strict=True):
        np.testing.assert_array_equal(one[:, :7], other)


def test_the_vocabulary_counts(weights):
    canvas, _ = regions.codec(SIDE, 128).encode(PICTURES[0])
    one, other = (loaded(weights, vocabulary=words).run(canvas[None]) for words in (("dog", "cat"), ("cat", "dog")))
    np.testing.assert_allclose(one[1], other[1][:, :, ::-1], atol=1e-6)
    assert not np.allclose(one[1], other[1], atol=1e-2)


def test_pixels_are_those_of_the_library():
    """The library shrinks by another filter, and its margin is black in this version; it was grey in the paper's."""
    picture = data.astronaut()[:400]
    canvas, _ = regions.codec(SIDE, 128).encode(picture)
    processor = transformers.Owlv2ImageProcessor(size={"height": SIDE, "width": SIDE})
    wanted = processor(images=picture, return_tensors="pt")["pixel_values"][0].permute(1, 2, 0).numpy()
    mean, deviation = (np.array(one) for one in NORMALIZATIONS["clip"])
    difference = np.abs((canvas / 255 - mean) / deviation - wanted)[:120]
    assert difference.mean() < 0.06


@pytest.mark.parametrize(
    "file",
    [saved(GREY, "PNG"), saved(GREY.astype(np.uint16) * 257, "PNG"), saved(SMALL, "PNG")],
    ids=["L", "I16", "RGB"],
)
def test_pictures_of_all_kinds(weights, file):
    canvas, context = regions.codec(SIDE, 128).encode(open_image(file))
    found = regions.codec(SIDE, 128).decode(tuple(one[0] for one in loaded(weights).run(canvas[None])), context)
    assert len(found.boxes) > 3
    assert np.isfinite(found.boxes).all()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"size": "huge"}, "sizes base and large and tiny and other, not 'huge'"),
        ({"size": "other"}, "has not the weights of this network"),
        ({"prompt": "a photo"}, "the prompt 'a photo' has no place {} for a phrase"),
        ({"vocabulary": ("a very " * 9 + "long phrase",)}, "of the vocabulary has more than 16 tokens; shorten it"),
    ],
)
def test_what_does_not_fit_is_a_sentence(weights, options, words):
    with pytest.raises(ModelError, match=words):
        loaded(weights, **options)


def test_as_an_entry_of_the_catalogue(weights):
    """The vocabulary goes from the entry to the network, and is what the classes of the result mean."""
    source = {"uri": str(weights), "sha256": hashlib.sha256(weights.read_bytes()).hexdigest()}
    changed = {"network_options": {"size": "tiny"}, "options": {"side": SIDE, "grey": 128}, "sources": (source,)}
    entry = Entry.model_validate(load().get("owlv2-base").model_dump() | changed | {"vocabulary": WORDS})
    try_model(entry)
    found = load_model(entry)(PICTURES[0])
    canvas, context = regions.codec(SIDE, 128).encode(PICTURES[0])
    wanted = regions.codec(SIDE, 128).decode(tuple(one[0] for one in loaded(weights).run(canvas[None])), context)
    check_alike(found, wanted)
    assert found.probabilities.shape == (len(found.boxes), len(entry.classes))
