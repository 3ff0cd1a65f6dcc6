"""YOLO-World against ultralytics, with generated weights: the same boxes, classes, probabilities and features."""

import copy
import os
from pathlib import Path

import numpy as np
import pytest
import yaml

torch = pytest.importorskip("torch", reason="needs the environment of the frameworks, .venv-frameworks")
os.environ.setdefault("YOLO_OFFLINE", "true")
ultralytics = pytest.importorskip("ultralytics")

from skimage import data  # noqa: E402
from ultralytics.nn.tasks import WorldModel  # noqa: E402
from ultralytics.utils.nms import non_max_suppression  # noqa: E402

from model_handlers.codecs import regions  # noqa: E402
from model_handlers.errors import ModelError  # noqa: E402
from model_handlers.frameworks.loading import Loading, load_network  # noqa: E402
from model_handlers.models.vocabulary import COCO  # noqa: E402
from tests.image_files import GREY, SMALL, saved  # noqa: E402
from tests.model_handlers.networks.alike import check_alike  # noqa: E402
from transforms.images.pixels import open_image  # noqa: E402

pytestmark = pytest.mark.frameworks

SIDE = 192
WORDS = ("cat", "red fire hydrant", "person", "cup", "star")
PICTURES = [data.astronaut()[:300, :201], data.coffee()[:97, :333], np.ascontiguousarray(data.chelsea()[:192, :192])]


def planes(*canvases) -> "torch.Tensor":
    return torch.from_numpy(np.stack(canvases)).permute(0, 3, 1, 2) / 255


@pytest.fixture(scope="module", params=[1, 2])
def version(request):
    return request.param


@pytest.fixture(scope="module")
def library(version):
    """The smallest, with statistics of some pictures, so that places differ, and with large scores among small ones."""
    torch.manual_seed(2)
    made = WorldModel(f"yolov8n-world{'v2' if version == 2 else ''}.yaml", ch=3, nc=80, verbose=False)
    made.txt_feats, made.names = torch.randn(1, len(WORDS), 512), list(WORDS)
    head = made.model[-1]
    head.nc = len(WORDS)
    for one in made.modules():
        if isinstance(one, torch.nn.BatchNorm2d):
            one.momentum = None  # the mean of all that was seen
    with torch.no_grad():
        made.train()(planes(*(regions.codec(SIDE).encode(picture)[0] for picture in PICTURES)))
        for level, compare in zip(head.cv2, head.cv4, strict=True):
            level[-1].weight.normal_(0, 0.5)
            level[-1].bias.normal_(0, 1)
            compare.bias.fill_(-4)
            compare.logit_scale.fill_(0.5 if version == 2 else 4)
    return made.eval()


@pytest.fixture(scope="module")
def checkpoint(library, tmp_path_factory):
    """As ultralytics saves it: the module itself, in half precision."""
    path = tmp_path_factory.mktemp("world") / "yolo.pt"
    torch.save({"epoch": -1, "ema": None, "model": copy.deepcopy(library).half(), "train_args": {}}, path)
    library.half().float()  # both have the same numbers then
    return path


def loaded(path, version, **options):
    options = {"vocabulary": WORDS, "version": version, "scale": "n"} | options
    return load_network(Loading("torch", path, "world", "yolo_world", tuple(sorted(options.items()))))


def found_in(path, version, picture, **options):
    made = regions.codec(SIDE, **options)
    canvas, context = made.encode(picture)
    return made.decode(tuple(one[0] for one in loaded(path, version).run(canvas[None])), context)


@pytest.mark.parametrize("picture", PICTURES, ids=["tall", "wide", "square"])
@pytest.mark.parametrize("overlap", [0.7, 0.4])
def test_it_finds_what_the_library_finds(library, checkpoint, version, picture, overlap):
    canvas, context = regions.codec(SIDE).encode(picture)
    with torch.no_grad():
        raw = library(planes(canvas))[0]
    (wanted,) = non_max_suppression(raw.clone(), regions.FLOOR, overlap, agnostic=True, max_det=1000)
    found = found_in(checkpoint, version, picture, max_overlap=overlap)
    assert len(found.scores) == len(wanted) > 10
    assert len(set(found.classes.tolist())) > 2
    assert np.ptp(found.scores) > 0.2
    np.testing.assert_allclose(found.scores, wanted[:, 4], atol=1e-4)
    np.testing.assert_allclose(found.boxes, context.boxes_back(wanted[:, :4].numpy()), atol=0.01)
    assert found.classes.tolist() == wanted[:, 5].int().tolist()
    assert found.objectness is None
    best = found.probabilities[np.arange(len(found.scores)), found.classes]
    np.testing.assert_array_equal(best, found.scores)


