"""Models of the GPU profile through Beam, beside a bare loop, beside what the device can do at most.

    python -m benchmarks.gpu [--device cuda] [--precision bf16] [--batches 40] [--models vit-kprpe ...]

One command on a bare machine with the extra `torch` (and `ultralytics` for YOLO): weights are generated, so nothing is
fetched, and the figures do not depend on their values. For each model, examples a second of

- the network alone: one batch after another, from host memory and back;
- a loop in as many threads as there are cores: encode, run, decode, nothing else;
- the product's steps in a Beam pipeline on the local runner, in as many threads.

Start-up is taken out of loop and pipeline by running two sizes, in turns. Beside them stands the network's share of the
rate at which the device multiplies large matrices in that precision. `--device cpu` runs the same on a CPU.
"""

import argparse
import logging
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import apache_beam as beam
import cv2
import numpy as np
from apache_beam.runners.portability.fn_api_runner import FnApiRunner

from beam_pipelines.runners.options import local_options
from benchmarks.generated import with_weights
from benchmarks.results import report
from model_handlers.frameworks.devices import is_gpu
from model_handlers.interface import Request, parts
from model_handlers.models import catalogue
from model_handlers.models.catalogue import Entry
from model_handlers.models.codecs import codec
from model_handlers.models.examples import example
from model_handlers.models.handlers import Placement, handler
from transforms.flow.items import Item
from transforms.flow.steps import AskModel, Question, enter

MODELS = ("yolov8n-pose", "retinaface-resnet50", "vit-kprpe")
CORES = os.cpu_count() or 1
ROUNDS = 3
SIDE = 640  # of the images, as webbody stores them; embeddings see crops of 160
_MATRIX = 8192
_MULTIPLICATIONS = 20


def arguments_of(task: str) -> list[tuple[Any, ...]]:
    """Different examples for the codec of a task: the built-in one, enlarged and moved."""
    pixels, *others = example(task)
    side = SIDE if task != "embedding" else 160
    scale = side / pixels.shape[0]
    image = cv2.resize(pixels, (side, side))
    more = [one if one is None else np.asarray(one * scale, np.float32) for one in others]
    return [(np.roll(image, 7 * n, axis=1), *more) for n in range(16)]


def network_rate(entry: Entry, placement: Placement, batches: int) -> tuple[float, float]:
    """Examples a second of the network alone, and the floating point operations of one example."""
    runs = handler(entry, placement)
    network = runs.load_model()
    size = runs.batch_elements_kwargs()["max_batch_size"]
    given, _ = codec(entry).encode(*arguments_of(entry.task)[0])
    batch = [np.stack([part] * size) for part in parts(given)]
    network.run(*batch)
    rates = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(batches):
            network.run(*batch)
        rates.append(batches * size / (time.perf_counter() - start))
    return median(rates), _operations(network, batch) / size


def _operations(network: Any, batch: Sequence[Any]) -> float:
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        network.run(*batch)
    return float(counter.get_total_flops())


def run_loop(entry: Entry, placement: Placement, examples: int) -> None:
    """Encode, run and decode in threads, each with its own share of the batches."""
    runs, reads = handler(entry, placement), codec(entry)
    network = runs.load_model()
    size = runs.batch_elements_kwargs()["max_batch_size"]
    given = arguments_of(entry.task)

    def batch(start: int) -> None:
        encoded = [reads.encode(*given[n % len(given)]) for n in range(start, min(start + size, examples))]
        answers = runs.run_inference([Request((one,), context) for one, context in encoded], network)
        for answer in answers:
            reads.decode(answer.outputs[0], answer.carry)

    with ThreadPoolExecutor(CORES) as pool:
        list(pool.map(batch, range(0, examples, size)))


