import pytest
from apache_beam.options.pipeline_options import FlinkRunnerOptions, PortableOptions
from pydantic import ValidationError

from beam_pipelines.errors import ConfigError
from beam_pipelines.runners import flink
from beam_pipelines.runners.flink import FlinkSettings

CLUSTER = FlinkSettings(master="jobs:8081", worker_pool="localhost:50000", parallelism=4)


def words(settings, *arguments):
    """All that a job would be started with, as Beam reads it; unknown ones are for the job server."""
    return flink.options(settings, ["--runner=FlinkRunner", *arguments]).get_all_options(retain_unknown_options=True)


def test_without_settings_it_is_embedded_and_needs_nothing_else():
    made = words(FlinkSettings())
    assert made["flink_master"] == "[local]"
    assert made["environment_type"] is None
    assert made["parallelism"] == -1
    assert made["flink_job_server_jar"] is None


def test_a_chunk_is_a_bundle_and_a_lost_task_manager_does_not_end_the_job():
    made = words(FlinkSettings())
    assert str(made["max_bundle_size"]) == "1"
    assert str(made["number_of_execution_retries"]) == "3"
    assert str(made["execution_retry_delay"]) == "5000"


def test_the_settings_are_beams_options():
    settings = CLUSTER.model_copy(
        update={"processes": 2, "restarts": 0, "restart_delay": 0.5, "job_server_jar": "a.jar"}
    )
    made = words(settings)
    portable = flink.options(settings, []).view_as(PortableOptions)
    assert made["flink_master"] == "jobs:8081"
    assert (portable.environment_type, portable.environment_config) == ("EXTERNAL", "localhost:50000")
    assert (made["parallelism"], made["sdk_worker_parallelism"]) == (4, "2")
    assert (str(made["number_of_execution_retries"]), str(made["execution_retry_delay"])) == ("0", "500")
    assert made["flink_job_server_jar"] == "a.jar"


def test_the_command_line_wins():
    made = flink.options(CLUSTER, ["--flink_master=other:1", "--parallelism=7"]).view_as(FlinkRunnerOptions)
    assert (made.flink_master, made.parallelism) == ("other:1", 7)


@pytest.mark.parametrize(
    ("settings", "arguments", "sentence"),
    [
        ({"master": "jobs:8081"}, [], r"flink\.worker_pool: the cluster at jobs:8081 needs a worker pool .* set flink"),
        ({"master": "jobs:8081", "worker_pool": "localhost:1"}, [], r"flink\.parallelism: say how many task slots"),
        ({}, ["--flink_master=jobs:8081"], r"flink\.worker_pool: the cluster at jobs:8081"),
    ],
)
def test_a_cluster_that_lacks_something_is_one_sentence(settings, arguments, sentence):
    with pytest.raises(ConfigError, match=sentence):
        flink.options(FlinkSettings(**settings), arguments)


@pytest.mark.parametrize("master", ["[local]", "[auto]"])
def test_embedded_masters_need_no_pool(master):
    flink.options(FlinkSettings(master=master), [])


def test_another_environment_may_be_named():
    flink.options(FlinkSettings(master="jobs:8081", parallelism=1), ["--environment_type=DOCKER"])


@pytest.mark.parametrize("address", ["localhost", "http://localhost:1", "localhost:one", ""])
def test_a_pools_address_is_host_and_port(address):
    with pytest.raises(ValidationError):
        FlinkSettings(worker_pool=address)
