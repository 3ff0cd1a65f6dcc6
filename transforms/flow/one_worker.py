"""Table stages whose work is one call on one worker."""

from collections.abc import Callable
from functools import partial
from typing import Any

import apache_beam as beam

from transforms.flow.stages import Transform


class _Call(beam.PTransform):
    def __init__(self, run: str, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        super().__init__()
        self._run, self._function, self._arguments = run, function, arguments

    def expand(self, begin: beam.pvalue.PBegin) -> beam.PCollection:
        """One element does it all."""
        return begin | "Run" >> beam.Create([self._run]) | "Call" >> beam.Map(self._function, *self._arguments)


def on_one_worker(function: Callable[..., Any], *arguments: Any) -> Transform:
    """The transform of a stage that calls `function(run, *arguments)` once; the result is what that returns."""
    return partial(_Call, function=function, arguments=arguments)
