"""Running on Flink: what the configuration's section `flink` means in Beam's options."""

from pydantic import Field

from transforms.settings import Settings


class FlinkSettings(Settings):
    """The Flink that `--runner FlinkRunner` runs on."""

    master: str = Field("[local]", description="host:port of the job manager's REST service, or [local]: embedded")


def arguments(settings: FlinkSettings) -> list[str]:
    """Beam's options for a job on this Flink."""
    return [f"--flink_master={settings.master}"]
