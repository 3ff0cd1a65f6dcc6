"""What a model costs on this machine: the time for one example of its task."""

import statistics
import time
from dataclasses import dataclass

from model_handlers.interface import Request
from model_handlers.models.catalogue import Entry
from model_handlers.models.loaded import load_model
from model_handlers.models.trial import example, try_model

_TIMES = 5  # after one that warms up


@dataclass(frozen=True, slots=True)
class Measured:
    """One example through a model: shapes without the batch axis, and the median of five, milliseconds.

    The time is that of the framework alone, on one thread, one example at a time.
    """

    given: tuple[int, ...]
    outputs: tuple[tuple[int, ...], ...]
    milliseconds: float


def measure(entry: Entry, device: str = "cpu") -> Measured:
    """Try the model and time it; ModelError if it does not fit its entry, or the device is not there."""
    try_model(entry, device)
    model = load_model(entry, device)
    given, _ = model.codec.encode(*example(entry.task))
    request = Request((given,), None)
    (answer,) = model.handler.run_inference([request], model.session)
    seconds = []
    for _ in range(_TIMES):
        start = time.perf_counter()
        list(model.handler.run_inference([request], model.session))
        seconds.append(time.perf_counter() - start)
    shapes = tuple(output.shape for outputs in answer.outputs for output in outputs)
    return Measured(given.shape, shapes, 1000 * statistics.median(seconds))
