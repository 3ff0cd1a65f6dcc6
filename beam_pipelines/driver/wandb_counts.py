"""Counts of a run for Weights & Biases; its own environment says how: WANDB_MODE, WANDB_DIR, WANDB_API_KEY."""

import time
from dataclasses import dataclass, field
from typing import Any

from beam_pipelines.driver.seen import Seen
from beam_pipelines.recipes.monitoring_settings import MonitoringSettings

_SECONDS = 10.0  # between two points of a chart


@dataclass(slots=True)
class Logged:
    """A run of W&B, and what was seen last of each job, which is logged at most every ten seconds and at the end."""

    of_wandb: Any
    logged: float = -_SECONDS
    left: dict[str, Seen] = field(default_factory=dict)

    def take(self, seen: Seen) -> None:
        """One look."""
        self.left[seen.job] = seen
        if time.monotonic() - self.logged >= _SECONDS:
            self._log()

    def _log(self) -> None:
        points = {name: value for seen in self.left.values() for name, value in _points(seen).items()}
        self.left.clear()
        self.logged = time.monotonic()
        if points:
            self.of_wandb.log(points)

    def close(self) -> None:
        """Log the last look, and end the run of W&B."""
        self._log()
        self.of_wandb.finish()


def _points(seen: Seen) -> dict[str, float]:
    """`stage/state` for counts, `stage/per_second` for the items of a stage a second since the job began."""
    counts = {f"{stage}/{state}": n for stage, states in seen.counts.items() for state, n in states.items()}
    rates = {
        f"{stage}/per_second": sum(states.values()) / max(seen.seconds, 1e-9) for stage, states in seen.counts.items()
    }
    return {**counts, **rates}


def begin(settings: MonitoringSettings, recipe: str, run: str) -> Logged:
    """A run of W&B for a run of the recipe; the folder's name is its name."""
    import wandb

    name = run.rstrip("/").rpartition("/")[2]
    quiet = wandb.Settings(silent=True, console="off")
    started = wandb.init(project=settings.wandb_project, name=name, config={"recipe": recipe}, settings=quiet)
    return Logged(started)
