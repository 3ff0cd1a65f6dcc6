"""Settings of where a run's counts go while it is at work, beside the screen."""

from pydantic import Field

from transforms.settings import Settings


class MonitoringSettings(Settings):
    """Where the counts go that the driver shows; nothing by default."""

    metrics_port: int | None = Field(
        None, ge=1, le=65_535, description="port on which the driver serves them as OpenMetrics; null: none"
    )
    metrics_host: str = Field("127.0.0.1", description="address of this machine that it listens on")
    wandb_project: str | None = Field(
        None, min_length=1, description="project of Weights & Biases that gets them; null: none"
    )
