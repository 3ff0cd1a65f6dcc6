"""Running on Flink: what the configuration's section `flink` means in Beam's options."""

from collections.abc import Sequence

from apache_beam.options.pipeline_options import FlinkRunnerOptions, PipelineOptions, PortableOptions
from pydantic import Field

from beam_pipelines.errors import ConfigError
from transforms.settings import Settings

EMBEDDED = ("[local]", "[auto]")

# What Beam's job server for Flink takes beside the options that Beam's Python has: its FlinkPipelineOptions, as Beam's
# page on the Flink runner spells them for portable pipelines.
ENGINE_OPTIONS = (
    "allow_non_restored_state", "auto_balance_write_files_sharding_enabled", "auto_watermark_interval",
    "checkpoint_timeout_millis", "checkpointing_interval", "checkpointing_mode", "disable_metrics",
    "enable_stable_input_drain", "execution_mode_for_batch", "execution_retry_delay",
    "externalized_checkpoints_enabled", "fail_on_checkpointing_errors", "faster_copy",
    "finish_bundle_before_checkpointing", "flink_conf_dir", "force_unaligned_checkpoint_enabled",
    "job_check_interval_in_secs", "latency_tracking_interval", "max_bundle_size", "max_bundle_time_mills",
    "min_pause_between_checkpoints", "num_concurrent_checkpoints", "number_of_execution_retries", "object_reuse",
    "operator_chaining", "re_iterable_group_by_key_result", "report_checkpoint_duration",
    "retain_externalized_checkpoints_on_cancellation", "savepoint_path", "shutdown_sources_after_idle_ms",
    "state_backend", "state_backend_factory", "state_backend_storage_path", "unaligned_checkpoint_enabled",
)  # fmt: skip


class FlinkSettings(Settings):
    """The Flink that `--runner FlinkRunner` runs on, and how."""

    master: str = Field("[local]", description="host:port of the job manager's REST service, or [local]: embedded")
    worker_pool: str | None = Field(
        None,
        pattern=r"^[^\s/]+:\d+$",
        description="host:port of the worker pool, as each task manager reaches its own: localhost:50000",
    )
    parallelism: int | None = Field(
        None, ge=1, description="task slots that a job takes; a cluster's must be given, [local] takes all cores"
    )
    processes: int = Field(
        1,
        ge=0,
        description="worker processes that a job has on each task manager; 0 is one a core; each has its models",
    )
    restarts: int = Field(
        3, ge=0, description="times that a job goes on by itself after a task manager or a worker was lost"
    )
    restart_delay: float = Field(5.0, ge=0, description="wait before each of the restarts, seconds")
    job_server_jar: str | None = Field(
        None, description="path of Beam's job server jar for Flink 2.2; without it Beam fetches it from Maven Central"
    )


def options(settings: FlinkSettings, arguments: Sequence[str]) -> PipelineOptions:
    """Beam's options for a job: the settings, then the command line's; ConfigError where they cannot work."""
    given = [f"--flink_job_server_jar={settings.job_server_jar}"] if settings.job_server_jar else []
    given += [f"--parallelism={settings.parallelism}"] if settings.parallelism else []
    if settings.worker_pool:
        given += ["--environment_type=EXTERNAL", f"--environment_config={settings.worker_pool}"]
    given += [
        f"--flink_master={settings.master}",
        f"--sdk_worker_parallelism={settings.processes}",
        f"--number_of_execution_retries={settings.restarts}",
        f"--execution_retry_delay={round(1000 * settings.restart_delay)}",
        # an element of a job is a chunk: a bundle ends, and with it the models' last batches, when its chunk does
        "--max_bundle_size=1",
    ]
    made = PipelineOptions([*given, *arguments])
    _check(made)
    return made


def _check(made: PipelineOptions) -> None:
    engine, portable = made.view_as(FlinkRunnerOptions), made.view_as(PortableOptions)
    if engine.flink_master in EMBEDDED:
        return
    if not portable.environment_type:
        raise ConfigError(
            f"flink.worker_pool: the cluster at {engine.flink_master} needs a worker pool beside each task manager; "
            "start `python -m beam_pipelines.runners.worker_pool` there and set flink.worker_pool to localhost:50000."
        )
    if engine.parallelism < 1:
        raise ConfigError(
            f"flink.parallelism: say how many task slots of the cluster at {engine.flink_master} a job takes; without "
            "it Beam takes one."
        )