def run_pipeline(entry: Entry, placement: Placement, examples: int) -> None:
    """The product's steps in a pipeline of Beam's local runner."""
    given = arguments_of(entry.task)
    runs = handler(entry, placement)
    question = Question(codec(entry), lambda n: [given[n % len(given)]], lambda n, results: n)
    size = runs.batch_elements_kwargs()["max_batch_size"]
    chunks = [range(start, min(start + size, examples)) for start in range(0, examples, size)]
    options = local_options(["--direct_running_mode=multi_threading"])
    with beam.Pipeline(runner=FnApiRunner(), options=options) as job:
        items = job | "Chunks" >> beam.Create(chunks) | "Items" >> beam.FlatMap(_items)
        _ = items | "Enter" >> enter() | "Ask" >> AskModel(runs, question)


def _items(numbers: range) -> list[Item[int]]:
    return [Item("c", (n,), Fraction(1), n) for n in numbers]


def rate(work: Callable[[int], None], few: int, many: int) -> float:
    """Examples a second of those that the larger run has more."""
    taken = []
    for examples in (few, many):
        start = time.perf_counter()
        work(examples)
        taken.append(time.perf_counter() - start)
    return (many - few) / (taken[1] - taken[0])


def matrix_rate(placement: Placement) -> float:
    """Floating point operations a second of the device, multiplying two large matrices in the precision."""
    import torch

    device = "cuda" if is_gpu(placement.device) else "cpu"
    kind = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}[placement.precision]
    size, times = (_MATRIX, _MULTIPLICATIONS) if device == "cuda" else (1024, 5)
    left, right = (torch.randn(size, size, device=device, dtype=kind) for _ in range(2))
    wait = torch.cuda.synchronize if device == "cuda" else lambda: None
    rates = []
    for _ in range(ROUNDS):
        left @ right
        wait()
        start = time.perf_counter()
        for _ in range(times):
            left @ right
        wait()
        rates.append(2 * size**3 * times / (time.perf_counter() - start))
    return max(rates)


def measured(entry: Entry, placement: Placement, batches: int, peak: float) -> list[str | float]:
    """A row of the table."""
    kept = handler(entry, placement).load_model()  # so that no run has to load it
    alone, operations = network_rate(entry, placement, batches)
    size = handler(entry, placement).batch_elements_kwargs()["max_batch_size"]
    few, many = size * CORES, size * CORES * max(batches // CORES, 2)
    works = [partial(work, entry, placement) for work in (run_loop, run_pipeline)]
    rounds = [[rate(work, few, many) for work in works] for _ in range(ROUNDS)]
    loop, job = (median(column) for column in zip(*rounds, strict=True))
    share = median(job / loop for loop, job in rounds)
    del kept
    return [entry.name, float(size), alone, loop, job, share, operations / 1e9, alone * operations / peak]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--precision", choices=("fp32", "fp16", "bf16"), default="bf16")
    parser.add_argument("--batches", type=int, default=40, help="of the large run")
    parser.add_argument("--models", nargs="+", default=MODELS, metavar="MODEL")
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    cv2.setNumThreads(1)
    precision = arguments.precision if is_gpu(arguments.device) else "fp32"
    placement = Placement(arguments.device, precision)
    known = catalogue.load()
    peak = matrix_rate(placement)
    with tempfile.TemporaryDirectory() as folder:
        entries = [with_weights(known.get(name), Path(folder)) for name in arguments.models]
        rows = [measured(entry, placement, arguments.batches, peak) for entry in entries]
    columns = ["", "batch", "network/s", "loop/s", "pipeline/s", "pipeline of loop", "GFLOP", "of the matrix rate"]
    heading = f"{_name(arguments.device)}, {precision}, {CORES} threads; {peak / 1e12:,.1f} TFLOP/s in large matrices"
    report(f"gpu-{arguments.device.partition(':')[0]}", heading, columns, rows)


def _name(device: str) -> str:
    if not is_gpu(device):
        return "CPU"
    import torch

    return str(torch.cuda.get_device_name(torch.device(device)))


if __name__ == "__main__":
    main()
