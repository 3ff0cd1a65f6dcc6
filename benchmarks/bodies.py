"""How many people of labelled photographs a detector of persons and a keypoint model find, and what it costs.

    MANYFACES_TEST_DATA=FOLDER python -m benchmarks.bodies [LABELS] [--person nanodet] [--keypoints movenet-thunder]

LABELS, or keypoints/coco/test_coco.json in FOLDER, is a file of COCO's `person_keypoints`; the images lie beside it.
The score threshold and the number of people are those of configs/webbody.yaml. A person is found when a box has an
intersection over union of 0.5 with theirs, and then by their keypoints when the object keypoint similarity is 0.5
(COCO's evaluation, pycocotools, 2014). A box that is nobody's is false.
"""

import argparse
import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.results import report
from model_handlers.interface import Array, Pixels, Request
from model_handlers.models import catalogue
from model_handlers.models.roles import KnownModels, Models
from transforms.images.pixels import open_image
from transforms.vision.settings import BodySettings

# COCO's spread of each keypoint's labels, in square roots of the person's area
SPREAD = np.array([26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89]) / 1000
FOUND = 0.5

Person = dict[str, Any]  # an annotation as COCO has it


@dataclass(slots=True)
class Count:
    """What was found so far; seconds are of CPU, the detector's."""

    people: int = 0
    labelled: int = 0  # people with keypoints
    boxes: int = 0
    keypoints: int = 0
    false: int = 0
    seconds: list[float] = field(default_factory=list)


class Detector:
    """The two models, one example at a time in one thread."""

    def __init__(self, models: Models) -> None:
        self._codecs = {role: models.codec(role) for role in models.entries}
        self._handlers = {role: models.handler(role, batch_size=1, threads=1) for role in models.entries}
        self._networks = {role: one.load_model() for role, one in self._handlers.items()}

    def ask(self, role: str, *arguments: Any) -> Any:
        """One example through one model."""
        example, context = self._codecs[role].encode(*arguments)
        (answer,) = self._handlers[role].run_inference([Request((example,), None)], self._networks[role])
        return self._codecs[role].decode(answer.outputs[0], context)


def similarity(found: Array, person: Person) -> float:
    """The object keypoint similarity of keypoints (17,3) with a label."""
    truth = np.array(person["keypoints"], dtype=np.float64).reshape(17, 3)
    seen = truth[:, 2] > 0
    squares = ((found[:, :2] - truth[:, :2]) ** 2).sum(axis=1) / (2 * SPREAD) ** 2 / (2 * person["area"])
    return float(np.exp(-squares)[seen].mean())


def _overlaps(first: Array, second: Array) -> Array:
    """(N,M): intersection over union of boxes (N,4) with boxes (M,4)."""
    corner1 = np.maximum(first[:, None, :2], second[None, :, :2])
    corner2 = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = np.prod(np.maximum(corner2 - corner1, 0), axis=2)
    areas = [np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (first, second)]
    return np.asarray(shared / (areas[0][:, None] + areas[1][None] - shared))


def look(
    detector: Detector, pixels: Pixels, people: list[dict[str, Any]], count: Count, settings: BodySettings
) -> None:
    """Count one image."""
    start = time.process_time()
    found = detector.ask("person", pixels)
    count.seconds.append(time.process_time() - start)
    boxes = found.boxes[found.scores >= settings.min_score][: settings.max_bodies]
    truth = np.array([person["bbox"] for person in people], dtype=np.float64).reshape(-1, 4)
    truth[:, 2:] += truth[:, :2]
    left = list(range(len(people)))
    count.people += len(people)
    count.labelled += sum(person["num_keypoints"] > 0 for person in people)
    for box, shared in zip(boxes, _overlaps(boxes, truth), strict=True):
        best = max(left, key=lambda n: shared[n], default=None)
        if best is None or shared[best] < FOUND:
            count.false += 1
            continue
        left.remove(best)
        count.boxes += 1
        if people[best]["num_keypoints"]:
            keypoints = detector.ask("keypoints", pixels, box)
            count.keypoints += similarity(keypoints, people[best]) >= FOUND


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    data = Path(os.environ.get("MANYFACES_TEST_DATA", ""))
    parser.add_argument("labels", type=Path, nargs="?", default=data / "keypoints/coco/test_coco.json")
    parser.add_argument("--person", default=BodySettings().person_model)
    parser.add_argument("--keypoints", default=BodySettings().keypoint_model)
    parser.add_argument("--min-score", type=float, default=BodySettings().min_score)
    given = parser.parse_args()
    detector = Detector(KnownModels(catalogue.load()).of(person=given.person, keypoints=given.keypoints))
    labels, count = json.loads(given.labels.read_text()), Count()
    settings = BodySettings(min_score=given.min_score)
    for image in labels["images"]:
        people = [one for one in labels["annotations"] if one["image_id"] == image["id"] and not one["iscrowd"]]
        look(detector, open_image((given.labels.parent / image["file_name"]).read_bytes()), people, count, settings)
    report(
        "bodies",
        f"people found by {given.person} at {given.min_score} and {given.keypoints}",
        ["images", "found", "found by keypoints", "false", "CPU ms an image"],
        [
            [
                str(len(labels["images"])),
                f"{count.boxes} of {count.people}",
                f"{count.keypoints} of {count.labelled}",
                str(count.false),
                1000 * float(np.median(count.seconds)),
            ]
        ],
    )


if __name__ == "__main__":
    main()
