"""What a model costs on this machine: time and memory for one example of its task."""

import os
import statistics
import time
from dataclasses import dataclass

from model_handlers.frameworks.loading import framework_module, is_installed
from model_handlers.interface import Request, parts
from model_handlers.models.catalogue import Entry
from model_handlers.models.examples import example_input
from model_handlers.models.handlers import Placement, handler
from model_handlers.models.loaded import load_model
from model_handlers.models.trial import try_model

_TIMES = 5  # after one that warms up


@dataclass(frozen=True, slots=True)
class Measured:
    """One example through a model: shapes without the batch axis, the median of five in milliseconds, bytes of memory.

    The time is that of the framework alone, on one thread, one example at a time. The memory is what the process grew
    by while the model was loaded and ran, or what the framework holds of a GPU.
    """

    given: tuple[tuple[int, ...], ...]
    outputs: tuple[tuple[int, ...], ...]
    milliseconds: float
    memory: int


def measure(entry: Entry, placement: Placement = Placement()) -> Measured:
    """Try the model and time it; ModelError if it does not fit its entry, or the device is not there."""
    handler(entry, placement)  # imports Beam, whose memory is not the model's; nor is the framework's own
    if is_installed(entry.framework):
        framework_module(entry.framework)
    before = _resident()
    model = load_model(entry, placement)
    try_model(entry, placement)
    given = example_input(entry)
    request = Request((given,), None)
    (answer,) = model.handler.run_inference([request], model.network)
    seconds = []
    for _ in range(_TIMES):
        start = time.perf_counter()
        list(model.handler.run_inference([request], model.network))
        seconds.append(time.perf_counter() - start)
    return Measured(
        tuple(part.shape for part in parts(given)),
        tuple(output.shape for outputs in answer.outputs for output in outputs),
        1000 * statistics.median(seconds),
        model.network.memory() or max(0, _resident() - before),
    )


def _resident() -> int:
    """Bytes of memory that the process has."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
