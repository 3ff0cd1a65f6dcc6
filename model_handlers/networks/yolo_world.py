"""YOLO-World: objects of a vocabulary (T. Cheng et al., YOLO-World: Real-Time Open-Vocabulary Object Detection, CVPR
2024), as ultralytics (AGPL-3.0) has it.

The vocabulary's vectors come with the file: it is what ultralytics saves after `set_classes`, which reads the phrases
with CLIP's text encoder. Nothing of such a file is run: its tensors and names are read, and go into a network that is
built anew.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.nn.functional import normalize

from model_handlers.errors import ModelError
from model_handlers.networks.best import best
from model_handlers.networks.weights import Weights, fill, read_weights

_VERSIONS = {1: "yolov8-world", 2: "yolov8-worldv2"}
_SCALES = "nsmlx"
_PACKAGES = ("ultralytics.", "torch.nn.", "torch.Size", "numpy.", "pathlib.", "builtins.getattr", "clip.model.")
_BINS = 16  # a side's distance is the expectation over these, in strides


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
    if version not in _VERSIONS or len(scale) != 1 or scale not in _SCALES:
        raise ModelError(
            f"YOLO-World has the versions 1 and 2 and the scales {', '.join(_SCALES)}, not {version!r} and {scale!r}: "
            "correct network_options"
        )
    weights, names = _read(path)
    phrases = weights.pop("txt_feats", None)
    if phrases is None or phrases.ndim < 2:
        raise ModelError(f"{path} has no vectors of a vocabulary, txt_feats: save it after ultralytics' set_classes")
    phrases = phrases.float().reshape(1, -1, phrases.shape[-1])
    _check_names(path, vocabulary, names, phrases.shape[1])
    model = _untrained(f"{_VERSIONS[version]}.yaml", scale)
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


def _untrained(description: str, scale: str) -> Any:
    os.environ.setdefault("YOLO_OFFLINE", "true")  # it would ask the network for news when it is imported
    try:
        import yaml
        from ultralytics import __file__ as package
        from ultralytics.nn.tasks import WorldModel
    except ImportError as error:
        raise ModelError(f"YOLO-World needs {error.name}: install manyfaces[ultralytics]") from error
    # the package's own description: that in a checkpoint is never used, it may hold expressions
    text = (Path(package).parent / "cfg" / "models" / "v8" / description).read_text(encoding="utf-8")
    return WorldModel(yaml.safe_load(text) | {"scale": scale}, verbose=False)


def _boxes(sides: torch.Tensor, stride: int) -> torch.Tensor:
    """(N,64,h,w), logits of the distances to left, top, right, bottom from a cell's middle -> (N,h*w,4) pixels.

    A distance is the expectation over its bins (X. Li et al., Generalized Focal Loss, 2020).
    """
    height, width = sides.shape[2:]
    bins = torch.arange(_BINS, dtype=torch.float32, device=sides.device)
    reach = sides.flatten(2).mT.unflatten(2, (4, _BINS)).softmax(3) @ bins
    y, x = (torch.arange(length, dtype=torch.float32, device=sides.device) + 0.5 for length in (height, width))
    centres = torch.stack([x.repeat(height), y.repeat_interleave(width)], dim=1)
    return torch.cat([centres - reach[:, :, :2], centres + reach[:, :, 2:]], dim=2) * stride


class _Inert:
    """Stands for every object of a pickle that is neither tensor nor plain data: it holds its attributes, no more."""

    def __init__(self, *given: Any) -> None:
        """Take what the real class or function would be called with."""

    def __setstate__(self, state: Any) -> None:
        if isinstance(state, dict):
            vars(self).update(state)


def _read(path: Path) -> tuple[Weights, list[str]]:
    """The tensors of a checkpoint, `txt_feats` among them, and its classes' names; of a file of weights, no names."""
    try:
        named = torch.serialization.get_unsafe_globals_in_checkpoint(path)
    except Exception:  # no archive of torch: safetensors, or what read_weights has a sentence for
        named = []
    if not named:
        return read_weights(path), []
    foreign = sorted(name for name in named if not name.startswith(_PACKAGES))
    if foreign:
        raise ModelError(f"{path} holds more than a network, it names {foreign[0]}; nothing of it was run")
    stand_ins: list[Any] = [(_Inert, name) for name in named]
    try:
        with torch.serialization.safe_globals(stand_ins):
            found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged or hostile pickle fails in many ways
        raise ModelError(f"{path} is no checkpoint of a network: {' '.join(str(error).split())[:200]}") from error
    held = found if isinstance(found, Mapping) else {}
    model = next((held[name] for name in ("ema", "model") if isinstance(held.get(name), _Inert)), _Inert())
    weights = dict(_tensors(model, "", 0))
    if isinstance(phrases := vars(model).get("txt_feats"), torch.Tensor):
        weights["txt_feats"] = phrases
    names = vars(model).get("names")
    listed = list(names.values()) if isinstance(names, Mapping) else names
    return weights, [str(name) for name in listed] if isinstance(listed, list) else []


def _tensors(module: _Inert, prefix: str, depth: int) -> Iterator[tuple[str, torch.Tensor]]:
    """The parameters and buffers of a module and of those in it, by the names of its state dict."""
    if depth > 20:  # a module that has itself inside
        return
    parts = {name: vars(module).get(name) for name in ("_parameters", "_buffers", "_modules")}
    for held in parts.values():
        for name, one in held.items() if isinstance(held, Mapping) else ():
            if isinstance(one, torch.Tensor):
                yield f"{prefix}{name}", one
            elif isinstance(one, _Inert):
                yield from _tensors(one, f"{prefix}{name}.", depth + 1)
