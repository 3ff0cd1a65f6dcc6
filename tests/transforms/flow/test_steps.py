import pickle
from fractions import Fraction
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import onnx
import pytest
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from onnx import TensorProto, helper

from model_handlers.frameworks.handler import NetworkHandler
from model_handlers.frameworks.loading import Loading
from model_handlers.interface import Answer, Codec, Detections, Objects, Plates
from transforms.flow.items import Item, Outcome
from transforms.flow.steps import (
    AskModel,
    Question,
    apply,
    enter,
    finish,
    from_answer,
    start,
    step,
    to_request,
)
from transforms.tables.reasons import Rejected

ALREADY_ENDED = Item("c", (0,), Fraction(1, 3), None)


def item(row: Any) -> Item[Any]:
    return Item("c", (row,), Fraction(1, 3), row)


def encode(number: int) -> tuple[Any, int]:
    if number == 13:
        raise Rejected("broken_image", "thirteen")
    if number == 17:
        raise ZeroDivisionError("seventeen")
    return np.array([number]), number


def decode(outputs: Any, context: int) -> int:
    if context == 19:
        raise Rejected("no_face", "nineteen")
    return int(outputs[0][0]) - context


DOUBLES = Codec("person", encode, decode, version=1)


def twice(made: int) -> list[tuple[Any, ...]]:
    return [(made,), (made + 1,)]


def added(made: int, results: list[int]) -> int:
    return made + sum(results)


QUESTION = Question(DOUBLES, twice, added)


def test_an_item_that_had_ended_is_passed():
    visit = apply(start(ALREADY_ENDED), lambda made: 1 / 0)
    request = to_request(visit, QUESTION)
    assert request.inputs == ()
    outcome = finish(from_answer(Answer((), request.carry), QUESTION), lambda row: 1 / 0)
    assert outcome == Outcome("c", (0,), Fraction(1, 3), None)


def test_a_step_makes_something_of_it():
    visit = apply(apply(start(item(3)), lambda made: made + 1), lambda made: (made, made))
    outcome = finish(visit, str)
    assert outcome.rows == (4, 4)
    assert outcome.verdict is not None
    assert (outcome.verdict.item_id, outcome.verdict.state) == ("3", "kept")


@pytest.mark.parametrize(
    ("error", "reason", "detail"),
    [
        (Rejected("no_body", "why"), "no_body", "why"),
        (ValueError("two\nlines"), "internal_error", "ValueError: two lines"),
        (MemoryError("of the host"), "out_of_memory", "of the host"),
    ],
)
def test_what_a_step_raises_ends_the_item(error, reason, detail):
    def broken(made: Any) -> Any:
        raise error

    visit = apply(apply(start(item(3)), broken), lambda made: made.never_reached)
    request = to_request(visit, QUESTION)
    assert request.inputs == ()
    outcome = finish(from_answer(Answer((), request.carry), QUESTION), str)
    assert outcome.rows == ()
    assert outcome.verdict is not None
    assert (outcome.verdict.item_id, outcome.verdict.reason, outcome.verdict.detail) == ("3", reason, detail)


@pytest.mark.parametrize(
    ("row", "reason"),
    [(13, "broken_image"), (12, "broken_image"), (17, "internal_error"), (19, "no_face"), (18, "no_face")],
)
def test_a_codec_that_raises_ends_the_item(row, reason):
    request = to_request(start(item(row)), QUESTION)
    outputs = tuple((example * 2,) for example in request.inputs)
    visit = from_answer(Answer(outputs, request.carry), QUESTION)
    assert visit.ended is not None
    assert visit.ended.code == reason


@pytest.mark.parametrize(("memory", "reason"), [(False, "model_error"), (True, "out_of_memory")])
def test_a_model_that_fails_ends_the_item(memory, reason):
    request = to_request(start(item(5)), QUESTION)
    visit = from_answer(Answer((), request.carry, error="because", out_of_memory=memory), QUESTION)
    outcome = finish(visit, str)
    assert outcome.verdict is not None
    assert (outcome.verdict.reason, outcome.verdict.detail) == (reason, "because")
    assert outcome.verdict.transient is memory


@pytest.mark.parametrize("place", ["boxes", "scores"])
@pytest.mark.parametrize("kind", [Detections, Objects, Plates])
@pytest.mark.parametrize(("number", "ends"), [(0.5, None), (np.nan, "model_error"), (np.inf, "model_error")])
def test_a_detector_s_numbers_that_are_none_end_the_item(kind, place, number, ends):
    boxes, scores = np.ones((2, 4), np.float32), np.ones(2, np.float32)
    {"boxes": boxes, "scores": scores}[place][-1] = number
    third = {Detections: (), Objects: (np.zeros(2, np.int64),), Plates: (np.ones((2, 4, 2)),)}[kind]
    found = Codec("face", lambda row: (row, None), lambda outputs, context: kind(boxes, scores, *third), version=1)
    question = Question(found, lambda row: [(row,)], lambda made, results: results)
    request = to_request(start(item(3)), question)
    visit = from_answer(Answer(((np.zeros(1),),), request.carry), question)
    assert (visit.ended and visit.ended.code) == ends


def test_results_come_in_the_order_of_the_arguments():
    request = to_request(start(item(5)), QUESTION)
    assert [example.tolist() for example in request.inputs] == [[5], [6]]
    seen = []
    question = Question(DOUBLES, twice, lambda made, results: seen.append((made, results)))
    from_answer(Answer(((np.array([10]),), (np.array([18]),)), request.carry), question)
    assert seen == [(5, [5, 12])]


@pytest.mark.parametrize("batch_size", [1, 3, 50])
def test_in_a_pipeline_a_poisoned_item_costs_itself_only(tmp_path: Path, batch_size: int):
    """The model looks numbers up in a table of 100 doubles; a number beyond it fails the whole batch it is in."""
    graph = helper.make_graph(
        [helper.make_node("Gather", ["table", "x"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.INT64, ("N", 1))],
        [helper.make_tensor_value_info("y", TensorProto.INT64, ("N", 1))],
        [helper.make_tensor("table", TensorProto.INT64, [100], np.arange(100) * 2)],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), tmp_path / "m.onnx")
    handler = NetworkHandler(Loading("onnx", tmp_path / "m.onnx", "m"), batch_size=batch_size)
    folder = tmp_path / "out"
    folder.mkdir()

    def save(outcome: Outcome[Any]) -> None:
        (folder / str(outcome.order[0])).write_bytes(pickle.dumps(outcome))

    items = [item(n) for n in (1, 2, 1000, 13, 5, 19)] + [Item("c", (77,), Fraction(1), None)]
    with beam.Pipeline(runner=FnApiRunner()) as job:
        visits = job | beam.Create(items, reshuffle=False) | "Enter" >> enter()
        visits = visits | "Ask" >> AskModel(handler, QUESTION) | "Tuple" >> step(lambda made: (made,))
        _ = visits | "Leave" >> beam.Map(finish, str) | beam.Map(save)
    outcomes = {path.name: pickle.loads(path.read_bytes()) for path in folder.iterdir()}
    reasons = {name: outcome.verdict and outcome.verdict.reason for name, outcome in outcomes.items()}
    assert reasons == {
        "1": "",
        "2": "",
        "1000": "model_error",
        "13": "broken_image",
        "5": "",
        "19": "no_face",
        "77": None,
    }
    assert outcomes["5"].rows == (5 + 5 + 6,)
