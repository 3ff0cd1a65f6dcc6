import os

import pytest
from apache_beam.options.pipeline_options import DirectOptions, FlinkRunnerOptions, GoogleCloudOptions

from beam_pipelines.driver.jobs import cut_jobs
from beam_pipelines.errors import ConfigError
from beam_pipelines.runners.dataflow import DataflowSettings
from beam_pipelines.runners.flink import FlinkSettings
from beam_pipelines.runners.options import in_processes, is_direct, local_options, options_for, runner_name
from tests.beam_pipelines.numbers_recipe import NumbersConfig, stages

# arguments, runner, workers, local, in processes for work that is not or is mostly Python
CASES = [
    ([], "DirectRunner", os.cpu_count(), True, False, True),
    (["--runner=DirectRunner"], "DirectRunner", os.cpu_count(), True, False, True),
    (["--runner", "FnApiRunner", "--direct_num_workers", "1"], "FnApiRunner", 1, True, False, True),
    (["--direct_running_mode=multi_processing", "--direct_num_workers=3"], "DirectRunner", 3, True, True, True),
    (["--direct_running_mode", "multi_threading"], "DirectRunner", os.cpu_count(), True, False, False),
    (
        ["--runner=PrismRunner", "--direct_running_mode=multi_processing"],
        "PrismRunner", os.cpu_count(), False, False, False,
    ),
]  # fmt: skip


def job(config):
    return cut_jobs(stages(config), config.jobs)[0]


@pytest.mark.parametrize(("arguments", "runner", "workers", "local", "little", "much"), CASES)
def test_local_workers_are_one_a_core_and_of_the_kind_that_the_work_wants(
    arguments, runner, workers, local, little, much
):
    config = NumbersConfig()
    options = options_for(arguments, config, "run", job(config), gpu=False)
    assert runner_name(options) == runner
    assert options.view_as(DirectOptions).direct_num_workers == workers
    assert is_direct(options) == local
    assert (in_processes(options, False), in_processes(options, True)) == (little, much)


def test_plain_options_are_local():
    assert is_direct(local_options())


def test_a_section_of_the_configuration_gives_its_engine_options_and_the_command_line_wins():
    dataflow = DataflowSettings(
        project="ours", region="europe-west4", temp_location="gs://bucket/tmp", cpu={"image": "manyfaces:cpu"}
    )
    config = NumbersConfig(flink=FlinkSettings(master="[auto]"), dataflow=dataflow)

    def seen(*arguments):
        options = options_for(arguments, config, "gs://bucket/run", job(config), gpu=False)
        return options.view_as(FlinkRunnerOptions).flink_master, options.view_as(GoogleCloudOptions).project

    assert seen()[1] is None
    assert seen("--runner=FlinkRunner") == ("[auto]", None)
    assert seen("--runner=FlinkRunner", "--flink_master=[local]") == ("[local]", None)
    assert seen("--runner=DataflowRunner")[1] == "ours"
    assert seen("--runner=DataflowRunner", "--project=theirs")[1] == "theirs"


def test_an_unknown_runner_names_the_nearest():
    with pytest.raises(ConfigError, match="did you mean 'FlinkRunner'"):
        options_for(["--runner=FlinkRuner"], NumbersConfig(), "run", job(NumbersConfig()), gpu=False)
