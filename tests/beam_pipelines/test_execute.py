import os
from functools import partial

import apache_beam as beam
import pytest
from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions

from beam_pipelines.errors import PipelineFailed
from beam_pipelines.execute import Running, in_process, is_local, with_defaults

CASES = [
    ([], "multi_threading", os.cpu_count(), True, True),
    (["--runner=DirectRunner"], "multi_threading", os.cpu_count(), True, True),
    (["--runner", "FnApiRunner", "--direct_num_workers", "1"], "multi_threading", 1, True, True),
    (["--direct_running_mode=multi_processing", "--direct_num_workers=3"], "multi_processing", 3, True, False),
    (["--direct_running_mode", "in_memory"], "in_memory", os.cpu_count(), True, True),
    (["--runner=FlinkRunner"], "multi_threading", os.cpu_count(), False, False),
    (["--runner=PrismRunner"], "multi_threading", os.cpu_count(), False, False),
]


@pytest.mark.parametrize(("arguments", "mode", "workers", "local", "inside"), CASES)
def test_local_runs_default_to_a_thread_for_each_core(arguments, mode, workers, local, inside):
    options = with_defaults(arguments)
    direct = options.view_as(DirectOptions)
    assert (direct.direct_running_mode, direct.direct_num_workers) == (mode, workers)
    assert (is_local(options), in_process(options)) == (local, inside)


def test_plain_options_are_local():
    assert is_local(PipelineOptions([]))


def start(build, mode: str = "in_memory") -> Running:
    running = Running(build, with_defaults([f"--direct_running_mode={mode}"]))
    running.start()
    running.join()
    return running


def collect(pipeline, path) -> None:
    _ = pipeline | beam.Create([1, 2, 3]) | beam.Map(lambda n: path.joinpath(str(n)).touch())


def test_a_pipeline_runs_to_its_end(tmp_path):
    start(partial(collect, path=tmp_path)).outcome()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1", "2", "3"]


def fail_in_worker(pipeline) -> None:
    def broken(number: int) -> int:
        raise ValueError(f"number {number} is broken,\nvery much so")

    _ = pipeline | beam.Create([7]) | "Break" >> beam.Map(broken)


def fail_to_build(pipeline) -> None:
    raise KeyError("no such table")


def fail_silently(pipeline) -> None:
    raise ValueError


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (fail_in_worker, r"number 7 is broken, very much so.*Break"),
        (fail_to_build, "no such table"),
        (fail_silently, "ValueError"),
    ],
)
@pytest.mark.parametrize("mode", ["in_memory", "multi_threading"])
def test_any_error_is_one_readable_sentence(build, words, mode):
    running = start(build, mode)
    with pytest.raises(PipelineFailed, match=words) as error:
        running.outcome()
    message = str(error.value)
    assert "\n" not in message
    assert "Traceback" not in message
    assert message.count("broken") <= 1
    assert error.value.__cause__ is not None


def test_memory_that_ran_out_or_an_exit_is_reported_too():
    def leave(pipeline) -> None:
        raise SystemExit(3)

    with pytest.raises(PipelineFailed, match="3"):
        start(leave).outcome()
