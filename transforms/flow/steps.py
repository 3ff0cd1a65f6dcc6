"""A stage's steps: each does its part for one item at a time, and an item that fails only travels on.

Between `enter` and `leave` the element is a Visit: an item and what the stage has made of it so far. Whatever a step
raises ends that item alone: Rejected with its own reason, MemoryError as `out_of_memory`, all else as `internal_error`;
a full disk only ends the job.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any

import apache_beam as beam
import numpy as np
from apache_beam.ml.inference.base import ModelHandler, RunInference

from model_handlers.interface import Answer, Codec, Detections, Objects, Plates, Request
from model_handlers.models.roles import Models
from transforms.disk import is_full
from transforms.flow.items import Item, Outcome, kept, passed, rejected
from transforms.settings import InferenceSettings
from transforms.tables.reasons import Rejected
from transforms.tables.schemas import key_name

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Visit:
    """An item half way through a stage; `made` is what the steps made of its row, `ended` why they stopped."""

    item: Item[Any]
    made: Any
    ended: Rejected | None = None

    @property
    def goes_on(self) -> bool:
        """Whether there is anything to do for it."""
        return self.ended is None and self.item.row is not None


def start(item: Item[Any]) -> Visit:
    """The item as it enters a stage; nothing is made of it yet but its row."""
    return Visit(item, item.row)


def enter() -> beam.PTransform:
    """Items into Visits, as a transform."""
    return beam.Map(start).with_input_types(Any)  # Beam takes Item[Any] for another type than Item


def finish(visit: Visit, item_id: Callable[[Any], str]) -> Outcome[Any]:
    """The item as it leaves a stage: `made` is then a tuple of rows."""
    if visit.item.row is None:
        return passed(visit.item)
    if visit.ended is not None:
        return rejected(visit.item, item_id(visit.item.row), visit.ended)
    return kept(visit.item, item_id(visit.item.row), visit.made)


def leave(row_in: type[Any]) -> beam.PTransform:
    """Visits into Outcomes, as a transform; the key of `row_in`, the type of what entered, is the item's id."""
    return beam.Map(finish, attrgetter(key_name(row_in))).with_output_types(Any)


def apply(visit: Visit, step: Callable[[Any], Any]) -> Visit:
    """The visit after one step."""
    if not visit.goes_on:
        return visit
    try:
        return replace(visit, made=step(visit.made))
    except Rejected as why:
        return _end(visit, why)
    except Exception as error:
        return _end(visit, _defect(error))


def step(function: Callable[[Any], Any]) -> beam.PTransform:
    """A step as a transform of Visits; `function` takes what is made so far and gives what is made now."""
    return beam.Map(apply, function)


@dataclass(frozen=True, slots=True)
class Question:
    """How a step asks its model: the codec's arguments, one tuple an example, and what to do with the results.

    `arguments(made) -> list of tuples for codec.encode`; `use(made, results) -> made`, results in the same order.
    """

    codec: Codec
    arguments: Callable[[Any], list[tuple[Any, ...]]]
    use: Callable[[Any, list[Any]], Any]


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    visit: Visit
    contexts: tuple[Any, ...]


def to_request(visit: Visit, question: Question) -> Request:
    """The model's inputs for the visit; none when it has ended or ends here."""
    if visit.goes_on:
        try:
            encoded = [question.codec.encode(*arguments) for arguments in question.arguments(visit.made)]
            return Request(tuple(one for one, _ in encoded), _Asked(visit, tuple(context for _, context in encoded)))
        except Rejected as why:
            visit = _end(visit, why)
        except Exception as error:
            visit = _end(visit, _defect(error))
    return Request((), _Asked(visit, ()))


def from_answer(answer: Answer, question: Question) -> Visit:
    """The visit after its model answered."""
    asked: _Asked = answer.carry
    if answer.error is not None and asked.visit.goes_on:
        return _end(asked.visit, Rejected("out_of_memory" if answer.out_of_memory else "model_error", answer.error))
    return apply(asked.visit, lambda made: question.use(made, _results(answer, asked, question.codec)))


def _results(answer: Answer, asked: _Asked, codec: Codec) -> list[Any]:
    pairs = zip(answer.outputs, asked.contexts, strict=True)
    return [_finite(codec.decode(outputs, context)) for outputs, context in pairs]


def _finite(result: Any) -> Any:
    """The result itself; Rejected `model_error` for boxes or scores that are no numbers.

    Compared with a threshold they would look like nothing found.
    """
    found = isinstance(result, Detections | Objects | Plates)
    if found and not (np.isfinite(result.boxes).all() and np.isfinite(result.scores).all()):
        raise Rejected("model_error", "the detector gave a box or a score that is no finite number")
    return result


class AskModel(beam.PTransform):
    """Visit -> Visit through one model; the model sees batches, but a failure stays with its item."""

    def __init__(self, handler: ModelHandler[Request, Answer, Any], question: Question) -> None:
        super().__init__()
        self._handler, self._question = handler, question

    def expand(self, visits: beam.PCollection) -> beam.PCollection:
        """Encode, infer, decode."""
        return (
            visits
            | "Encode" >> beam.Map(to_request, self._question)
            | "Infer" >> RunInference(self._handler)
            | "Read" >> beam.Map(from_answer, self._question)
        )


def ask(
    models: Models,
    role: str,
    inference: InferenceSettings,
    arguments: Callable[[Any], list[tuple[Any, ...]]],
    use: Callable[[Any, list[Any]], Any],
) -> AskModel:
    """A step that asks the model of a role; `arguments` and `use` as of a Question."""
    runs = models.handler(role, batch_size=inference.batch_size, threads=inference.threads)
    return AskModel(runs, Question(models.codec(role), arguments, use))


def _end(visit: Visit, why: Rejected) -> Visit:
    return replace(visit, made=None, ended=why)


def _defect(error: Exception) -> Rejected:
    """The reason for an error that no rule foresaw; a full disk is no item's, and raised again."""
    if is_full(error):
        raise error
    if isinstance(error, MemoryError):
        return Rejected("out_of_memory", str(error))
    _LOG.error("a step of a stage failed", exc_info=error)
    return Rejected("internal_error", f"{type(error).__name__}: {' '.join(str(error).split())}")
