"""The inference job of webbody against a bare loop over the same models.

    python -m benchmarks.inference [--images 60] [--rounds 3]

The job is the product's: chunks of the table `images` through bodies, faces and embeddings on the local runner, a
thread for each core, with all commits. The loop does the same work in as many threads, without Beam, tables or ledger.
Start-up is taken out of both by running two sizes; they run in turns.
"""

import argparse
import logging
import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from statistics import median
from typing import Any

import cv2
import numpy as np

from beam_pipelines import config as configuration
from beam_pipelines.demos.photographs import photographs
from beam_pipelines.driver.pipelines import row_pipeline
from beam_pipelines.driver.work import Work
from beam_pipelines.runners.execute import Running
from beam_pipelines.runners.options import local_options
from benchmarks.results import report
from model_handlers.geometry import cut_out, transform, transform_mesh, warp
from model_handlers.interface import Request
from model_handlers.models import catalogue
from model_handlers.models.roles import KnownModels, Models
from transforms.flow.chunks import Chunk
from transforms.flow.stages import RowStage
from transforms.images.pixels import open_image, to_jpeg
from transforms.images.settings import AcceptSettings, StoreSettings
from transforms.images.store import store_image
from transforms.tables.attempt import begin_attempt
from transforms.tables.rows import Image
from transforms.tables.schemas import arrow_schema
from transforms.tables.shards import shard_path, to_table, write_shard
from transforms.vision import alignment, crops, pose, quality
from transforms.vision.settings import BodySettings, EmbeddingSettings, FaceSettings

MODELS = {
    "person": "nanodet",
    "keypoints": "movenet-thunder",
    "face": "centerface",
    "mesh": "facemesh",
    "embedding": EmbeddingSettings().model,
}
BODIES, FACES = BodySettings(), FaceSettings()
CORES = os.cpu_count() or 1
CHUNK = 5  # images a chunk


def stored_photographs() -> list[bytes]:
    """The demo's photographs as the download stage stores them."""
    store = StoreSettings(mode="keep_ratio_largest", only_if_bigger=True)
    return [store_image(page.body, AcceptSettings(), store).file for _, page in photographs()]


def run_job(files: list[bytes]) -> None:
    """The product's job on these files."""
    with tempfile.TemporaryDirectory() as run:
        run_job_in(run, files)


def run_job_in(run: str, files: list[bytes]) -> None:
    """The same, in a folder that stays."""
    chunks = []
    for start in range(0, len(files), CHUNK):
        part = enumerate(files[start : start + CHUNK], start)
        rows = [Image(f"i{n}", "", None, "{}", data, 0, 0, 0, 0, len(data), "jpeg", "") for n, data in part]
        write_shard(shard_path(run, "images", f"{start:06d}"), to_table(rows, arrow_schema(Image)))
        chunks.append(Chunk(f"{start:06d}", "images"))
    recipe, settings = configuration.load("webbody")
    by_name = {stage.name: stage for stage in recipe.stages_of(settings)}
    stages = tuple(s for name in ("bodies", "faces", "embeddings") if isinstance(s := by_name[name], RowStage))
    work = Work(stages, tuple(chunks))
    build = partial(row_pipeline, run=run, work=work, attempt=begin_attempt(run))
    running = Running(build, local_options())
    running.start()
    running.join()
    running.outcome()


class Loop:
    """The same work, written down as straight as it can be."""

    def __init__(self, models: Models) -> None:
        self.codecs = {role: models.codec(role) for role in models.entries}
        self.handlers = {role: models.handler(role) for role in models.entries}
        self.networks = {role: one.load_model() for role, one in self.handlers.items()}

    def ask(self, role: str, *arguments: Any) -> Any:
        """One example through one model."""
        example, context = self.codecs[role].encode(*arguments)
        (answer,) = self.handlers[role].run_inference([Request((example,), None)], self.networks[role])
        return self.codecs[role].decode(answer.outputs[0], context)

    def image(self, data: bytes) -> None:
        """One image."""
        pixels = open_image(data)
        found = self.ask("person", pixels)
        for box in found.boxes[found.scores >= BODIES.min_score][: BODIES.max_bodies]:
            keypoints = self.ask("keypoints", pixels, box)
            x1, y1, x2, y2 = (int(v) for v in crops.padded_box(box, BODIES.padding, pixels.shape[1], pixels.shape[0]))
            self.face(to_jpeg(cut_out(pixels, x1, y1, x2, y2), BODIES.jpeg_quality), keypoints - (x1, y1, 0))

    def face(self, jpeg: bytes, keypoints: Any) -> None:
        """The face of one body."""
        body = open_image(jpeg)
        options = FACES.model_dump(include={"min_visibility", "extend_side", "extend_up", "extend_down"})
        x1, y1, x2, y2 = (int(v) for v in crops.upper_body_box(keypoints, body.shape[1], body.shape[0], **options))
        found = self.ask("face", cut_out(body, x1, y1, x2, y2))
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


def run_loop(loop: Loop, files: list[bytes]) -> None:
    """The bare loop, in a thread for each core."""
    with ThreadPoolExecutor(CORES) as pool:
        list(pool.map(loop.image, files))


def seconds(work: Callable[[], None]) -> tuple[float, float]:
    """Wall and CPU seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def marginal(work: Callable[[list[bytes]], None], few: list[bytes], many: list[bytes]) -> tuple[float, float]:
    """Wall and CPU milliseconds for each image that the second list has more."""
    first, second = seconds(lambda: work(few)), seconds(lambda: work(many))
    wall, cpu = (1000 * (b - a) / (len(many) - len(few)) for a, b in zip(first, second, strict=True))
    return wall, cpu


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=80, help="of the small run; the large has three times as many")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    cv2.setNumThreads(1)
    known = KnownModels(catalogue.load())
    loop = Loop(known.of({"face": FACES.detector_side}, **MODELS))
    photos = stored_photographs()
    # in random order: the runner gives each worker its share beforehand, and pictures differ tenfold in people
    many = [photos[i] for i in np.random.default_rng(0).integers(0, len(photos), 3 * arguments.images)]
    few = many[: arguments.images]
    rounds = []
    for number in range(arguments.rounds):
        job, bare = marginal(run_job, few, many), marginal(partial(run_loop, loop), few, many)
        rounds.append([f"round {number + 1}", job[0], bare[0], bare[0] / job[0], job[1], bare[1]])
    rounds.append(["median", *(median(float(row[i]) for row in rounds) for i in range(1, 6))])
    columns = ["", "job ms/image", "loop ms/image", "job's images/s of the loop's", "job CPU ms", "loop CPU ms"]
    report("inference", f"inference, {CORES} threads, {len(photos)} photographs repeated", columns, rounds)


if __name__ == "__main__":
    main()
