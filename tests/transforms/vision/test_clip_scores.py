"""Scores of a clip by networks in PyTorch, in the roles that ONNX files have too."""

from fractions import Fraction

import numpy as np
import pytest
import skimage.data

torch = pytest.importorskip("torch", reason="needs the environment of the frameworks, .venv-frameworks")

from PIL import Image  # noqa: E402

from model_handlers.models.catalogue import Catalogue  # noqa: E402
from model_handlers.models.roles import KnownModels  # noqa: E402
from tests import videos  # noqa: E402
from tests.model_handlers.networks.answers import entry_of  # noqa: E402
from tests.model_handlers.networks.small_clip import original, shrink  # noqa: E402
from tests.transforms.vision.test_vision_stages import rows, run  # noqa: E402
from transforms.flow.items import Item  # noqa: E402
from transforms.tables.video_rows import FaceSpan  # noqa: E402
from transforms.videos.reader import VideoReader  # noqa: E402
from transforms.vision.clip_settings import ClipSettings  # noqa: E402
from transforms.vision.clips_stage import write_clips  # noqa: E402

pytestmark = pytest.mark.frameworks
SIZE, COUNT = (160, 160), 12


def frame(number: int) -> np.ndarray:
    """A face that turns into a cup within the first frames."""
    share = min(number / 4, 1)
    pictures = skimage.data.astronaut()[20:180, 140:300], skimage.data.coffee()[100:260, 200:360]
    return (pictures[0] * (1 - share) + pictures[1] * share).astype(np.uint8)


def span() -> FaceSpan:
    numbers = list(range(0, COUNT, 2))
    boxes = np.tile(np.array((20, 20, 140, 140), np.float32), (len(numbers), 1))
    place = ("v-s0-0", "v-s0", "v", None, "{}", "v.mp4", 0, COUNT, *SIZE)
    points = np.zeros((len(numbers), 5, 2), np.float32)
    return FaceSpan(*place, numbers, boxes, np.full(len(numbers), 0.9, np.float32), points, None)


def test_the_clips_consistency_is_open_clips(tmp_path, monkeypatch):
    from open_clip.transform import PreprocessCfg, image_transform_v2

    shrink(monkeypatch, "ViT-B-32", {"layers": 2, "width": 256}, {"vocab_size": 50, "layers": 1})
    theirs = original("ViT-B-32", True)
    torch.save(theirs.state_dict(), tmp_path / "clip.pt")
    about = {"task": "semantics", "network": "clip_image", "codec": "clip_image", "dimension": 512}
    known = KnownModels(Catalogue(models={"mine": entry_of(tmp_path / "clip.pt", **about)}))
    videos.write(tmp_path / "v.mp4", map(frame, range(COUNT)), videos.File(options={"crf": "8"}))
    settings = ClipSettings.model_validate(
        {"margin": 0, "encode": {"crf": 0}, "scores": {"clip_image": "mine", "brisque": None}}
    )
    stage = write_clips(settings, known)
    (outcomes,) = run([Item("c", (0,), Fraction(1), span())], stage.transform(str(tmp_path)))
    (clip,) = rows(outcomes)
    prepare = image_transform_v2(PreprocessCfg(**theirs.visual.preprocess_cfg), is_train=False)
    with VideoReader(str(tmp_path / clip.file)) as reader, torch.inference_mode():
        first = [prepare(Image.fromarray(image)) for _, image in reader.frames(range(5))]
        vectors = torch.nn.functional.normalize(theirs.encode_image(torch.stack(first)), dim=-1)
    assert clip.clip_score == pytest.approx(1 - float((vectors @ vectors.T).min()), abs=0.02)
    assert clip.clip_score > 0.1
