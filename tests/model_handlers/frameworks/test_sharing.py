"""One copy of a network for all processes of a worker."""

import os
from dataclasses import dataclass
from pathlib import Path

import apache_beam as beam
import numpy as np
import pytest
from apache_beam.ml.inference.base import RunInference
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.runners.portability.fn_api_runner import FnApiRunner
from onnx import TensorProto, helper

from model_handlers.frameworks.handler import NetworkHandler
from model_handlers.frameworks.loading import Loading
from model_handlers.interface import Answer, Request
from tests.onnx_files import save

pytestmark = pytest.mark.jobs
TWO_PROCESSES = ["--direct_num_workers=2", "--direct_running_mode=multi_processing"]


@dataclass(frozen=True)
class Noted:
    """Gives the path of a file, and notes which process asked for it."""

    path: Path
    notes: Path

    def __call__(self) -> Path:
        with self.notes.open("a") as out:
            out.write(f"{os.getpid()}\n")
        return self.path


def told(answer: Answer) -> tuple[int, str | None, list[float], int]:
    return answer.carry, answer.error, [float(output[0][0]) for output in answer.outputs], os.getpid()


@pytest.mark.parametrize(("copies", "loads"), [(None, 2), (1, 1)])
def test_processes_load_each_their_own_or_share(tmp_path, copies, loads):
    doubles = save(
        tmp_path / "doubles.onnx",
        [helper.make_node("Add", ["x", "x"], ["y"])],
        {},
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ("N", 1))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ("N", 1))],
    )
    handler = NetworkHandler(Loading("onnx", Noted(doubles, tmp_path / "loads"), "doubles"), copies=copies)
    with beam.Pipeline(runner=FnApiRunner(), options=PipelineOptions(TWO_PROCESSES)) as job:
        answers = (
            job
            | beam.Create(range(6))
            | "Ask" >> beam.Map(lambda n: Request((np.float32([n]),), n))
            | RunInference(handler)
            | "Tell" >> beam.Map(told)
        )
        _ = answers | "Note" >> beam.Map(lambda one: (tmp_path / f"answer-{one[0]}").write_text(repr(one)))
    found = [eval((tmp_path / f"answer-{n}").read_text()) for n in range(6)]
    assert [one[:3] for one in found] == [(n, None, [2.0 * n]) for n in range(6)]
    assert len({pid for *_, pid in found}) == 2
    assert len((tmp_path / "loads").read_text().split()) == loads
