"""Codecs of whole images, with small ONNX models of known arithmetic in place of the user's files."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
from onnx import TensorProto
from PIL import Image

from model_handlers.codecs import clip_image, image_quality
from model_handlers.errors import ModelError
from model_handlers.framing import NORMALIZATIONS, middle_square, to_planes
from model_handlers.interface import Request
from model_handlers.models.catalogue import Entry
from model_handlers.models.codecs import codec
from model_handlers.models.handlers import handler
from model_handlers.weights import cache
from model_handlers.weights.convert.onnx_graph import OnnxGraph


def plain(colour: tuple[int, int, int], height: int = 300, width: int = 400) -> np.ndarray:
    return np.full((height, width, 3), colour, dtype=np.uint8)


@pytest.mark.parametrize(("height", "width"), [(224, 224), (224, 500), (500, 224), (1, 1), (2, 900), (333, 777)])
def test_middle_square(height: int, width: int) -> None:
    square = middle_square(plain((10, 200, 30), height, width), 224)
    assert square.shape == (224, 224, 3)
    assert (square == (10, 200, 30)).all()


def test_the_middle_is_what_is_kept() -> None:
    image = np.zeros((100, 300, 3), dtype=np.uint8)
    image[:, 100:200] = 255  # the middle third
    assert (middle_square(image, 50)[:, 2:-2] == 255).all()
    assert (middle_square(image.transpose(1, 0, 2), 50)[2:-2] == 255).all()
    same = skimage.data.astronaut()[:224, :300]
    np.testing.assert_array_equal(middle_square(same, 224), same[:, 38:262])


@pytest.mark.parametrize(("height", "width"), [(512, 512), (300, 512), (511, 222), (100, 150)])
def test_it_is_scaling_and_cutting(height: int, width: int) -> None:
    image = skimage.data.astronaut()[:height, :width]
    shorter = min(height, width)
    size = (int(224 * width / shorter), int(224 * height / shorter))
    whole = np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BICUBIC))
    left, top = round((size[0] - 224) / 2), round((size[1] - 224) / 2)
    cut = whole[top : top + 224, left : left + 224].astype(int)
    assert abs(middle_square(image, 224) - cut).max() <= 1


def test_a_long_image_costs_no_more() -> None:
    """Scaled as a whole it would have 67 gigapixels."""
    assert middle_square(np.zeros((1, 300_000, 3), np.uint8), 224).shape == (224, 224, 3)


def test_small_scales_average() -> None:
    """Stripes of one pixel become grey, and no pattern of those that happen to be hit."""
    stripes = np.zeros((448, 448, 3), dtype=np.uint8)
    stripes[:, ::2] = 255
    middle = middle_square(stripes, 112)[2:-2, 2:-2].astype(int)
    assert abs(middle - 127.5).max() < 4


@pytest.mark.parametrize("name", [None, *NORMALIZATIONS])
def test_planes(name: str | None) -> None:
    planes = to_planes(plain((0, 51, 255), 2, 3), name)
    mean, deviation = NORMALIZATIONS[name] if name else ((0, 0, 0), (1, 1, 1))
    assert planes.dtype == np.float32
    assert planes.flags.c_contiguous
    np.testing.assert_allclose(planes[:, 1, 2], (np.array([0, 0.2, 1]) - mean) / deviation, rtol=1e-6)


def write_means(path: Path, side: int, outputs: int) -> None:
    """A model whose output is the mean of each plane, or of all."""
    graph = OnnxGraph("means")
    axes = graph.constant([2, 3] if outputs == 3 else [1, 2, 3], np.int64)
    means = graph.add("ReduceMean", ["pixels", axes], keepdims=0)
    shape = ("N", 3) if outputs == 3 else ("N",)
    path.write_bytes(graph.to_bytes({"pixels": (TensorProto.FLOAT, ("N", 3, side, side))}, {"means": (means, shape)}))


def users_entry(path: Path, **changes) -> Entry:
    source = {"uri": str(path), "sha256": cache.sha256_of(path)}
    given = {"framework": "onnx", "sources": (source,), "licence": "mine", "commercial": True}
    return Entry.model_validate({"name": "mine", **given, **changes})


def ask(entry: Entry, *images: np.ndarray) -> list:
    """What the entry's codec and handler make of the images."""
    made, runner = codec(entry), handler(entry)
    encoded = [made.encode(image) for image in images]
    (answer,) = runner.run_inference([Request(tuple(one for one, _ in encoded), None)], runner.load_model())
    assert answer.error is None
    return [made.decode(outputs, context) for outputs, (_, context) in zip(answer.outputs, encoded, strict=True)]


