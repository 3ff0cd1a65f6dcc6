"""The record of a verification is plain JSON with the pairs behind each figure, and its tables show all of it."""

import json

import numpy as np
import pyarrow as pa
import pytest
from rich.console import Console

from beam_pipelines.reports.verification import figures, pairs_told, record_of
from transforms.evaluation.compared import Compared
from transforms.evaluation.verification import verification


def record(similarity, same, **left_out):
    similarity, same = np.array(similarity, np.float32), np.array(same, bool)
    none, places = pa.array([], pa.large_string()), np.zeros(len(same), np.int64)
    compared = Compared(none, none, places, places, same, similarity, left_out)
    return record_of(compared, verification(similarity, same))


def shown(table):
    console = Console(width=200)
    with console.capture() as capture:
        console.print(table)
    return capture.get()


def plain(record):
    return json.loads(json.dumps(record, allow_nan=False))


def test_two_pairs():
    found = record([0.75, 0.25], [True, False])
    assert plain(found) == found
    assert found["pairs"] == {"listed": 2, "compared": 2}
    assert found["at_far"] == {"0.01": None, "0.001": None, "0.0001": None}
    assert found["notes"] == [
        f"TAR at FAR {far} cannot be told: it needs at least {pairs} pairs of different persons, and there are 1."
        for far, pairs in (("0.01", "100"), ("0.001", "1,000"), ("0.0001", "10,000"))
    ]
    assert (found["auc"], found["best"]["threshold"], found["best"]["accuracy"]) == (1, 0.5, 1)
    assert found["best"]["accuracy_interval"] == pytest.approx([0.34238, 1], abs=1e-5)
    assert shown(figures(found)).count("too few pairs") == 3


def test_where_it_is_best_to_accept_none_there_is_no_threshold():
    found = plain(record([0.1, 0.9, 0.8], [True, False, False]))
    assert (found["best"]["threshold"], found["best"]["accuracy"]) == (None, pytest.approx(2 / 3))
    assert "none" in shown(figures(found))


def test_every_figure_is_shown_with_its_pairs():
    similarity = np.concatenate([np.linspace(0, 0.5, 1000), np.linspace(0.45, 1, 100)])
    found = record(similarity, np.arange(1100) >= 1000, not_in_run=3, repeated=0)
    text = shown(figures(found))
    at = found["at_far"]["0.001"]
    assert (at["false_accepts"], at["different"], at["true_accepts"], at["same"]) == (1, 1000, 91, 100)
    assert at["tar_interval"][0] < at["tar"] < at["tar_interval"][1]
    assert at["far_interval"][0] < at["far"] < at["far_interval"][1]
    assert "accepted: 91 of 100 same, 1 of 1,000 different" in text
    assert f"{at['tar']:.4f} │ {at['tar_interval'][0]:.4f} to {at['tar_interval'][1]:.4f} │" in text
    assert "1,000 different pairs are fewer than 1/FAR" in text
    told = shown(pairs_told(found))
    assert "listed" in told
    assert "1,103" in told
    assert "left out: pairs with an item that the run does not know" in told
    assert "earlier row" not in told
