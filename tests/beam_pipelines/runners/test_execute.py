import threading
from functools import partial

import apache_beam as beam
import pytest
from apache_beam.runners.worker.data_plane import PeriodicThread

from beam_pipelines.errors import PipelineFailed
from beam_pipelines.runners.execute import Running
from beam_pipelines.runners.options import local_options


def start(build, mode: str = "in_memory") -> Running:
    running = Running(build, local_options([f"--direct_running_mode={mode}"]), processes=mode == "multi_processing")
    running.start()
    running.join()
    return running


def collect(pipeline, path) -> None:
    _ = pipeline | beam.Create([1, 2, 3]) | beam.Map(lambda n: path.joinpath(str(n)).touch())


def test_a_pipeline_runs_to_its_end(tmp_path):
    start(partial(collect, path=tmp_path)).outcome()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1", "2", "3"]


def flushers(pipeline, path) -> None:
    def note(number: int) -> int:
        threads = [thread for thread in threading.enumerate() if isinstance(thread, PeriodicThread)]
        path.write_text(str([thread.name for thread in threads if "flush" in thread._function.__name__]))
        return number

    _ = pipeline | beam.Create([1]) | "There" >> beam.Reshuffle() | beam.Map(note) | "And back" >> beam.Reshuffle()


def test_no_thread_empties_a_buffer_into_which_a_bundle_writes(tmp_path):
    start(partial(flushers, path=tmp_path / "threads"), "multi_threading").outcome()
    assert (tmp_path / "threads").read_text() == "[]"


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


class Result:
    """A job in a cluster: it ends when it is cancelled, or cannot be."""

    def __init__(self, error: Exception | None) -> None:
        self.cancelled, self.error = 0, error

    def cancel(self) -> None:
        self.cancelled += 1
        if self.error is not None:
            raise self.error


@pytest.mark.parametrize("error", [None, NotImplementedError(), RuntimeError("the engine is gone")])
def test_a_job_is_stopped_by_its_runner_where_that_can(error, tmp_path):
    running = start(partial(collect, path=tmp_path))
    running._result = Result(error)
    running.stop()
    assert running._result.cancelled == 1


def test_a_job_that_has_not_begun_is_stopped_too():
    Running(fail_to_build, local_options()).stop()