@pytest.mark.parametrize("side", [None, 336])
def test_clip_of_the_users_file(tmp_path: Path, side: int | None) -> None:
    write_means(tmp_path / "clip.onnx", side or 224, 3)
    options = {"side": side} if side else {}
    entry = users_entry(tmp_path / "clip.onnx", task="semantics", codec="clip_image", dimension=3, options=options)
    colours = [(255, 0, 51), (0, 0, 255)]
    for vector, colour in zip(ask(entry, *map(plain, colours)), colours, strict=True):
        mean, deviation = NORMALIZATIONS["clip"]
        expected = (np.array(colour) / 255 - mean) / deviation
        np.testing.assert_allclose(vector, expected / np.linalg.norm(expected), atol=1e-4)
        assert vector.dtype == np.float32
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("values", [[0, 0], [np.inf, 1], [np.nan, 1]])
def test_clip_without_a_direction(values: list[float]) -> None:
    assert np.isnan(clip_image.decode((np.array(values, dtype=np.float32),), None)).all()


@pytest.mark.parametrize("normalization", [None, "imagenet"])
def test_quality_of_the_users_file(tmp_path: Path, normalization: str | None) -> None:
    write_means(tmp_path / "iqa.onnx", 224, 1)
    options = {"normalization": normalization}
    entry = users_entry(tmp_path / "iqa.onnx", task="quality", codec="image_quality", options=options)
    mean, deviation = NORMALIZATIONS[normalization] if normalization else ((0, 0, 0), (1, 1, 1))
    expected = ((np.array([255, 0, 51]) / 255 - mean) / deviation).mean()
    (score,) = ask(entry, plain((255, 0, 51)))
    assert isinstance(score, float)
    assert score == pytest.approx(expected, abs=1e-4)


def test_quality_is_one_number() -> None:
    assert image_quality.decode((np.array([[0.5]], dtype=np.float32),), None) == 0.5
    with pytest.raises(ValueError, match="size 1"):
        image_quality.decode((np.array([0.5, 0.6]),), None)


def test_a_file_of_another_input_says_so(tmp_path: Path) -> None:
    write_means(tmp_path / "iqa.onnx", 128, 1)
    entry = users_entry(tmp_path / "iqa.onnx", task="quality", codec="image_quality")
    runner = handler(entry)
    (answer,) = runner.run_inference([Request((codec(entry).encode(plain((1, 2, 3)))[0],), None)], runner.load_model())
    assert "128" in (answer.error or "")


def test_a_model_without_a_file_says_what_is_wanted() -> None:
    from model_handlers.models import catalogue, store
    from model_handlers.models.licences import ALL_TERMS

    for name in ("clip-vit-b32", "clip-vit-l14", "hyperiqa", "clipiqa-plus"):
        entry = catalogue.load().get(name)
        with pytest.raises(ModelError, match="exported to ONNX"):
            store.ensure(entry, accepted=ALL_TERMS)


def jpeg(image: np.ndarray, quality: int) -> np.ndarray:
    return cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)


def noisy(image: np.ndarray, deviation: float) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, deviation, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


@pytest.mark.integration
class TestBrisque:
    """The scores of pypi's brisque 0.2.0 for the same images stand beside ours."""

    def scores(self, *images: np.ndarray) -> list[float]:
        from model_handlers.models import catalogue

        return ask(catalogue.load().get("brisque"), *images)

    def test_its_package_says_the_same(self) -> None:
        photo = skimage.data.astronaut()
        images = [
            photo, photo[60:210, 150:300], photo[:201, :133], skimage.data.coffee(), skimage.data.chelsea(),
            cv2.GaussianBlur(photo, (0, 0), 2), noisy(photo, 15),
        ]  # fmt: skip
        golden = [10.795, 1.769, 29.728, 3.048, 2.871, 64.271, 38.169]
        np.testing.assert_allclose(self.scores(*images), golden, atol=0.02)

    @pytest.mark.parametrize("photo", ["astronaut", "coffee", "chelsea"])
    def test_worse_images_score_higher(self, photo: str) -> None:
        image = getattr(skimage.data, photo)()
        for worse in (
            [cv2.GaussianBlur(image, (0, 0), sigma) for sigma in (1, 2, 4)],
            [noisy(image, deviation) for deviation in (10, 20, 40)],
            [jpeg(image, quality) for quality in (60, 20, 5)],
        ):
            scores = self.scores(image, *worse)
            assert scores == sorted(scores)
            assert scores[-1] > scores[0] + 20

    @pytest.mark.parametrize("side", [1, 2, 64])
    @pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255)])
    def test_no_texture_no_score(self, side: int, colour: tuple[int, int, int]) -> None:
        (score,) = self.scores(plain(colour, side, side))
        assert np.isnan(score)
