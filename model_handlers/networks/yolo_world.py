"""YOLO-World: objects of a vocabulary (T. Cheng et al., YOLO-World: Real-Time Open-Vocabulary Object Detection, CVPR
2024), as ultralytics (AGPL-3.0) has it.

The vocabulary's vectors come with the file: it is what ultralytics saves after `set_classes`, which reads the phrases
with CLIP's text encoder. Nothing of such a file is run: its tensors and names are read, and go into a network that is
built anew.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import normalize

from model_handlers.errors import ModelError
from model_handlers.networks.best import best
from model_handlers.networks.checkpoints import read_checkpoint
from model_handlers.networks.ultralytics import NAMED, SCALES, reach, untrained
from model_handlers.networks.weights import fill

_DESCRIPTIONS = {1: "v8/yolov8-world.yaml", 2: "v8/yolov8-worldv2.yaml"}


class YoloWorld(torch.nn.Module):
    """Pixels (N,side,side,3) to the best regions: boxes in pixels, probabilities, features of unit length.

    The side is a multiple of 32.
    """

    def __init__(self, model: Any, phrases: torch.Tensor, regions: int) -> None:
        super().__init__()
        *layers, self.head = model.model
        self.layers, self.regions = torch.nn.ModuleList(layers), regions
        self.kept = frozenset(model.save)  # the layers whose outputs others take
        self.register_buffer("phrases", phrases)  # (1,C,512)

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """(N,K,4) x1,y1,x2,y2; (N,K,C); (N,K,512)."""
        phrases = self.phrases.expand(len(pixels), -1, -1)
        maps = self._maps(pixels.permute(0, 3, 1, 2).float() / 255, phrases)
        boxes, logits, features = [], [], []
        for level, side, look, compare in zip(maps, self.head.cv2, self.head.cv3, self.head.cv4, strict=True):
            embedding = look(level)
            boxes.append(_boxes(side(level).float(), pixels.shape[1] // level.shape[2]))
            logits.append(compare(embedding, phrases).float().flatten(2).mT)
            features.append((compare.norm(embedding) if hasattr(compare, "norm") else embedding).float().flatten(2).mT)
        every = torch.cat(logits, 1)
        found = best(self.regions, every.amax(2), torch.cat(boxes, 1), every.sigmoid(), torch.cat(features, 1))
        return (*found[:2], normalize(found[2], dim=2))

    def _maps(self, planes: torch.Tensor, phrases: torch.Tensor) -> list[torch.Tensor]:
        """The maps that the head takes; on the way there version 1 makes the phrases fit the image."""
        given: Any = planes
        outputs: list[Any] = []
        for layer in self.layers:
            given = _taken(layer.f, given, outputs)
            kind = type(layer).__name__
            if kind == "ImagePoolingAttn":
                phrases = layer(given, phrases)
            else:
                given = layer(given, phrases) if kind == "C2fAttn" else layer(given)
            outputs.append(given if layer.i in self.kept else None)
        maps: list[torch.Tensor] = _taken(self.head.f, given, outputs)
        return maps


def _taken(places: Any, last: Any, outputs: list[Any]) -> Any:
    """What a layer takes: the last output (-1), that of another layer by its number, or a list of such."""
    if isinstance(places, int):
        return last if places == -1 else outputs[places]
    return [last if place == -1 else outputs[place] for place in places]


def network(
    path: Path, vocabulary: Sequence[str], version: int = 2, scale: str = "s", regions: int = 1000
) -> YoloWorld:
    """The detector of the vocabulary that the file was saved with, which must be this one.

    `version` 1 is yolov8s-world and its like, 2 yolov8s-worldv2; `scale` n, s, m, l or x. `regions`: how many of an
    image's places, the best, are looked at. A file of weights alone has the vocabulary's vectors as the tensor
    `txt_feats`, (C,512), and no names. ModelError where the package or a weight is not there, or the vocabulary is
    another one.
    """
    if version not in _DESCRIPTIONS or scale not in SCALES:
        raise ModelError(
            f"YOLO-World has the versions 1 and 2 and the scales {', '.join(SCALES)}, not {version!r} and {scale!r}: "
            "correct network_options"
        )
    read = read_checkpoint(path, NAMED)
    weights = dict(read.weights)
    phrases = read.attributes.get("txt_feats", weights.pop("txt_feats", None))
    if not isinstance(phrases, torch.Tensor) or phrases.ndim < 2:
        raise ModelError(f"{path} has no vectors of a vocabulary, txt_feats: save it after ultralytics' set_classes")
    phrases = phrases.float().reshape(1, -1, phrases.shape[-1])
    _check_names(path, vocabulary, _names(read.attributes), phrases.shape[1])
    model = untrained("WorldModel", _DESCRIPTIONS[version], scale=scale)
    fill(model, weights, path, unused=("clip_model.",))
    return YoloWorld(model.eval(), phrases, regions)


def _check_names(path: Path, vocabulary: Sequence[str], names: list[str], count: int) -> None:
    if count != len(vocabulary):
        raise ModelError(f"{path} was saved for {count} classes, the vocabulary has {len(vocabulary)}: correct either")
    for place, (name, wanted) in enumerate(zip(names, vocabulary, strict=False)):
        if name != wanted:
            raise ModelError(
                f"{path} was saved for another vocabulary: its class {place} is {name!r}, not {wanted!r}; correct "
                "either"
            )


def _names(attributes: Mapping[str, Any]) -> list[str]:
    """The classes' names that the file has, in order; none of a file that has none."""
    names = attributes.get("names")
    listed = list(names.values()) if isinstance(names, Mapping) else names
    return [str(name) for name in listed] if isinstance(listed, list) else []


def _boxes(sides: torch.Tensor, stride: int) -> torch.Tensor:
    """(N,64,h,w), as `reach` takes them -> (N,h*w,4) pixels."""
    height, width = sides.shape[2:]
    first, second = reach(sides).mT.split(2, dim=2)  # left and top, right and bottom
    y, x = (torch.arange(length, dtype=torch.float32, device=sides.device) + 0.5 for length in (height, width))
    centres = torch.stack([x.repeat(height), y.repeat_interleave(width)], dim=1)
    return torch.cat([centres - first, centres + second], dim=2) * stride