def test_features_are_what_the_head_compares(library, checkpoint, version):
    seen = []
    hooks = [
        head.register_forward_hook(lambda *all_of_it: seen.append(all_of_it[1][0].clone()))
        for head in library.model[-1].cv4
    ]
    canvas, _ = regions.codec(SIDE).encode(PICTURES[0])
    with torch.no_grad():
        raw = library(planes(canvas))[0]
    for hook in hooks:
        hook.remove()
    order = raw[0, 4:].amax(0).argsort(descending=True, stable=True)
    embeddings = [c.norm(e) if version == 2 else e for c, e in zip(library.model[-1].cv4, seen, strict=True)]
    wanted = torch.nn.functional.normalize(torch.cat([one.flatten(2) for one in embeddings], 2)[0].T[order], dim=1)
    features = loaded(checkpoint, version).run(canvas[None])[2][0]
    cosines = (features * wanted[: len(features)].detach().numpy()).sum(1)
    assert cosines.min() > 0.9999
    assert (features[0] * features[-1]).sum() < 0.99


def test_one_at_a_time_or_several(checkpoint, version):
    made, runs = regions.codec(SIDE), loaded(checkpoint, version)
    canvases, contexts = zip(*map(made.encode, PICTURES), strict=True)
    together = runs.run(np.stack(canvases))
    for number, (canvas, context) in enumerate(zip(canvases, contexts, strict=True)):
        alone = made.decode(tuple(one[0] for one in runs.run(canvas[None])), context)
        check_alike(alone, made.decode(tuple(one[number] for one in together), context))


def test_weights_alone(library, checkpoint, version, tmp_path):
    torch.save(library.state_dict() | {"txt_feats": library.txt_feats[0]}, tmp_path / "alone.pt")
    canvas = regions.codec(SIDE).encode(PICTURES[0])[0][None]
    runs = (loaded(path, version).run(canvas) for path in (checkpoint, tmp_path / "alone.pt"))
    for one, other in zip(*runs, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-3)


@pytest.mark.parametrize(
    "file",
    [saved(GREY, "PNG"), saved(GREY.astype(np.uint16) * 257, "PNG"), saved(SMALL, "PNG")],
    ids=["L", "I16", "RGB"],
)
def test_pictures_of_all_kinds(checkpoint, version, file):
    found = found_in(checkpoint, version, open_image(file))
    assert len(found.boxes) > 3
    assert np.isfinite(found.boxes).all()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"scale": "z"}, "versions 1 and 2 and the scales n, s, m, l, x, not . and 'z'"),
        ({"scale": "s"}, "has not the weights of this network"),
        ({"vocabulary": WORDS[:3]}, "saved for 5 classes, the vocabulary has 3: correct either"),
        ({"vocabulary": ("cat", "dog", *WORDS[2:])}, "its class 1 is 'red fire hydrant', not 'dog'; correct either"),
    ],
)
def test_what_does_not_fit_is_a_sentence(checkpoint, version, options, words):
    with pytest.raises(ModelError, match=words):
        loaded(checkpoint, version, **options)


class RunsCode:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({}, "has no weights"),
        ({"model": torch.nn.Linear(2, 3)}, "has no vectors of a vocabulary, txt_feats: save it after"),
        ({"model": RunsCode("ran")}, r"it names \w+\.mkdir; nothing of it was run"),
    ],
)
def test_files_that_are_none(tmp_path, monkeypatch, content, words):
    monkeypatch.chdir(tmp_path)
    torch.save(content, "w.pt")
    with pytest.raises(ModelError, match=words):
        loaded(tmp_path / "w.pt", 2)
    assert not Path("ran").exists()


def test_cocos_names_are_the_librarys():
    told = yaml.safe_load((Path(ultralytics.__file__).parent / "cfg" / "datasets" / "coco.yaml").read_text())
    assert tuple(told["names"].values()) == COCO
