"""Random weights for YOLO-pose that find people: a network's numbers are spread as those of trained ones."""

from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
import torch

from model_handlers.codecs.yolo_pose import codec
from tests.image_files import PHOTO

SIDE, SCORE = 256, 0.25


@lru_cache
def weights(version: int) -> Path:
    """A checkpoint as ultralytics saves it, of random weights that find some dozens of people in a photograph."""
    from ultralytics import YOLO
    from ultralytics.nn.tasks import PoseModel

    torch.manual_seed(5)
    name = {8: "yolov8n-pose", 11: "yolo11n-pose"}[version]
    yolo = YOLO(f"{name}.yaml")
    yolo.model = PoseModel(f"{name}.yaml", nc=1, verbose=False).train()
    norms = [one for one in yolo.model.modules() if isinstance(one, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = None  # the statistics become those of the photograph, so that signals neither fade nor grow
        torch.nn.init.constant_(norm.weight, 0.5)  # activations stay where they are almost straight lines: a random
        torch.nn.init.constant_(norm.bias, 1.0)  # network would otherwise make much of the smallest difference
    photo = torch.from_numpy(codec(SIDE, planes=True).encode(PHOTO)[0][None])
    head = yolo.model.model[-1]
    with torch.no_grad():
        yolo.model(photo)
        raw = yolo.model.eval()(photo)[1]
        # of trained networks distances are about as sharp, scores as far apart, and keypoints some cells away
        for kind, layers, spread in (("boxes", head.cv2, 2), ("scores", head.cv3, 2), ("kpts", head.cv4, 2)):
            middle, factor = raw[kind].mean(), spread / raw[kind].std()
            for layer in layers:
                layer[-1].weight.mul_(factor)
                layer[-1].bias.sub_(middle).mul_(factor)
        logits = yolo.model(photo)[1]["scores"]
        for layer in head.cv3:
            layer[-1].bias.add_(np.log(SCORE / (1 - SCORE)) - logits.quantile(0.96))
    for norm in norms:
        norm.momentum = 0.03
    yolo.model.args, yolo.model.task = {}, "pose"
    path = Path(mkdtemp()) / f"{name}.pt"
    yolo.save(str(path))
    return path
