"""What monitoring is told of a job."""

from dataclasses import dataclass

from beam_pipelines.driver.progress import Counts


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look at a job found: the counts of its stages since it began, seconds since then, items if known."""

    job: str
    counts: Counts
    seconds: float
    items: int | None
