"""A stage's steps: each does its part for one item at a time, and an item that fails only travels on.

Between `enter` and `leave` the element is Work: an item and what the stage has made of it so far. Whatever a step
raises ends that item alone: Rejected with its own reason, MemoryError as `out_of_memory`, all else as `internal_error`;
a full disk only ends the job.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import apache_beam as beam
from apache_beam.ml.inference.base import ModelHandler, RunInference

from model_handlers.interface import Answer, Codec, Request
from transforms.disk import is_full
from transforms.tables.flow import Item, Outcome, kept, passed, rejected
from transforms.tables.reasons import Rejected

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """An item half way through a stage; `made` is what the steps made of its row, `ended` why they stopped."""

    item: Item[Any]
    made: Any
    ended: Rejected | None = None

    @property
    def goes_on(self) -> bool:
        """Whether there is anything to do for it."""
        return self.ended is None and self.item.row is not None


def start(item: Item[Any]) -> Work:
    """The item as it enters a stage; nothing is made of it yet but its row."""
    return Work(item, item.row)


def enter() -> beam.PTransform:
    """Items into Work, as a transform."""
    return beam.Map(start).with_input_types(Any)  # Beam takes Item[Any] for another type than Item


def finish(work: Work, item_id: Callable[[Any], str]) -> Outcome[Any]:
    """The item as it leaves a stage: `made` is then a tuple of rows."""
    if work.item.row is None:
        return passed(work.item)
    if work.ended is not None:
        return rejected(work.item, item_id(work.item.row), work.ended)
    return kept(work.item, item_id(work.item.row), work.made)


def leave(item_id: Callable[[Any], str]) -> beam.PTransform:
    """Work into Outcomes, as a transform; `item_id` gives the id of the row that entered."""
    return beam.Map(finish, item_id).with_output_types(Any)


def apply(work: Work, step: Callable[[Any], Any]) -> Work:
    """The work after one step."""
    if not work.goes_on:
        return work
    try:
        return replace(work, made=step(work.made))
    except Rejected as why:
        return _end(work, why)
    except Exception as error:
        return _end(work, _defect(error))


def step(function: Callable[[Any], Any]) -> beam.PTransform:
    """A step as a transform of Work; `function` takes what is made so far and gives what is made now."""
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
    work: Work
    contexts: tuple[Any, ...]


def to_request(work: Work, question: Question) -> Request:
    """The model's inputs for the work; none when it has ended or ends here."""
    if work.goes_on:
        try:
            encoded = [question.codec.encode(*arguments) for arguments in question.arguments(work.made)]
            return Request(tuple(one for one, _ in encoded), _Asked(work, tuple(context for _, context in encoded)))
        except Rejected as why:
            work = _end(work, why)
        except Exception as error:
            work = _end(work, _defect(error))
    return Request((), _Asked(work, ()))


def from_answer(answer: Answer, question: Question) -> Work:
    """The work after its model answered."""
    asked: _Asked = answer.carry
    if answer.error is not None and asked.work.goes_on:
        return _end(asked.work, Rejected("out_of_memory" if answer.out_of_memory else "model_error", answer.error))
    return apply(asked.work, lambda made: question.use(made, _results(answer, asked, question.codec)))


def _results(answer: Answer, asked: _Asked, codec: Codec) -> list[Any]:
    return [codec.decode(outputs, context) for outputs, context in zip(answer.outputs, asked.contexts, strict=True)]


class AskModel(beam.PTransform):
    """Work -> Work through one model; the model sees batches, but a failure stays with its item."""

    def __init__(self, handler: ModelHandler[Request, Answer, Any], question: Question) -> None:
        super().__init__()
        self._handler, self._question = handler, question

    def expand(self, works: beam.PCollection) -> beam.PCollection:
        """Encode, infer, decode."""
        return (
            works
            | "Encode" >> beam.Map(to_request, self._question)
            | "Infer" >> RunInference(self._handler)
            | "Read" >> beam.Map(from_answer, self._question)
        )


def _end(work: Work, why: Rejected) -> Work:
    return replace(work, made=None, ended=why)


def _defect(error: Exception) -> Rejected:
    """The reason for an error that no rule foresaw; a full disk is no item's, and raised again."""
    if is_full(error):
        raise error
    if isinstance(error, MemoryError):
        return Rejected("out_of_memory", str(error))
    _LOG.error("a step of a stage failed", exc_info=error)
    return Rejected("internal_error", f"{type(error).__name__}: {' '.join(str(error).split())}")
