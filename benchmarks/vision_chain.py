"""Bodies, faces and embeddings as one Beam job against a plain loop over the same models and functions.

    python benchmarks/vision_chain.py FOLDER_OF_JPEGS [--repeat 3] [--rounds 3]

Prints CPU milliseconds an image of both, taken in turns, and their ratio. The pipeline's start-up is left out: its cost
an image is that of the images `repeat` times more.
"""

import argparse
import logging
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import apache_beam as beam
import cv2
import numpy as np
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from model_handlers import catalogue
from model_handlers.geometry import cut, transform, transform_mesh, warp
from model_handlers.handlers import codec, handler
from model_handlers.interface import Request
from transforms.tables.flow import Item, expand
from transforms.tables.schemas import Image
from transforms.vision import alignment, crops, pose, quality
from transforms.vision.bodies import FindBodies
from transforms.vision.embeddings import EmbedFaces
from transforms.vision.faces import FindFaces
from transforms.vision.pixels import open_image, to_jpeg
from transforms.vision.settings import BodySettings, EmbeddingSettings, FaceSettings

MODELS = {
    "person": "nanodet",
    "keypoints": "movenet-thunder",
    "face": "centerface",
    "mesh": "facemesh",
    "embedding": "dlib-resnet",
}
BODIES, FACES, EMBEDDINGS = BodySettings(), FaceSettings(), EmbeddingSettings()


def pipeline(paths: list[Path], entries: dict[str, Any]) -> None:
    """The three stages as one fused job."""
    share = Fraction(1, len(paths))
    with beam.Pipeline(runner=FnApiRunner()) as job:
        numbered = job | beam.Create([(i, str(path)) for i, path in enumerate(paths)], reshuffle=False)
        outcomes = numbered | "read" >> beam.Map(read, share) | "bodies" >> FindBodies(BODIES, entries)
        outcomes = outcomes | "to faces" >> beam.FlatMap(expand).with_input_types(Any)
        outcomes = outcomes | "faces" >> FindFaces(FACES, entries)
        outcomes = outcomes | "to embeddings" >> beam.FlatMap(expand).with_input_types(Any)
        _ = outcomes | "embeddings" >> EmbedFaces(EMBEDDINGS, entries)


def read(numbered: tuple[int, str], share: Fraction) -> Any:
    """The item of one file."""
    number, path = numbered
    data = Path(path).read_bytes()
    return Item("0", (number,), share, Image(f"{number}", "", None, "{}", data, 0, 0, 0, 0, len(data), "jpeg", ""))


class Loop:
    """The same work, written down as straight as it can be."""

    def __init__(self, entries: dict[str, Any]) -> None:
        self.codecs = {role: codec(entry) for role, entry in entries.items()}
        self.codecs["face"] = codec(entries["face"], FACES.detector_side)
        self.handlers = {role: handler(entry) for role, entry in entries.items()}
        self.sessions = {role: one.load_model() for role, one in self.handlers.items()}
        self.model_seconds = 0.0

    def ask(self, role: str, *arguments: Any) -> Any:
        """One example through one model."""
        example, context = self.codecs[role].encode(*arguments)
        start = time.process_time()
        (answer,) = self.handlers[role].run_inference([Request((example,), None)], self.sessions[role])
        self.model_seconds += time.process_time() - start
        return self.codecs[role].decode(answer.outputs[0], context)

    def image(self, data: bytes) -> None:
        """One image."""
        pixels = open_image(data)
        found = self.ask("person", pixels)
        for box in found.boxes[found.scores >= BODIES.min_score][: BODIES.max_bodies]:
            keypoints = self.ask("keypoints", pixels, box)
            x1, y1, x2, y2 = (int(v) for v in crops.padded_box(box, BODIES.padding, pixels.shape[1], pixels.shape[0]))
            self.face(to_jpeg(cut(pixels, x1, y1, x2, y2), BODIES.jpeg_quality), keypoints - (x1, y1, 0))

    def face(self, jpeg: bytes, keypoints: Any) -> None:
        """The face of one body."""
        body = open_image(jpeg)
        options = FACES.model_dump(include={"min_visibility", "extend_side", "extend_up", "extend_down"})
        x1, y1, x2, y2 = (int(v) for v in crops.upper_body_box(keypoints, body.shape[1], body.shape[0], **options))
        found = self.ask("face", cut(body, x1, y1, x2, y2))
        if not found.scores.size or found.scores[0] < FACES.min_score:
            return
        landmarks = found.landmarks[0] + np.array([x1, y1], np.float32)
        mesh, _ = self.ask("mesh", body, landmarks)
        mesh, _ = self.ask("mesh", body, alignment.mesh_landmarks(mesh))
        side = alignment.crop_side(found.boxes[0], FACES.side_per_box, FACES.max_side)
        matrix = alignment.alignment(landmarks, side, FACES.context)
        crop = warp(body, matrix, side)
        pose.pose_of_mesh(mesh)
        quality.sharpness(crop)
        stored = open_image(to_jpeg(crop, FACES.jpeg_quality))
        self.ask("embedding", stored, transform(matrix, landmarks), transform_mesh(matrix, mesh))


def seconds(work: Callable[[], None]) -> float:
    """The CPU time it takes; the wall clock of a shared machine says little."""
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    cv2.setNumThreads(1)
    known = catalogue.load()
    entries = {role: known.get(name) for role, name in MODELS.items()}
    once = sorted(arguments.folder.glob("*.jpg"))
    many, extra = once * (arguments.repeat + 1), len(once) * arguments.repeat
    loop = Loop(entries)
    for _ in range(arguments.rounds):
        beam_ms = 1000 * (seconds(lambda: pipeline(many, entries)) - seconds(lambda: pipeline(once, entries))) / extra
        loop.model_seconds = 0.0
        loop_ms = 1000 * seconds(lambda: [loop.image(path.read_bytes()) for path in many] and None) / len(many)
        model_ms = 1000 * loop.model_seconds / len(many)
        print(
            f"beam {beam_ms:.1f} ms an image, loop {loop_ms:.1f} ms (models {model_ms:.1f}), "
            f"throughput {loop_ms / beam_ms:.2f} of the loop's",
            flush=True,
        )


if __name__ == "__main__":
    main()
